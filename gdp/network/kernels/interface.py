"""What a set of kernels computes: the steps of a ResBlock, each in one pass over a picture.

A picture is [B, C, H, W], channels last in memory. It may come in two parts, x and `skip`, as a
skip connection of the UNet leaves it; [x, skip] stands for both together, and nothing is copied to
join them. A normalization is two numbers for each channel of each picture: a [x, skip] + b, and
`ab` [2, B, C] holds them.

kernels/cpu.py and kernels/cuda.py have the functions of `Kernels`; gdp/network/fused.py calls them.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor, nn

# Flags of `conv3x3`: what is of half the height and width, and enlarged on the way.
UP = 1  # x
UP_RESIDUAL = 2  # the residual


class Kernels(Protocol):
    """The functions of a module of kernels."""

    def ready(self, x: Tensor, layers: Sequence[nn.Module]) -> bool:
        """Whether `layers` can run here on [x, skip], without gradients."""

    def norms(
        self, x: Tensor, skip: Tensor | None, norm: nn.Module, film: Tensor | None = None
    ) -> Tensor:
        """The GroupNorm of [x, skip] as a and b.

        Args:
            x: pictures [B, C1, H, W].
            skip: more channels of them [B, C2, H, W].
            norm: the nn.GroupNorm over C = C1 + C2 channels.
            film: (scale, shift) [B, 2 C] of what follows, (1 + scale) GroupNorm(..) + shift.

        Returns:
            (a, b) [2, B, C] in float32.
        """

    def activate(self, x: Tensor, ab: Tensor) -> Tensor:
        """SiLU(a x + b)."""

    def conv3x3(
        self,
        x: Tensor,
        skip: Tensor | None,
        ab: Tensor | None,
        conv: nn.Module,
        residual: Tensor | None = None,
        up: int = 0,
    ) -> Tensor:
        """residual + conv(SiLU(a [x, skip] + b)), or of [x, skip] itself without `ab`.

        Args:
            x: pictures [B, C1, H, W].
            skip: more channels of them [B, C2, H, W].
            ab: their normalization [2, B, C1 + C2].
            conv: the nn.Conv2d, 3 x 3.
            residual: what is added to its result.
            up: UP and UP_RESIDUAL, or 0.
        """

    def conv3x3_norms(
        self,
        x: Tensor,
        skip: Tensor | None,
        ab: Tensor | None,
        conv: nn.Module,
        up: int,
        more: Tensor | None,
        norm: nn.Module,
        film: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """A convolution and the normalization that follows it.

        Args:
            x: as in `conv3x3`, like `skip`, `ab`, `conv` and `up`.
            more: [B, O], added to every pixel of the convolution's result.
            norm: the nn.GroupNorm of that sum.
            film: as in `norms`.

        Returns:
            h and (a, b) such that a h + b is the norm of conv3x3(..) + more. What h lacks of that
            sum is in b.
        """

    def conv1x1(self, x: Tensor, skip: Tensor | None, conv: nn.Module) -> Tensor:
        """conv([x, skip]) of a convolution over single pixels."""


def differentiated(x: Tensor, layers: Sequence[nn.Module]) -> bool:
    """Whether gradients are wanted of what `layers` make of x."""
    return torch.is_grad_enabled() and (
        x.requires_grad or any(p.requires_grad for layer in layers for p in layer.parameters())
    )


def channels_last(x: Tensor | None) -> Any:
    """x as the kernels read it; None stays."""
    return None if x is None else x.contiguous(memory_format=torch.channels_last)
