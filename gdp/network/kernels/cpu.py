"""The UNet's convolutions on a CPU in float32, where they can be built: Winograd's, fused with what
lies about them (cpu.c).

`ready` says where they can run. They know no gradients; kernels/cpu_backward.py and the adjoints of
the convolutions here are what gdp/network/gradients.py puts gradients together from. What each
function computes is said in kernels/interface.py.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gdp.network.kernels import cpu_backward
from gdp.network.kernels.cpu_library import library as library
from gdp.network.kernels.cpu_library import pointer
from gdp.network.kernels.interface import UP as UP
from gdp.network.kernels.interface import UP_RESIDUAL as UP_RESIDUAL
from gdp.network.kernels.interface import channels_last, differentiated
from gdp.network.kernels.winograd import pack

# Inputs times outputs of a convolution that pays: its weights, transformed, take four times their
# memory.
LARGEST = 2**18


def ready(x: Tensor, layers: Sequence[nn.Module]) -> bool:
    """Whether convolutions can run here on [x, skip]: float32 on a CPU, no gradients wanted."""
    return not differentiated(x, layers) and supports(x, layers)


def supports(x: Tensor, convs: Sequence[nn.Module], adjoint: bool = False) -> bool:
    """Whether the kernels are there and know the type of x and the widths of `convs`.

    Args:
        x: pictures [B, C, H, W].
        convs: the convolutions to run.
        adjoint: whether their adjoints are to run too.
    """
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return False
    lib = library()
    return lib is not None and all(fits(conv, lib.lanes(), adjoint) for conv in convs)


def fits(conv: nn.Module, lanes: int, adjoint: bool = False) -> bool:
    """Whether it is a plain convolution in float32, 3 x 3 or 1 x 1, of widths that fill vectors."""
    if not isinstance(conv, nn.Conv2d) or conv.weight.dtype != torch.float32:
        return False

    c, o = conv.in_channels, conv.out_channels
    fills_vectors = c % (lanes * (1 + adjoint)) == 0 and o % (2 * lanes) == 0
    plain = conv.stride == (1, 1) and conv.kernel_size in ((3, 3), (1, 1))
    return fills_vectors and plain and c * o <= LARGEST


def conv3x3(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor | None,
    conv: nn.Module,
    residual: Tensor | None = None,
    up: int = 0,
    adjoint: bool = False,
) -> Tensor:
    """residual + conv(SiLU(a [x, skip] + b)); `adjoint`: its adjoint, without the bias."""
    x, skip, residual = map(channels_last, (x, skip, residual))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    if up & UP:
        H, W = 2 * H, 2 * W

    lib, threads = library(), torch.get_num_threads()
    U, bias = pack(conv, 2 * lib.lanes(), adjoint)
    widths = c1, c2, len(bias)
    y = torch.empty(B, len(bias), H, W, memory_format=torch.channels_last)
    scratch = torch.empty(threads * lib.conv3x3_scratch(H, W, *widths), dtype=torch.uint8)

    a, b = (None, None) if ab is None else ab
    arrays = map(pointer, (x, skip, a, b, U, bias, residual, y, scratch))
    lib.conv3x3(*arrays, B, H, W, *widths, up, threads)
    return y


def conv3x3_norms(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor | None,
    conv: nn.Module,
    up: int,
    more: Tensor | None,
    norm: nn.Module,
    film: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """h = conv3x3(...) + more [B, C], and its norms."""
    h = conv3x3(x, skip, ab, conv, up=up)
    if more is not None:
        h.add_(more[..., None, None])
    return h, norms(h, None, norm, film)


def lacking(h: Tensor, conv: nn.Module, more: Tensor | None) -> None:
    """What the h of `conv3x3_norms` lacks: nothing."""


def activate_backward(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor,
    g: Tensor,
    add: Tensor | None,
    norm: nn.Module,
    more: None = None,
) -> tuple[Tensor, Tensor | None]:
    """The gradients in x and in skip of cpu_backward.activate_backward; `more` is none here."""
    dx, c = cpu_backward.activate_backward(x, skip, ab, g, add, norm), x.shape[1]
    return dx[:, :c], None if skip is None else dx[:, c:]


def conv1x1(x: Tensor, skip: Tensor | None, conv: nn.Module, adjoint: bool = False) -> Tensor:
    """conv([x, skip]); `adjoint`: its adjoint, without the bias."""
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]

    lib = library()
    U, bias = pack(conv, 2 * lib.lanes(), adjoint)
    y = torch.empty(B, len(bias), H, W, memory_format=torch.channels_last)

    arrays = map(pointer, (x, skip, U, bias, y))
    lib.conv1x1(*arrays, B * H * W, c1, c2, len(bias), torch.get_num_threads())
    return y


def norms(x: Tensor, skip: Tensor | None, norm: nn.Module, film: Tensor | None = None) -> Tensor:
    """(a, b) [2, B, C]: a [x, skip] + b is its GroupNorm, modulated by `film`, if any."""
    assert isinstance(norm, nn.GroupNorm)
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    film = None if film is None else film.contiguous()
    ab = torch.empty(2, B, c1 + c2)

    arrays = map(pointer, (x, skip, norm.weight, norm.bias, film, ab[0], ab[1]))
    sizes = B, H * W, c1, c2, norm.num_groups
    if library().norms(*arrays, *sizes, norm.eps, torch.get_num_threads()):
        raise MemoryError("not enough memory for the sums of GroupNorm")
    return ab


def activate(x: Tensor, ab: Tensor) -> Tensor:
    """SiLU(a x + b)."""
    x = channels_last(x)
    B, C, H, W = x.shape
    y = torch.empty_like(x)
    arrays = map(pointer, (x, *ab, y))
    library().activate(*arrays, B, H * W, C, torch.get_num_threads())
    return y
