"""The UNet's convolutions on a CPU in float32, where they can be built: Winograd's, fused with what lies about them (cpu_kernels.c).

cpu_kernels.c is compiled once, in about two seconds, by the machine's C compiler, and kept in the cache folder; where there is none, or its
results are not torch's, `ready` says no and the network runs on torch's own. GDP_KERNELS=0 turns them off. gdp/network/gradients.py puts gradients
together: of `pull`, of the convolutions with their weights turned round, and of `weights3x3`, for networks that are trained.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.storage.places import cache_folder

log = logging.getLogger(__name__)
SOURCE = Path(__file__).with_name("cpu.c")
COMPILE = "-O3 -std=gnu11 -ffp-contract=fast -fno-math-errno -fPIC -w -c".split()
SIXTHS = [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6]
G = torch.tensor(
    [[1 / 4, 0, 0], *SIXTHS, [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]],
    dtype=torch.float64,
)
TILES = 512  # whose transforms are kept at a time, about
LARGEST = (
    2**18
)  # weights (inputs x outputs) of a convolution that pays: transformed they take four times their memory
UP, UP_RESIDUAL = 1, 2


def ready(x: Tensor, convs: Sequence[nn.Module]) -> bool:
    """Whether `convs` can run here on [x, skip]: float32 on a CPU, no gradients wanted, widths that the kernels know."""
    return not differentiated(x, convs) and known(x, convs)


def known(x: Tensor, convs: Sequence[nn.Module], back: bool = False) -> bool:
    """Whether the kernels are there and know x and the widths of `convs`, on the way `back` too."""
    if x.device.type != "cpu" or x.dtype != torch.float32:
        return False
    lib = library()
    return lib is not None and all(fits(conv, lib.lanes(), back) for conv in convs)


def differentiated(x: Tensor, layers: Sequence[nn.Module]) -> bool:
    """Whether gradients are wanted of what `layers` make of x."""
    return torch.is_grad_enabled() and (
        x.requires_grad or any(p.requires_grad for layer in layers for p in layer.parameters())
    )


def fits(conv: nn.Module, lanes: int, back: bool = False) -> bool:
    """Whether it is a plain convolution of float32, 3 x 3 or 1 x 1, of widths that fill vectors (on the way `back` too)."""
    if not isinstance(conv, nn.Conv2d) or conv.weight.dtype != torch.float32:
        return False
    c, o = conv.in_channels, conv.out_channels
    return (
        c % (lanes * (1 + back)) == 0
        and o % (2 * lanes) == 0
        and c * o <= LARGEST
        and conv.stride == (1, 1)
        and conv.kernel_size in ((3, 3), (1, 1))
    )


def conv3x3(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor | None,
    conv: nn.Module,
    residual: Tensor | None = None,
    up: int = 0,
    back: bool = False,
) -> Tensor:
    """residual + conv(SiLU(a [x, skip] + b)), or of [x, skip] itself without `ab`; `up`: x, or the residual, is of half the size.

    `back`: its adjoint in the convolution's place, without the bias.
    """
    x, skip, residual = map(channels_last, (x, skip, residual))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    if up & UP:
        H, W = 2 * H, 2 * W
    U, bias = packed(conv, back)
    y = torch.empty(B, len(bias), H, W, memory_format=torch.channels_last)
    threads = torch.get_num_threads()
    lib, sizes = library(), (c1, c2, len(bias))
    scratch = torch.empty(threads * lib.conv3x3_scratch(H, W, *sizes), dtype=torch.uint8)
    a, b = (None, None) if ab is None else ab
    lib.conv3x3(
        *map(pointer, (x, skip, a, b, U, bias, residual, y, scratch)), B, H, W, *sizes, up, threads
    )
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


def conv1x1(x: Tensor, skip: Tensor | None, conv: nn.Module, back: bool = False) -> Tensor:
    """conv([x, skip]); `back`: its adjoint, without the bias."""
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    U, bias = packed(conv, back)
    y = torch.empty(B, len(bias), H, W, memory_format=torch.channels_last)
    library().conv1x1(
        *map(pointer, (x, skip, U, bias, y)), B * H * W, c1, c2, len(bias), torch.get_num_threads()
    )
    return y


def norms(x: Tensor, skip: Tensor | None, norm: nn.Module, film: Tensor | None = None) -> Tensor:
    """(a, b) [2, B, C]: a [x, skip] + b is its GroupNorm, then (1 + scale) of that + shift, where `film` [B, 2 C] holds the two."""
    x, skip = map(channels_last, (x, skip))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    assert isinstance(norm, nn.GroupNorm)
    ab = torch.empty(2, B, c1 + c2)
    film = None if film is None else film.contiguous()
    where = map(pointer, (x, skip, norm.weight, norm.bias, film, ab[0], ab[1]))
    if library().norms(
        *where, B, H * W, c1, c2, norm.num_groups, norm.eps, torch.get_num_threads()
    ):
        raise MemoryError("not enough memory for the sums of GroupNorm")
    return ab


def activate(x: Tensor, ab: Tensor) -> Tensor:
    """SiLU(a x + b)."""
    x = channels_last(x)
    B, C, H, W = x.shape
    y = torch.empty_like(x)
    library().activate(*map(pointer, (x, *ab, y)), B, H * W, C, torch.get_num_threads())
    return y


def pull(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor,
    g: Tensor,
    more: Tensor | None,
    norm: nn.Module,
    totals: Tensor | None = None,
) -> Tensor:
    """The gradient of <g, SiLU(a [x, skip] + b)> in [x, skip], as one, + more; `ab` as `norms` made them of it. It may take g's place.

    `totals` [2, B, C] is given the gradient in what follows the normalization, and that times the normalized [x, skip], summed over pixels.
    """
    x, skip, g, more = map(channels_last, (x, skip, g, more))
    (B, c1, H, W), c2 = x.shape, 0 if skip is None else skip.shape[1]
    assert isinstance(norm, nn.GroupNorm)
    where = map(pointer, (x, skip, *ab, g, more, totals))
    if library().pull(*where, B, H * W, c1, c2, norm.num_groups, norm.eps, torch.get_num_threads()):
        raise MemoryError("not enough memory for the sums of GroupNorm's gradient")
    return g


def weights3x3(g: Tensor, x: Tensor, skip: Tensor | None, ab: Tensor | None, up: int = 0) -> Tensor:
    """The gradient of <g, conv3x3(x, skip, ab, .., up)> in the convolution's weights, [O, C, 3, 3]; some pictures at a time."""
    g, x, skip = map(channels_last, (g, x, skip))
    (B, o, H, W), c1, c2 = g.shape, x.shape[1], 0 if skip is None else skip.shape[1]
    c, across, threads = c1 + c2, -(-W // 4), torch.get_num_threads()
    tiles = -(-H // 4) * across
    most = max(1, min(B, TILES // tiles)) * tiles
    V, M, room = (
        torch.empty(36 * most * c),
        torch.empty(36 * most * o),
        torch.empty(threads * 6 * (4 * across + 2) * c),
    )
    U = torch.zeros(36, c, o)
    a, b = (None, None) if ab is None else ab
    for first in range(0, B, most // tiles):
        n = min(most, (B - first) * tiles)
        library().spread(
            *map(pointer, (x, skip, a, b, g, V, M, room)),
            first,
            first + n // tiles,
            H,
            W,
            c1,
            c2,
            o,
            up,
            threads,
        )
        U.baddbmm_(V[: 36 * n * c].view(36, n, c).mT, M[: 36 * n * o].view(36, n, o))
    taps = torch.kron(G, G).float().T @ U.view(36, -1)
    return taps.view(3, 3, c, o).permute(3, 2, 0, 1).contiguous()


def channels_last(x: Tensor | None) -> Any:
    """x as the kernels read it; None stays."""
    return None if x is None else x.contiguous(memory_format=torch.channels_last)


def pointer(x: Tensor | None) -> int | None:
    """Where its numbers lie."""
    return None if x is None else x.data_ptr()


def packed(conv: nn.Module, back: bool = False) -> tuple[Tensor, Tensor]:
    """(weights in the kernels' order, bias), of the convolution or its adjoint; made once, unless they are being trained.

    The order: G g G^T as [36, O / columns, C, columns], of a 1 x 1 with 1 for 36.
    """
    assert isinstance(conv, nn.Conv2d)
    weight, bias = conv.weight.detach(), None if back else conv.bias
    bias = weight.new_zeros(weight.shape[1 if back else 0]) if bias is None else bias.detach()
    if conv.weight.requires_grad:  # torch's fused optimizers change weights and not their version
        return arranged(weight, back), bias
    key = weight.data_ptr(), 0 if weight.is_inference() else weight._version
    kept = conv.__dict__.setdefault("_packed", {})
    if back not in kept or kept[back][0] != key:
        kept[back] = key, arranged(weight, back)
    return kept[back][1], bias


def arranged(weight: Tensor, back: bool) -> Tensor:
    """Weights in the kernels' order."""
    turned = weight.flip(2, 3).transpose(0, 1) if back else weight
    return panels(turned, 2 * library().lanes())


def panels(weight: Tensor, columns: int) -> Tensor:
    """[O, C, 3, 3] as G g G^T, [36, O / columns, C, columns]; [O, C, 1, 1] as it is, in that order."""
    taps = (
        weight.float()
        .permute(2, 3, 1, 0)
        .flatten(0, 1)
        .unflatten(2, (-1, columns))
        .transpose(1, 2)
        .contiguous()
    )
    return (
        taps
        if len(taps) == 1
        else (torch.kron(G, G).float() @ taps.view(9, -1)).view(36, *taps.shape[1:])
    )


@functools.cache
def library() -> Any:
    """The compiled kernels, or None."""
    if os.environ.get("GDP_KERNELS") == "0" or not sys.platform.startswith("linux"):
        return None
    try:
        lib = ctypes.CDLL(str(built()))
        declare(lib)
    except (OSError, subprocess.SubprocessError, AttributeError) as error:
        log.debug("no kernels of our own, torch's instead: %s", error)
        return None
    if not right(lib):
        log.debug("the kernels' results are not torch's; torch's are taken")
        return None
    return lib


def declare(lib: Any) -> None:
    """The types of its functions."""
    p, n, i = ctypes.c_void_p, ctypes.c_long, ctypes.c_int
    lib.conv3x3_scratch.restype = n
    lib.conv3x3_scratch.argtypes = [n] * 5
    lib.conv3x3.argtypes = [p] * 9 + [n] * 6 + [i] * 2
    lib.conv1x1.argtypes = [p] * 5 + [n] * 4 + [i]
    lib.norms.argtypes = [p] * 7 + [n] * 5 + [ctypes.c_double, i]
    lib.activate.argtypes = [p] * 4 + [n] * 3 + [i]
    lib.spread.argtypes = [p] * 8 + [n] * 7 + [i] * 2
    lib.pull.argtypes = [p] * 7 + [n] * 5 + [ctypes.c_double, i]
    lib.conv3x3.restype = lib.spread.restype = lib.conv1x1.restype = lib.activate.restype = None


def built() -> Path:
    """The file of the compiled kernels, of this source, compiler and processor; built where it is missing."""
    compiler = (
        shutil.which(os.environ.get("CC", ""))
        or shutil.which("cc")
        or shutil.which("gcc")
        or shutil.which("clang")
    )
    if compiler is None:
        raise OSError("there is no C compiler")
    native = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"
    known = (
        SOURCE.read_bytes(),
        compiler,
        os.stat(compiler).st_mtime_ns,
        COMPILE,
        native,
        processor(),
        torch.__version__,
    )
    file = cache_folder() / f"kernels-{hashlib.sha256(repr(known).encode()).hexdigest()[:16]}.so"
    if file.is_file():
        return file
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".kernels-") as work:
        made = Path(work) / "kernels.o", Path(work) / "kernels.so"
        # Linked without OpenMP's library: its functions are found in torch's own, so that there is one pool of threads and not two.
        for command in (
            [*COMPILE, native, "-fopenmp", str(SOURCE), "-o", str(made[0])],
            ["-shared", str(made[0]), "-o", str(made[1])],
        ):
            subprocess.run([compiler, *command], check=True, capture_output=True, timeout=60)
        os.replace(made[1], file)
    return file


def processor() -> str:
    """What the processor can do, as far as the system says."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def right(lib: Any) -> bool:
    """Whether a convolution of odd size comes out as torch's does, to the accuracy of float32."""
    with torch.random.fork_rng([]), torch.no_grad():
        torch.manual_seed(0)
        c = 2 * lib.lanes()
        conv = nn.Conv2d(c, c, 3, padding=1)
        x = torch.randn(1, c, 9, 7).contiguous(memory_format=torch.channels_last)
        y = torch.empty_like(x)
        U = panels(conv.weight, c)
        scratch = torch.empty(lib.conv3x3_scratch(9, 7, c, 0, c), dtype=torch.uint8)
        lib.conv3x3(
            *map(pointer, (x, None, None, None, U, conv.bias, None, y, scratch)),
            1,
            9,
            7,
            c,
            0,
            c,
            0,
            1,
        )
        return torch.allclose(y, F.conv2d(x, conv.weight, conv.bias, padding=1), atol=1e-3)
