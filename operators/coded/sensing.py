"""Compressed sensing: y holds some coefficients of an orthonormal transform of x, in place.

    y = m T x,   m = 1 where a coefficient is seen, and 0 elsewhere

    WalshHadamard     T the Walsh-Hadamard transform: the single-pixel camera
    BlockSensing      T a random basis in every block
    FourierSampling   T the Fourier transform: magnetic resonance imaging

Keeping y in the layout of all coefficients makes the operators size-free: y tells x's size.
"""

import hashlib
import itertools
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator, check_fraction


class Sensing(ProjectionOperator):
    """y = m T x; a subclass draws m in `drawn`. The last m is kept for the next x of its size."""

    s, spreads = 1.0, True

    def __init__(self) -> None:
        super().__init__()
        self._latest: tuple[tuple[Any, ...], Tensor] | None = None

    def drawn(self, H: int, W: int) -> Tensor:
        """m, which broadcasts against T x: 1 where a coefficient is seen."""
        raise TypeError(f"{type(self).__name__} defines no drawn(H, W); sensing is that")

    def seen(self, x: Tensor) -> Tensor:
        """m for pictures of x's size, type and device."""
        key = (tuple(x.shape[-2:]), x.dtype, x.device)
        if self._latest is None or self._latest[0] != key:
            self._latest = key, self.drawn(*x.shape[-2:]).to(x)
        return self._latest[1]


class WalshHadamard(Sensing):
    """y = m H x: some Walsh-Hadamard coefficients of each channel, [B, C, H, W] -> the same.

    The transform is natural-order and orthonormal, on the row-major vector of pixels. A vector of
    another length than a power of two is cut into the powers that add up to it, each transformed
    alone: unlike zero padding, that keeps the transform orthonormal. Sums, coefficient 0 of each
    power, come before all others: without them a picture's brightness would be left to chance.

    Args:
        ratio: the share of coefficients that is seen.
        seed: what they are drawn by.
    """

    def __init__(self, ratio: float = 0.25, seed: int = 0):
        super().__init__()
        self.ratio, self.seed = check_fraction("ratio", ratio), seed

    def sample(self, n: int) -> Tensor:
        """Indices of the coefficients that are seen, of n, in the order drawn."""
        drawn = torch.randperm(n, generator=torch.Generator().manual_seed(self.seed))
        sums = torch.tensor([0, *itertools.accumulate(powers(n))][:-1])
        order = torch.cat([sums, drawn[~torch.isin(drawn, sums)]])
        return order[: max(1, round(self.ratio * n))]

    def drawn(self, H: int, W: int) -> Tensor:
        """m [H, W]: 1 where a coefficient is seen."""
        return torch.zeros(H * W).index_fill_(0, self.sample(H * W), 1.0).view(H, W)

    def forward(self, x: Tensor) -> Tensor:
        return self.seen(x) * hadamard(x.flatten(-2)).view_as(x)

    def adjoint(self, y: Tensor) -> Tensor:
        return hadamard((self.seen(y) * y).flatten(-2)).view_as(y)

    def describe(self, y: Tensor) -> dict[str, Any]:
        """How many coefficients are seen, and the SHA-256 of their indices in the order drawn."""
        order = self.sample(y.shape[-2] * y.shape[-1])
        return {"seed": self.seed, "seen": len(order), "permutation_sha256": digest(order)}


