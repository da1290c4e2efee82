"""The launches of the Triton kernels of gradients (triton_backward.py), as in cuda_launch.py."""

import functools
from typing import Any

import torch
from torch import Tensor, nn

from gdp.network.kernels.cuda_launch import COLS, ROWS, blocks, kernels, power_of_two, runs_of
from gdp.network.kernels.interface import channels_last


@functools.cache
def backward_kernels() -> Any:
    """gdp/network/kernels/triton_backward.py; ImportError without Triton."""
    from gdp.network.kernels import triton_backward

    return triton_backward


def activate_backward(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor,
    g: Tensor,
    add: Tensor | None,
    norm: nn.Module,
    more: Tensor | None = None,
    silu: bool = True,
) -> tuple[Tensor, Tensor | None]:
    """The gradient of <g, SiLU(a [x, skip] + b)> in x and in skip, through the norm of a and b.

    Args:
        x: pictures [B, C1, H, W].
        skip: more channels of them [B, C2, H, W].
        ab: their normalization, as `norms` made it of them.
        g: the gradient in the activation [B, C1 + C2, H, W].
        add: what is added to the result, of g's shape.
        norm: the nn.GroupNorm.
        more: [B, C1 + C2], what counted as added to [x, skip] when they were normalized.
        silu: whether SiLU was applied.

    Returns:
        [B, C1, H, W], and [B, C2, H, W] where there is a skip.
    """
    assert isinstance(norm, nn.GroupNorm)
    x, skip, g, add = map(channels_last, (x, skip, g, add))
    more = None if more is None else more.contiguous()
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    N, C, groups = H * W, c1 + c2, norm.num_groups
    run, K = runs_of(N)

    mean, squares, sums, products = torch.empty(4, B, K, C, device=x.device)
    p, q = torch.empty(2, B, C, device=x.device)
    dx, dskip = torch.empty_like(x), None if skip is None else torch.empty_like(skip)
    pictures, parts = (x, x if skip is None else skip), blocks(c1, c2)
    sizes = {"RUNS": power_of_two(K), "WIDTH": power_of_two(C // groups)}

    with torch.cuda.device_of(x):
        kernels().moments[K, B, parts](*pictures, mean, squares, N, c1, c2, run, ROWS, COLS)
        backward_kernels().pull_sums[K, B, parts](
            *pictures, *ab, g, mean, sums, products, N, c1, c2, run, silu, ROWS, COLS
        )
        backward_kernels().pull_affine[groups, B](
            *(mean, squares, sums, products, p if more is None else more, ab[0], p, q),
            *(N, C, run, K, norm.eps, more is not None),
            **sizes,
        )
        backward_kernels().pull[-(-N // ROWS), B, parts](
            *(*pictures, *ab, p, q, g, g if add is None else add),
            *(dx, dx if dskip is None else dskip, N, c1, c2),
            *(silu, add is not None, ROWS, COLS),
        )
    return dx, dskip
