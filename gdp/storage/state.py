"""Tensors in lists, dicts and modules as plain JSON beside plain tensors, and back: what a checkpoint is made of. Nothing is pickled."""

from typing import Any

import torch
from torch import Tensor, nn

PLAIN = (bool, int, float, str, type(None))


def encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    """`value` as JSON; its tensors go into `tensors`. TypeError where it holds something else than tensors, numbers, words, None,
    slices, and lists, tuples and dicts of them."""
    if isinstance(value, Tensor):
        return encode_tensor(value.detach(), tensors)
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, slice):
        return {"slice": [encode(n, tensors) for n in (value.start, value.stop, value.step)]}
    if isinstance(value, list | tuple):
        return {
            type(value).__name__ if type(value) in (list, tuple) else "tuple": [
                encode(v, tensors) for v in value
            ]
        }
    if isinstance(value, dict):
        return {"dict": [[encode(k, tensors), encode(v, tensors)] for k, v in value.items()]}
    raise TypeError(f"a {type(value).__name__} cannot be saved")


def encode_tensor(value: Tensor, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """A tensor's name in `tensors`, and its order in memory, on which the last bit of a sum may depend."""
    strides = value.stride()
    order = sorted(range(value.ndim), key=lambda i: (-strides[i], i))
    dense = value.permute(order).is_contiguous()
    flat = (value.permute(order) if dense else value).contiguous()
    name = str(len(tensors))
    tensors[name] = (torch.view_as_real(flat) if flat.is_complex() else flat).cpu().clone()
    return {
        "tensor": name,
        "order": order if dense else list(range(value.ndim)),
        "complex": flat.is_complex(),
    }


def decode(value: Any, tensors: dict[str, Tensor], device: torch.device) -> Any:
    """What `encode` was given, its tensors on `device`."""
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        flat = tensors[value["tensor"]].to(device)
        order = value["order"]
        return (torch.view_as_complex(flat) if value["complex"] else flat).permute(
            sorted(range(len(order)), key=order.__getitem__)
        )
    ((kind, items),) = value.items()
    if kind == "dict":
        return {decode(k, tensors, device): decode(v, tensors, device) for k, v in items}
    parts = [decode(v, tensors, device) for v in items]
    return slice(*parts) if kind == "slice" else tuple(parts) if kind == "tuple" else parts


def module_state(module: nn.Module) -> dict[str, dict[str, Any]]:
    """Parameters, buffers and plain attributes of a module and its parts, by the parts' names; caches (_name) and code are left out.

    Tensors that are changed in place, Parameters and buffers, are copies.
    """
    return {name: own_state(part) for name, part in module.named_modules()}


def own_state(part: nn.Module) -> dict[str, Any]:
    """Those of a module without its parts."""
    found: dict[str, Any] = {
        name: t.detach().clone()
        for name, t in [*part._parameters.items(), *part._buffers.items()]
        if t is not None
    }
    for name, value in vars(part).items():
        if (
            not name.startswith("_")
            and name not in ("training", "dump_patches", "call_super_init")
            and savable(value)
        ):
            found[name] = value
    return found


def load_module(module: nn.Module, state: dict[str, dict[str, Any]]) -> None:
    """Put back what `module_state` gave. ValueError where the module has other parts."""
    parts = dict(module.named_modules())
    if parts.keys() != state.keys():
        raise ValueError("the operator has other parts than the one that was saved")
    for name, own in state.items():
        part = parts[name]
        for key, value in own.items():
            parameter = part._parameters.get(key)
            if parameter is not None:
                parameter.data = value
            else:
                setattr(part, key, value)


def savable(value: Any) -> bool:
    """Whether `encode` takes it."""
    if isinstance(value, list | tuple):
        return all(savable(v) for v in value)
    if isinstance(value, dict):
        return all(savable(k) and savable(v) for k, v in value.items())
    return isinstance(value, (Tensor, slice, *PLAIN))
