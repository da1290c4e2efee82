"""What gradients need beside the convolutions' adjoints, on a CPU in float32 (cpu.c)."""

import torch
from torch import Tensor, nn

from gdp.network.kernels.cpu_library import library, pointer
from gdp.network.kernels.interface import channels_last
from gdp.network.kernels.winograd import taps_gradient

# Tiles of 4 x 4 pixels whose transforms are in memory at a time, about.
TILES = 512


def activate_backward(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor,
    g: Tensor,
    more: Tensor | None,
    norm: nn.Module,
    totals: Tensor | None = None,
) -> Tensor:
    """The gradient of <g, SiLU(a [x, skip] + b)> in [x, skip], through the norm that made a and b.

    Args:
        x: pictures [B, C1, H, W].
        skip: more channels of them [B, C2, H, W].
        ab: their normalization, as `norms` made it of them.
        g: the gradient in the activation [B, C1 + C2, H, W]; the result may take its place.
        more: what is added to the result.
        norm: the nn.GroupNorm.
        totals: [2, B, C1 + C2], filled with sums over pixels: of the gradient in a [x, skip] + b,
            and of that times the normalized [x, skip].

    Returns:
        [B, C1 + C2, H, W].
    """
    assert isinstance(norm, nn.GroupNorm)
    x, skip, g, more = map(channels_last, (x, skip, g, more))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]

    arrays = map(pointer, (x, skip, *ab, g, more, totals))
    sizes = B, H * W, c1, c2, norm.num_groups
    if library().pull(*arrays, *sizes, norm.eps, torch.get_num_threads()):
        raise MemoryError("not enough memory for the sums of GroupNorm's gradient")
    return g


def conv3x3_weight_backward(
    g: Tensor, x: Tensor, skip: Tensor | None, ab: Tensor | None, up: int = 0
) -> Tensor:
    """The gradient of <g, conv3x3(x, skip, ab, .., up)> in the convolution's weights.

    Args:
        g: the gradient in its result [B, O, H, W].
        x: what it read [B, C1, H, W], like `skip` [B, C2, H, W], `ab` and `up`.

    Returns:
        [O, C1 + C2, 3, 3].
    """
    g, x, skip = map(channels_last, (g, x, skip))
    (B, o, H, W), c1, c2 = g.shape, x.shape[1], 0 if skip is None else skip.shape[1]
    c, across, threads = c1 + c2, -(-W // 4), torch.get_num_threads()

    # Transforms of as many pictures as TILES allows, one at least.
    tiles = -(-H // 4) * across
    pictures = max(1, min(B, TILES // tiles))
    V, M = torch.empty(36 * pictures * tiles * c), torch.empty(36 * pictures * tiles * o)
    scratch = torch.empty(threads * 6 * (4 * across + 2) * c)
    a, b = (None, None) if ab is None else ab

    U = torch.zeros(36, c, o)
    for first in range(0, B, pictures):
        last = min(first + pictures, B)
        n = (last - first) * tiles
        arrays = map(pointer, (x, skip, a, b, g, V, M, scratch))
        library().spread(*arrays, first, last, H, W, c1, c2, o, up, threads)
        U.baddbmm_(V[: 36 * n * c].view(36, n, c).mT, M[: 36 * n * o].view(36, n, o))
    return taps_gradient(U)
