"""Tensors in lists, dicts and modules as plain JSON beside plain tensors, and back.

A snapshot is made of them. Nothing is pickled.
"""

from typing import Any

import torch
from torch import Tensor, nn

# Values that JSON has
PLAIN = (bool, int, float, str, type(None))

# Attributes that every module of torch has of its own
TORCH_ATTRIBUTES = ("training", "dump_patches", "call_super_init")


def encode(value: Any, tensors: dict[str, Tensor]) -> Any:
    """Write a value as JSON beside plain tensors.

    Args:
        value: tensors, numbers, strings, None and slices, and lists, tuples and dicts of them.
        tensors: takes up the tensors, by the names that the JSON has for them.

    Raises:
        TypeError: the value holds something else.
    """
    if isinstance(value, Tensor):
        return encode_tensor(value.detach(), tensors)
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, slice):
        return {"slice": [encode(n, tensors) for n in (value.start, value.stop, value.step)]}

    if isinstance(value, list | tuple):
        kind = "list" if type(value) is list else "tuple"
        return {kind: [encode(v, tensors) for v in value]}
    if isinstance(value, dict):
        return {"dict": [[encode(k, tensors), encode(v, tensors)] for k, v in value.items()]}
    raise TypeError(f"a {type(value).__name__} cannot be saved")


def encode_tensor(value: Tensor, tensors: dict[str, Tensor]) -> dict[str, Any]:
    """Write a tensor: its name, and its order in memory, as the last bit of a sum may need it."""
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
    """Read what `encode` wrote.

    Args:
        value: the JSON.
        tensors: the tensors beside it.
        device: where the tensors are to be.
    """
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
    """What a module and its parts know.

    Returns:
        Parameters, buffers and plain attributes by name, part by part. Parameters and buffers are
        copies, as they are changed in place. Caches (_name) and code are left out.
    """
    found = {}
    for part_name, part in module.named_modules():
        own: dict[str, Any] = {
            name: tensor.detach().clone()
            for name, tensor in [*part._parameters.items(), *part._buffers.items()]
            if tensor is not None
        }

        for name, value in vars(part).items():
            hidden = name.startswith("_") or name in TORCH_ATTRIBUTES
            if not hidden and can_encode(value):
                own[name] = value
        found[part_name] = own
    return found


def load_module(module: nn.Module, state: dict[str, dict[str, Any]]) -> None:
    """Put back what `module_state` gave.

    Raises:
        ValueError: the module has other parts.
    """
    parts = dict(module.named_modules())
    if parts.keys() != state.keys():
        raise ValueError("the operator has other parts than the one that was saved")

    for part_name, own in state.items():
        part = parts[part_name]
        for name, value in own.items():
            parameter = part._parameters.get(name)
            if parameter is not None:
                parameter.data = value
            else:
                setattr(part, name, value)


def can_encode(value: Any) -> bool:
    """Whether `encode` takes a value."""
    if isinstance(value, list | tuple):
        return all(can_encode(v) for v in value)
    if isinstance(value, dict):
        return all(can_encode(k) and can_encode(v) for k, v in value.items())
    return isinstance(value, (Tensor, slice, *PLAIN))
