"""The launches of the Triton kernels (triton.py): their grids, sizes and results.

A kernel's arguments are never null: where one is missing, another tensor stands in its place and a
flag says that it is not read.
"""

import functools
from typing import Any

import torch
from torch import Tensor, nn

from gdp.network.kernels.interface import channels_last

ROWS, COLS = 64, 64  # pixels x channels that a program works on at once
RUNS = 128  # runs of pixels, at most, that a picture is cut into for its sums


@functools.cache
def kernels() -> Any:
    """gdp/network/kernels/triton.py; ImportError without Triton."""
    from gdp.network.kernels import triton as triton_kernels

    return triton_kernels


def norms(
    x: Tensor,
    skip: Tensor | None,
    norm: nn.Module,
    film: Tensor | None = None,
    more: Tensor | None = None,
) -> Tensor:
    """(a, b) [2, B, C] in float32: a [x, skip] + b is its GroupNorm, modulated by `film`.

    `more` [B, C] counts as added to [x, skip] beforehand.
    """
    assert isinstance(norm, nn.GroupNorm)
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    film, more = (None if value is None else value.contiguous() for value in (film, more))

    N, C, groups = H * W, c1 + c2, norm.num_groups
    run, K = runs_of(N)
    mean, squares = torch.empty(2, B, K, C, device=x.device)
    ab = torch.empty(2, B, C, device=x.device)

    has = {"HAS_FILM": film is not None, "HAS_MORE": more is not None}
    sizes = {"RUNS": power_of_two(K), "WIDTH": power_of_two(C // groups)}
    affine = norm.weight, norm.bias, ab if film is None else film, ab if more is None else more, *ab
    with torch.cuda.device_of(x):
        pictures = x, x if skip is None else skip
        kernels().moments[K, B, blocks(c1, c2)](
            *pictures, mean, squares, N, c1, c2, run, ROWS, COLS
        )
        kernels().affine[groups, B](mean, squares, *affine, N, C, run, K, norm.eps, **has, **sizes)
    return ab


def activate(x: Tensor, ab: Tensor, skip: Tensor | None = None, silu: bool = True) -> Tensor:
    """SiLU(a [x, skip] + b), or without SiLU."""
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    y = torch.empty(
        B, c1 + c2, H, W, dtype=x.dtype, device=x.device, memory_format=torch.channels_last
    )

    grid = -(-H * W // ROWS), B, blocks(c1, c2)
    pictures = x, x if skip is None else skip
    with torch.cuda.device_of(x):
        kernels().activate[grid](*pictures, *ab, y, H * W, c1, c2, silu, ROWS, COLS)
    return y


def finish(y: Tensor, bias: Tensor, residual: Tensor | None, up: bool = False) -> Tensor:
    """y + bias + residual, in place where y is channels last; `up`: a residual of half the size."""
    y, residual = map(channels_last, (y, residual))
    B, C, H, W = y.shape

    grid = -(-H * W // ROWS), B, blocks(C)
    pictures = y, bias, y if residual is None else residual
    with torch.cuda.device_of(y):
        kernels().finish[grid](*pictures, H, W, C, int(up), residual is not None, ROWS, COLS)
    return y


def runs_of(pixels: int) -> tuple[int, int]:
    """A picture's pixels in K runs, each a whole number of blocks: pixels of a run, and K."""
    run = -(-pixels // (RUNS * ROWS)) * ROWS
    return run, -(-pixels // run)


def blocks(*channels: int) -> int:
    """How many blocks of channels the parts of a picture have."""
    return sum(-(-c // COLS) for c in channels)


def power_of_two(n: int) -> int:
    """The least power of two that is n or more."""
    return 1 << (n - 1).bit_length()
