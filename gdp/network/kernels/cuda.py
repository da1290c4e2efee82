"""The UNet's normalizations on a GPU, channels last, by Triton kernels of our own (triton_kernels.py); convolutions are cuDNN's.

torch's GroupNorm on CUDA copies a picture that lies channels last to channels first and back, and adds biases and residuals in passes of
their own. Triton comes with torch's CUDA builds; where it is missing, does not compile, or its results are not torch's, `ready` says no and
the network runs on torch's own. GDP_KERNELS=0 turns them off. They know no gradients. The functions are those of cpu_kernels.py.
"""

import functools
import logging
import os
import warnings
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.kernels.cpu import UP, UP_RESIDUAL, channels_last, differentiated

log = logging.getLogger(__name__)
TYPES = torch.float16, torch.bfloat16, torch.float32
ROWS, COLS = 64, 64  # pixels x channels that a program works on at once
RUNS = 128  # of pixels, at most, that a picture is cut in for its sums


def ready(x: Tensor, layers: Sequence[nn.Module]) -> bool:
    """Whether `layers` can run here on [x, skip]: a GPU, one type for all, no gradients wanted, kernels that are right."""
    if not (x.is_cuda or interpreted()) or x.dtype not in TYPES or x.ndim != 4 or not x.numel():
        return False
    if torch.is_autocast_enabled(x.device.type) or any(
        p.dtype != x.dtype for layer in layers for p in layer.parameters()
    ):
        return False
    return not differentiated(x, layers) and right(x.device, x.dtype)


def conv3x3(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor | None,
    conv: nn.Module,
    residual: Tensor | None = None,
    up: int = 0,
) -> Tensor:
    """residual + conv(SiLU(a [x, skip] + b)), or of [x, skip] itself without `ab`; `up`: x, or the residual, is of half the size."""
    return finish(convolved(x, skip, ab, conv, up), bias_of(conv), residual, bool(up & UP_RESIDUAL))


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
    """h and (a, b) such that a h + b is the norm of conv3x3(...) + more [B, C]; h is without `more` and the bias, which are in b."""
    h = convolved(x, skip, ab, conv, up)
    bias = bias_of(conv).expand(len(h), -1)
    return h, norms(h, None, norm, film, bias if more is None else bias + more)


def convolved(
    x: Tensor, skip: Tensor | None, ab: Tensor | None, conv: nn.Module, up: int
) -> Tensor:
    """conv3x3 without bias and residual."""
    assert isinstance(conv, nn.Conv2d)
    if ab is not None:
        x = activate(x, ab, skip)
    elif skip is not None:
        x = torch.cat([x, skip], 1)
    if up & UP:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
    return F.conv2d(x, conv.weight, None, conv.stride, conv.padding, conv.dilation, conv.groups)


def bias_of(conv: nn.Module) -> Tensor:
    """[O]; 0 where it has none."""
    assert isinstance(conv, nn.Conv2d)
    return conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias


def conv1x1(x: Tensor, skip: Tensor | None, conv: nn.Module) -> Tensor:
    """conv([x, skip])."""
    assert isinstance(conv, nn.Conv2d)
    weight, c = conv.weight.flatten(1), x.shape[1]
    y = F.linear(x.permute(0, 2, 3, 1), weight[:, :c], conv.bias)
    if skip is not None:
        rows = channels_last(skip).permute(0, 2, 3, 1).flatten(0, 2)
        y.view(-1, len(weight)).addmm_(rows, weight[:, c:].t())
    return y.permute(0, 3, 1, 2)


