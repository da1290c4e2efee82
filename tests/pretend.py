"""A device that is not the CPU, pretended on a CPU: to the program its tensors are `meta`, yet they
have values.

    with PretendDevice() as device:
        x = torch.ones(3, device="meta")      # computes, on the CPU, under another name
    device.uploads, device.waits              # what crossed over, and what was waited for

As on a GPU, tensors of both sides do not mix (a CPU's single number is taken for a number); as on
mps, float64 and complex128 are unknown there.
"""

import collections
import traceback
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

from gdp.prior.tiles import raised_cosine

ROOT = str(Path(__file__).parents[1])
META = torch.device("meta")
TOO_FINE = (torch.float64, torch.complex128)
COPIES = ("aten._to_copy.default", "aten.copy_.default")
READS = ("aten._local_scalar_dense.default", "aten.nonzero.default", "aten.equal.default")
LAZY = {  # views that a tensor's own bits tell of -> what computes them
    "aten._conj.default": torch.ops.aten.conj_physical.default,
    "aten._neg_view.default": torch.ops.aten.neg.default,
}


class There(torch.Tensor):
    """A tensor on the pretended device; `values` are its numbers, on the CPU."""

    @staticmethod
    def __new__(cls, values):
        return torch.Tensor._make_wrapper_subclass(
            cls,
            values.shape,
            strides=values.stride(),
            storage_offset=values.storage_offset(),
            dtype=values.dtype,
            device=META,
        )

    def __init__(self, values):
        self.values = values

    def tolist(self):
        """The numbers, which are waited for: torch refuses subclasses here."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        raise AssertionError(f"{func} on a pretended device that has gone")


class PretendDevice(TorchDispatchMode):
    """The device, while it is at hand.

    Attributes:
        uploads: places in the program from which tensors came there from the CPU, counted.
        waits: places that asked for a number from there, counted.
    """

    def __init__(self):
        super().__init__()
        self.uploads, self.waits = collections.Counter(), collections.Counter()

    def __exit__(self, *error):
        """What the program keeps for a device goes with it."""
        super().__exit__(*error)
        raised_cosine.cache_clear()

    def clear(self):
        """Count anew."""
        self.uploads.clear()
        self.waits.clear()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        leaves = [*args, *kwargs.values()]
        nested = any(type(v) in (list, tuple) for v in leaves)
        leaves = tree_flatten(leaves)[0] if nested else leaves
        tensors = [v for v in leaves if isinstance(v, torch.Tensor)]
        theirs = [v for v in tensors if isinstance(v, There)]
        ours = [v for v in tensors if not isinstance(v, There) and v.ndim > 0]
        asked = kwargs.get("device")
        goes = asked is not None and torch.device(asked).type == "meta"
        comes = bool(theirs) and asked is not None and torch.device(asked).type == "cpu"
        name = str(func)

        # Copies cross over; nothing else does.
        if name == COPIES[1]:
            if isinstance(args[0], There) and not isinstance(args[1], There):
                self.uploads[caller()] += 1
            elif theirs and not isinstance(args[0], There):
                self.waits[caller()] += 1
        elif name == COPIES[0]:
            if goes and not theirs:
                self.uploads[caller()] += 1
            elif comes:
                self.waits[caller()] += 1
        elif theirs and ours:
            raise AssertionError(f"{name} mixes devices: {caller()}")
        if theirs and name in READS:
            self.waits[caller()] += 1

        if goes or comes:
            kwargs["device"] = torch.device("cpu")
        if nested:
            args, kwargs = tree_map(values_of, (args, kwargs))
        else:
            args = [values_of(v) for v in args]
            kwargs = {key: values_of(v) for key, v in kwargs.items()}
        out = LAZY.get(name, func)(*args, **kwargs)

        there = goes or (bool(theirs) and not comes)
        if not there or name == READS[0]:
            return out
        same = {id(v.values): v for v in theirs}
        if isinstance(out, torch.Tensor):
            return self.bring(out, name, same)
        return tree_map(lambda v: self.bring(v, name, same), out)

    def bring(self, value, name, same):
        """A result as a tensor there; one that was changed in place stays the tensor it is."""
        if not isinstance(value, torch.Tensor):
            return value
        if value.dtype in TOO_FINE:
            raise AssertionError(f"{name} makes {value.dtype} there: {caller()}")
        return same[id(value)] if id(value) in same else There(value)


def values_of(value):
    """The numbers of a tensor there; anything else as it is."""
    return value.values if isinstance(value, There) else value


def caller():
    """The place in the program that called torch."""
    for frame in reversed(traceback.extract_stack()):
        others = ("/tests/pretend.py", "/site-packages/")
        inside = frame.filename.startswith(ROOT) and not any(p in frame.filename for p in others)
        if inside:
            return f"{frame.filename[len(ROOT) + 1 :]}:{frame.lineno} {frame.name}"
    return "elsewhere"
