"""Blurs without a fast transform: the adjoint is exact, A^+ and prox are by conjugate gradients.

y      = crop(k * extend(x))                    borders reflected, replicated or not seen
A^+ y  = (A^T A + damping)^-1 A^T y             regularised least squares
prox   = v + (A^T A + rho)^-1 A^T (y - A v)

Blurs are so ill-conditioned that the exact A^+ is out of reach of an iteration, and useless with
any noise. Where y has noise, samplers use prox, which the noise itself regularises.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import LinearOperator, Operator
from operators.blur.borders import AUTO, BORDERS
from operators.blur.filters import LEAST_DAMPING, inverse_filter, transfer
from operators.blur.kernel_shape import shrink_kernel
from operators.contract import AddNoise
from operators.scale import shrink
from operators.tools.dark import dark_noise
from operators.tools.solve import cg

# The std of noise, [-1, 1] units, for which borders and ways round are compared.
BELIEF = 0.04

# The share of the total variation below which a kernel is turned (of 16 photos of camera shake the
# right way round has 0.90 to 0.98 of the wrong one's), and the least pixels a side to tell by.
TURNED, ENOUGH = 0.985, 16

TURNED_WORDS = "the kernel is turned by half a turn: the photo is sharper so, with fewer edges"


class IteratedBlur(LinearOperator):
    """A blur without closed forms; a subclass writes `solve`.

    Attributes:
        damping: what regularises A^+; rho does it for prox.
        iterations: of conjugate gradients, for prox.
        pinv_effort: iterations for A^+ to those for prox. With 2.2, ||A A^+ y - y|| is below
            0.1 % of ||y|| for a photo.
    """

    damping: float
    iterations: int
    pinv_effort: float = 2.2

    def solve(self, b: Tensor, rho: float, iterations: int) -> Tensor:
        """(A^T A + rho)^-1 b, for b of the shape of x."""
        raise TypeError(
            f"{type(self).__name__} defines no solve(b, rho, iterations); an iterated blur is that"
        )

    def pinv(self, y: Tensor) -> Tensor:
        effort = round(self.pinv_effort * self.iterations)
        return self.solve(self.adjoint(y), self.damping, effort)

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return v + self.solve(self.adjoint(y - self(v)), rho, self.iterations)


class Frame(NamedTuple):
    """An image with a margin: which rows and columns of x it holds, and the kernel's spectrum."""

    rows: Tensor
    columns: Tensor
    K: Tensor


