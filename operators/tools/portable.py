"""Modules whose tensors go wherever torch computes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from typing import Self

# What only a CPU is sure to know -> what takes its place anywhere else
COARSER = {torch.float64: torch.float32, torch.complex128: torch.complex64}


class Portable(nn.Module):
    """A module that may hold tensors in double precision on a CPU.

    Apple's and some of Intel's GPUs know none. So what leaves the CPU does so in single precision,
    as pictures do; with it no step has to convert anything.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "Self":
        apply: Any = super()._apply
        apply(lambda tensor: moved(tensor, fn), recurse)
        return self


def moved(tensor: Tensor, fn: Callable[[Tensor], Tensor]) -> Tensor:
    """What `fn` makes of a tensor, in single precision unless that is on a CPU."""
    coarser = COARSER.get(tensor.dtype)
    if coarser is None or fn(tensor.new_empty(0, dtype=coarser)).device.type == "cpu":
        return fn(tensor)
    return fn(tensor.to(coarser))