def norms(
    x: Tensor,
    skip: Tensor | None,
    norm: nn.Module,
    film: Tensor | None = None,
    more: Tensor | None = None,
) -> Tensor:
    """(a, b) [2, B, C] in float32: a [x, skip] + b is its GroupNorm, then (1 + scale) of that + shift; `film` [B, 2 C] holds the two.

    `more` [B, C] counts as added to [x, skip] beforehand.
    """
    assert isinstance(norm, nn.GroupNorm)
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    N, C, triton = H * W, c1 + c2, kernels()
    run = -(-N // (RUNS * ROWS)) * ROWS
    K = -(-N // run)
    mean, squares = torch.empty(2, B, K, C, device=x.device)
    ab = torch.empty(2, B, C, device=x.device)
    film, more = (None if value is None else value.contiguous() for value in (film, more))
    has = {"HAS_FILM": film is not None, "HAS_MORE": more is not None}
    sizes = {"RUNS": power_of_two(K), "WIDTH": power_of_two(C // norm.num_groups)}
    affine = norm.weight, norm.bias, ab if film is None else film, ab if more is None else more, *ab
    with torch.cuda.device_of(x):
        triton.moments[K, B, blocks(c1, c2)](
            x, x if skip is None else skip, mean, squares, N, c1, c2, run, ROWS, COLS
        )
        triton.affine[norm.num_groups, B](
            mean, squares, *affine, N, C, run, K, norm.eps, **has, **sizes
        )
    return ab


def activate(x: Tensor, ab: Tensor, skip: Tensor | None = None, silu: bool = True) -> Tensor:
    """SiLU(a [x, skip] + b), or without SiLU."""
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    y = torch.empty(
        B, c1 + c2, H, W, dtype=x.dtype, device=x.device, memory_format=torch.channels_last
    )
    grid = -(-H * W // ROWS), B, blocks(c1, c2)
    with torch.cuda.device_of(x):
        kernels().activate[grid](
            x, x if skip is None else skip, *ab, y, H * W, c1, c2, silu, ROWS, COLS
        )
    return y


def finish(y: Tensor, bias: Tensor, residual: Tensor | None, up: bool = False) -> Tensor:
    """y + bias + residual, in place where y lies channels last; `up`: the residual is of half the size."""
    y, residual = map(channels_last, (y, residual))
    B, C, H, W = y.shape
    grid = -(-H * W // ROWS), B, blocks(C)
    with torch.cuda.device_of(y):
        kernels().finish[grid](
            y,
            bias,
            y if residual is None else residual,
            H,
            W,
            C,
            int(up),
            residual is not None,
            ROWS,
            COLS,
        )
    return y


def blocks(*channels: int) -> int:
    """How many blocks of channels the parts of a picture have."""
    return sum(-(-c // COLS) for c in channels)


def power_of_two(n: int) -> int:
    """The least one that is n or more."""
    return 1 << (n - 1).bit_length()


def interpreted() -> bool:
    """Whether Triton's kernels run on the CPU, for tests."""
    return os.environ.get("TRITON_INTERPRET") == "1"


@functools.cache
def kernels() -> Any:
    """gdp/network/kernels/triton.py; ImportError without Triton."""
    from gdp.network.kernels import triton as triton_kernels

    return triton_kernels


@functools.cache
def right(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernels compile for the device, and a block of odd size comes out as torch's does, to the accuracy of the type."""
    if os.environ.get("GDP_KERNELS") == "0":
        return False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Triton's, of its own defaults
            made, want = trial(device, dtype)
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a compiler, a driver or a missing package may say
        log.debug("no kernels of our own on %s, torch's instead: %s", device, error)
        return False
    tolerance = max(1e-4, 2 * torch.finfo(dtype).eps)
    if not (made.float() - want).abs().max() <= tolerance * want.abs().max():
        log.debug(
            "the kernels' results on %s in %s are not torch's; torch's are taken", device, dtype
        )
        return False
    return True


@torch.no_grad()
def trial(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """What the kernels make of random pictures in two parts, and what torch makes of them in float32: activation, bias and residual."""
    random = torch.Generator().manual_seed(0)
    x, skip, residual, film, more, weight, bias = (
        torch.randn(shape, generator=random).to(device, dtype)
        for shape in (
            (2, 96, 18, 14),
            (2, 32, 18, 14),
            (2, 128, 9, 7),
            (2, 256),
            (2, 128),
            (128,),
            (128,),
        )
    )
    norm = nn.GroupNorm(8, 128, device=device, dtype=dtype)
    norm.weight.copy_(weight)
    norm.bias.copy_(bias)
    made = finish(activate(x, norms(x, skip, norm, film, more), skip), bias, residual, True)
    scale, shift = film.float()[..., None, None].chunk(2, 1)
    h = torch.cat([x, skip], 1).float() + more.float()[..., None, None]
    h = F.group_norm(h, 8, weight.float(), bias.float(), norm.eps)
    want = F.silu(torch.addcmul(shift, h, 1 + scale)) + bias.float()[:, None, None]
    return made, want + F.interpolate(residual.float(), scale_factor=2)