class BlockSensing(ProjectionOperator):
    """y = m V^T x in every size x size block: [B, C, H, W] -> the same.

    V is a random orthonormal basis of a block's row-major vector of pixels; the first of its
    coefficients are seen.

    Args:
        ratio: the share of coefficients that is seen.
        size: pixels of a block's side.
        seed: what the basis is drawn by.
        basis: the columns of V that are seen, [size^2, number], in place of drawing them.
    """

    s, spreads = 1.0, True
    basis: Tensor

    def __init__(
        self, ratio: float = 0.25, size: int = 32, seed: int = 0, basis: Tensor | None = None
    ):
        super().__init__()
        self.ratio, self.size, self.divisor = check_fraction("ratio", ratio), size, size
        if basis is None:
            generator = torch.Generator().manual_seed(seed)
            normal = torch.randn(size**2, size**2, generator=generator, dtype=torch.float64)
            basis = torch.linalg.qr(normal).Q[:, : max(1, round(ratio * size**2))]
        self.register_buffer("basis", basis, persistent=False)
        self.known_by = digest((basis.double() * 1e6).round().long())

    def in_blocks(self, x: Tensor, matrix: Callable[[Tensor], Tensor]) -> Tensor:
        """Apply a matrix to the vector of each block."""
        B, C, H, W = x.shape
        n = self.size
        v = x.view(B, C, H // n, n, W // n, n).transpose(3, 4).reshape(B, C, H // n, W // n, n * n)
        return matrix(v).view(B, C, H // n, W // n, n, n).transpose(3, 4).reshape(B, C, H, W)

    def forward(self, x: Tensor) -> Tensor:
        V = self.basis.to(x)
        return self.in_blocks(x, lambda v: F.pad(v @ V, (0, V.shape[0] - V.shape[1])))

    def adjoint(self, y: Tensor) -> Tensor:
        V = self.basis.to(y)
        return self.in_blocks(y, lambda v: v[..., : V.shape[1]] @ V.T)

    def describe(self, y: Tensor) -> dict[str, Any]:
        """How many coefficients of a block are seen, and the SHA-256 of V to 6 decimals."""
        return {"seen": self.basis.shape[1], "basis_sha256": self.known_by}


class FourierSampling(Sensing):
    """y = m F x: some columns of the Fourier plane, [B, C, H, W] -> [B, 2 C, H, W].

    y stacks real and imaginary parts. Columns come in pairs of opposite frequencies, as a real
    image has no others, and so the one non-zero singular value is 1.

    Args:
        ratio: the share of columns that is seen.
        centre: the share of columns, of lowest frequency, that is always seen.
        seed: what the others are drawn by.
    """

    def __init__(self, ratio: float = 0.3, centre: float = 0.08, seed: int = 0):
        super().__init__()
        self.ratio = check_fraction("ratio", ratio)
        self.centre = check_fraction("centre", centre)
        self.seed = seed

    def drawn(self, H: int, W: int) -> Tensor:
        """m [W]: 1 where a column of frequencies is seen."""
        pairs = W // 2 + 1
        order = 1 + torch.randperm(pairs - 1, generator=torch.Generator().manual_seed(self.seed))

        # All low frequencies, then others at random.
        low = max(1, round(self.centre * pairs))
        frequencies = torch.cat([torch.arange(low), order[order >= low]])
        frequencies = frequencies[: max(low, round(self.ratio * pairs))]

        mask = torch.zeros(W).index_fill_(0, frequencies, 1.0)
        return mask.index_fill_(0, -frequencies % W, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        z = self.seen(x) * torch.fft.fft2(x, norm="ortho")
        return torch.cat([z.real, z.imag], 1)

    def adjoint(self, y: Tensor) -> Tensor:
        real, imaginary = (self.seen(y) * y).chunk(2, 1)
        return torch.fft.ifft2(torch.complex(real, imaginary), norm="ortho").real

    def describe(self, y: Tensor) -> dict[str, Any]:
        """The columns of the Fourier plane that are seen."""
        return {"seed": self.seed, "columns": self.seen(y).nonzero().flatten().tolist()}

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        B, C, H, W = y.shape
        return (B, C // 2, H, W)


def digest(numbers: Tensor) -> str:
    """SHA-256 of whole numbers, row by row as little-endian int64."""
    return hashlib.sha256(numbers.cpu().numpy().astype("<i8").tobytes()).hexdigest()


def hadamard(v: Tensor) -> Tensor:
    """Orthonormal natural-order Walsh-Hadamard transform of the last dimension.

    It goes power of two by power of two, and is its own inverse.
    """
    return torch.cat([butterflies(part) for part in v.split(powers(v.shape[-1]), -1)], -1)


def powers(n: int) -> list[int]:
    """The powers of two that add up to n, falling."""
    return [1 << k for k in range(n.bit_length() - 1, -1, -1) if n >> k & 1]


def butterflies(v: Tensor) -> Tensor:
    """The fast transform of a last dimension that is a power of two."""
    size, step = v.shape[-1], 1
    while step < size:
        a, b = v.unflatten(-1, (-1, 2, step)).unbind(-2)
        v = torch.stack([a + b, a - b], -2).flatten(-3)
        step *= 2
    return v / size**0.5