class Blur(IteratedBlur):
    """y = crop(k * extend(x)): any kernel, without an SVD. [B, C, H, W] -> the same.

    With the border `valid`, y is what the kernel sees without a border, so x is larger by the
    kernel's sides less one.

    Args:
        kernel: [h, w], of odd sides and the sum 1.
        border: reflect (half-sample symmetric), replicate or valid; auto: what suits a photo, and
            the way round of the kernel that does, too. What we blur ourselves is reflected.
        damping: what regularises A^+, beside eigenvalues of A^T A of about 1 at most.
        iterations: of conjugate gradients, for prox; A^+ takes `pinv_effort` times as many.
    """

    kernel: Tensor

    def __init__(
        self, kernel: Tensor, border: str = "reflect", damping: float = 1e-5, iterations: int = 30
    ):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.told, self.border = border != AUTO, "reflect" if border == AUTO else border
        self.damping, self.iterations = damping, iterations
        self._frame: tuple[tuple[Any, ...], Frame] | None = None

    def frame_of(self, shape: tuple[int, ...], like: Tensor) -> Frame:
        """The frame around an x of this shape; the last one is kept for the next."""
        key = (tuple(shape[-2:]), like.dtype, like.device)
        if self._frame is None or self._frame[0] != key:
            extend = BORDERS[self.border]
            rows, columns = (
                extend(n, k // 2, like.device)
                for n, k in zip(shape[-2:], self.kernel.shape[-2:], strict=True)
            )
            K = transfer(self.kernel, len(rows), len(columns), like)
            self._frame = key, Frame(rows, columns, K)
        return self._frame[1]

    def forward(self, x: Tensor) -> Tensor:
        rows, columns, K = self.frame_of(x.shape, x)
        extended = x.index_select(-2, rows).index_select(-1, columns)
        frame = torch.fft.irfft2(K * torch.fft.rfft2(extended), s=(len(rows), len(columns)))

        top, left = (k // 2 for k in self.kernel.shape[-2:])
        return frame[..., top : len(rows) - top, left : len(columns) - left]

    def adjoint(self, y: Tensor) -> Tensor:
        shape = self.x_shape(y)
        rows, columns, K = self.frame_of(shape, y)

        # crop^T, then the kernel turned round.
        top, left = (k // 2 for k in self.kernel.shape[-2:])
        frame = F.pad(y, (left, left, top, top))
        frame = torch.fft.irfft2(K.conj() * torch.fft.rfft2(frame), s=frame.shape[-2:])

        # extend^T: what was repeated comes together again.
        gathered = frame.new_zeros(*shape[:-1], len(columns)).index_add(-2, rows, frame)
        return gathered.new_zeros(shape).index_add(-1, columns, gathered)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        if self.border != "valid":
            return tuple(y.shape)
        sides = zip(y.shape[-2:], self.kernel.shape[-2:], strict=True)
        return (*y.shape[:-2], *(n + k - 1 for n, k in sides))

    def solve(self, b: Tensor, rho: float, iterations: int) -> Tensor:
        """(A^T A + rho)^-1 b, preconditioned by the inverse filter on the frame."""
        rows, columns, K = self.frame_of(b.shape, b)
        least = 0.0 if self.border == "valid" else LEAST_DAMPING
        inverse = inverse_filter(K.abs() ** 2 + max(rho, least), (len(rows), len(columns)))

        # Pixels that the border repeats count as often in A^T A.
        down, across = (
            torch.bincount(i, minlength=n).to(b) ** -0.5
            for i, n in zip((rows, columns), b.shape[-2:], strict=True)
        )
        w = down[:, None] * across

        return cg(
            lambda u: self.adjoint(self(u)) + rho * u,
            b,
            iterations,
            precondition=lambda r: w * inverse(w * r),
        )

    @property
    def of_one_photo(self) -> bool:
        return not self.told

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        known = self if self.told else self.alike(self.kernel, self.border)
        return add_noise(self(x)), known

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """With the border auto the same, with the border and the way round of its kernel that suit.

        What lies beside a photo is no mirror image of it, and what a mirror does not explain at
        the border rings through all of a result; a y that was made with one is explained by it.
        Files hold kernels either way round; the wrong one draws every edge twice.

        Args:
            photo: [1, 3, H, W] in [-1, 1].
            noise: std of its noise, not asked for.
        """
        if self.told:
            return self
        grey = photo.mean(1, keepdim=True)
        ways = [self.alike(self.kernel, border) for border in ("reflect", "replicate")]
        found = min(ways, key=lambda way: way.unexplained(grey))

        turned = found.alike(self.kernel.flip(-2, -1), found.border)
        if turned.roughness(grey) < TURNED * found.roughness(grey):
            turned.findings = (TURNED_WORDS,)
            return turned
        return found

    def alike(self, kernel: Tensor, border: str) -> "Blur":
        """The same with another kernel and border."""
        same = Blur(kernel, border, self.damping, self.iterations).with_noise(self.sigma_y)
        assert isinstance(same, Blur)
        return same

    def shown_noise(self, y: Tensor, colours: Tensor) -> Tensor | None:
        return dark_noise(self.kernel, y, colours)

    def unexplained(self, y: Tensor) -> float:
        """The mean square of what the best x leaves of y, y itself a little believed."""
        return float((self(self.prox(y, y, BELIEF**2)) - y).square().mean())

    def roughness(self, y: Tensor) -> float:
        """The total variation of that x, where no border reaches; inf where that is little."""
        top, left = (k // 2 for k in self.kernel.shape[-2:])
        x = self.prox(y, y, BELIEF**2)[..., top : y.shape[-2] - top, left : y.shape[-1] - left]
        if min(x.shape[-2:]) < ENOUGH:
            return float("inf")
        return float(x.diff(dim=-2).abs().mean() + x.diff(dim=-1).abs().mean())

    def at_scale(self, r: int, y: Tensor) -> tuple[Operator, Tensor]:
        """A blur by the shrunk kernel."""
        small = Blur(shrink_kernel(self.kernel, r), self.border, self.damping, self.iterations)
        return small.with_noise(self.sigma_y / r), shrink(y, r)
