"""The operators of the fixtures, and what only the published code does to them.

ShippedBlur, TiledBlur    blur with zero borders that leaves out its last tap;
                          the second misplaces singular values too
Spectrum                  shows a sampler's weights of the singular values bare
OPERATORS, pack, unpack   the operators by their names there, and how fixtures flatten y
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.released.models import Map
from benchmarks.released.rows import Fixture
from operators.base import SpectralOperator
from operators.coded.sensing import BlockSensing, WalshHadamard, hadamard
from operators.identity import Identity
from operators.missing.gray import Gray
from operators.missing.mask import Mask
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic
from operators.size.separable import Factors, Separable

# Below it a 1-D singular value of a blur counts as zero
BLUR_THRESHOLD = 0.03


class Taps(Separable):
    """A[i, j] = k[j - i + K // 2] for i - K // 2 <= j < i + K // 2, zero outside the image."""

    def __init__(self, kernel: Tensor, threshold: float):
        super().__init__()
        self.kernel, self.threshold = kernel, threshold

    def matrix(self, n: int) -> Tensor:
        half = len(self.kernel) // 2
        offset = torch.arange(n) - torch.arange(n)[:, None]
        tap = self.kernel.double()[(offset + half).clamp(0, 2 * half - 1)]
        return torch.where((offset >= -half) & (offset < half), tap, 0)


class ShippedBlur(Separable):
    """A blur by one 1-D kernel down and one across, with zero borders, without the last tap."""

    def __init__(self, down: Tensor, across: Tensor, threshold: float):
        super().__init__()
        self.down, self.across = Taps(down, threshold), Taps(across, threshold)

    def both(self, shape: tuple[int, ...], like: Tensor) -> tuple[Factors, Factors]:
        return self.down.factors(shape[-2], like), self.across.factors(shape[-1], like)


class TiledBlur:
    """The same blur as shipped: it weighs coefficients pixel-major although they are not.

    Args:
        z: the fixture, with U, V and the permutation of the coefficients.
        op: the operator's name in it.
        A: the blur as it is meant.

    Attributes:
        s: singular values [3 N].
    """

    def __init__(self, z: Fixture, op: str, A: ShippedBlur):
        x = z["x"]
        down, across = A.down.factors(x.shape[-2], x), A.across.factors(x.shape[-1], x)
        s = (down.s[:, None] * across.s).flatten().sort(descending=True)[0]
        self.s = F.pad(s, (0, x[0, 0].numel() - len(s))).repeat(x.shape[1])
        self.perm = z[f"{op}.perm"]
        self.U, self.V = ([z.get(f"{op}.{w}{i}", z[f"{op}.{w}1"]) for i in (1, 2)] for w in "UV")

    def __call__(self, x: Tensor) -> Tensor:
        return self.weigh(x, self.s, self.V, self.U)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.weigh(y, self.s, self.U, self.V)

    def pinv(self, y: Tensor, eta: float = 0.0) -> Tensor:
        """Compute V s / (s^2 + eta) U^T y."""
        return self.weigh(y, torch.where(self.s > 0, self.s / (self.s**2 + eta), 0), self.U, self.V)

    def weigh(
        self, x: Tensor, weights: Tensor, source: list[Tensor], target: list[Tensor]
    ) -> Tensor:
        """Go from one basis to another; coefficients are sorted and weighed on the way."""
        by_pixel = (source[0].T @ x @ source[1]).flatten(2)[..., self.perm].mT

        # Weights fall on the wrong coefficients, as shipped
        weighed = (weights * by_pixel.flatten(1)).view_as(by_pixel).mT
        back = torch.empty_like(weighed)
        back[..., self.perm] = weighed

        return target[0] @ back.view_as(x) @ target[1].T


class Spectrum(SpectralOperator):
    """The singular values and V of A, with an A and A^+ that change nothing.

    It shows a sampler's weights of the singular values bare.
    """

    def __init__(self, A: SpectralOperator, sigma_y: float):
        super().__init__()
        self.A, self.sigma_y = A, sigma_y

    def forward(self, x: Tensor) -> Tensor:
        return x

    def pinv(self, y: Tensor) -> Tensor:
        return y

    def spectral(self, x: Tensor, f: Map) -> Tensor:
        return self.A.spectral(x, f)


class RecordedWalshHadamard(WalshHadamard):
    """Walsh-Hadamard sensing of the coefficients that a fixture chose."""

    def __init__(self, perm: Tensor, count: int):
        super().__init__()
        self.perm = perm[:count].long()

    def sample(self, n: int) -> Tensor:
        return self.perm


def gray(z: Fixture) -> Gray:
    """Make an operator of weights along the first singular vector, which add up to one."""
    w = z["color.V_small"][:, 0].double()
    return Gray((w / w.sum()).tolist())


def blur(z: Fixture, op: str, threshold: float = BLUR_THRESHOLD) -> ShippedBlur:
    """Make the blur with an operator's one kernel, or its two."""
    names = (f"{op}.kernel{i}" for i in (1, 2))
    down, across = (z[name if name in z else f"{op}.kernel"] for name in names)
    return ShippedBlur(down, across, threshold)


# By their names in fixtures
OPERATORS: dict[str, Callable[[Fixture], SpectralOperator]] = {
    "sr4": lambda z: AvgPool(4),
    "bicubic4": lambda z: Bicubic(4),
    "color": gray,
    "inpaint": lambda z: Mask(z["inpaint.mask"][None, None]),
    "denoise": lambda z: Identity(),
    "wht": lambda z: RecordedWalshHadamard(z["wht.perm"], z["wht.y"].shape[1] // z["x"].shape[1]),
    "cs": lambda z: BlockSensing(basis=z["cs.V_first"], size=math.isqrt(len(z["cs.V_first"]))),
    "deblur_uni": lambda z: blur(z, "deblur_uni"),
    "deblur_gauss": lambda z: blur(z, "deblur_gauss"),
    "deblur_aniso": lambda z: blur(z, "deblur_aniso"),
}


def basis(z: Fixture, op: str) -> Map:
    """Return z -> V z for the reference's V of an operator; the identity if V cancels out."""
    if f"{op}.V1" in z:
        V = z[f"{op}.V1"]
        return lambda x: V @ x @ V.T

    # Hadamard's matrix, or a small V on channels or on blocks
    if f"{op}.perm" in z and op == "wht":
        return lambda x: hadamard(x.flatten(-2)).view_as(x)
    if f"{op}.V_small" not in z:
        return torch.clone
    V = z[f"{op}.V_small"]
    if op == "color":
        return lambda x: torch.einsum("kc,bchw->bkhw", V, x)

    r = math.isqrt(len(V))

    def blocks(x: Tensor) -> Tensor:
        parts = F.pixel_unshuffle(x, r).unflatten(1, (-1, r * r))
        return F.pixel_shuffle(torch.einsum("kl,bclhw->bckhw", V, parts).flatten(1, 2), r)

    return blocks


def pack(A: SpectralOperator, y: Tensor) -> Tensor:
    """Flatten y as the reference does: the pixels or coefficients that A measures only."""
    if isinstance(A, RecordedWalshHadamard):
        return y.flatten(-2)[..., A.perm].movedim(1, -1).flatten(1)
    if isinstance(A, BlockSensing):
        blocks = F.pixel_unshuffle(y, A.size).unflatten(1, (y.shape[1], -1))
        return blocks[:, :, : A.basis.shape[1]].flatten(-2).mT.flatten(1)
    if isinstance(A, Mask):
        return y.movedim(1, -1)[:, A.mask[0, 0] == 1].flatten(1)
    return y.flatten(1)


def unpack(A: SpectralOperator, flat: Tensor, like: Tensor) -> Tensor:
    """Return the y of `like`'s shape that packs to `flat`."""
    if isinstance(A, RecordedWalshHadamard):
        flat = flat.view(len(like), -1, like.shape[1]).movedim(-1, 1)
        return torch.zeros_like(like).flatten(-2).index_copy(-1, A.perm, flat).view_as(like)

    if isinstance(A, BlockSensing):
        B, C, H, W = like.shape
        blocks = flat.view(B, C, H // A.size, W // A.size, -1).movedim(-1, 2)
        unseen = A.size**2 - blocks.shape[2]
        return F.pixel_shuffle(F.pad(blocks, (0, 0, 0, 0, 0, unseen)).flatten(1, 2), A.size)

    if not isinstance(A, Mask):
        return flat.view_as(like)

    y = torch.zeros_like(like).movedim(1, -1).contiguous()
    y[:, A.mask[0, 0] == 1] = flat.view(len(y), -1, y.shape[-1])
    return y.movedim(-1, 1)
