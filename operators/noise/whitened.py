"""A degradation whose noise has been whitened: W y = W A x + white noise.

operator A               W A                  closed forms
A A^T = s^2 I            WhitenedProjection   all; exact where the noise is even over the picture
diagonal in the DCT      WhitenedDiagonal     the same
any other linear one     WhitenedLinear       A^T; the proximal step by conjugate gradients
not linear               Whitened             none

A^+ W^-1 stands for (W A)^+, which it is where every y is some A x.
"""

from collections.abc import Callable
from typing import cast

from torch import Tensor

from operators.base import LinearOperator, Operator, ProjectionOperator, SpectralOperator
from operators.blur.diagonal import ReflectBlur
from operators.identity import Identity
from operators.noise.preconditioner import Preconditioner
from operators.noise.whitening import Whitening
from operators.tools.solve import cg

ITERATIONS = 30  # of conjugate gradients, at most


def can_whiten(A: Operator, y: Tensor) -> bool:
    """Whether the noise of this y can be whitened: whether all of y is one picture, and A known.

    Not so for masks and mosaics, sensing, several exposures, unknown light and blur, and codecs:
    their noise is counted as white, by its rms.
    """
    picture = y.ndim == 4 and y.shape[1] in (1, 3)
    whole = not isinstance(A, ProjectionOperator) or A.onto
    own = A.blind or A.spreads or A.offers("project") or A.offers("linear")
    return picture and whole and not own and A.known(y) is None


def whiten(A: Operator, W: Whitening) -> "Whitened":
    """W A, with the closed forms that A leaves it.

    Args:
        A: the degradation, which `can_whiten`.
        W: what whitens y, of y's size.
    """
    if isinstance(A, ProjectionOperator):
        return WhitenedProjection(A, W)
    if isinstance(A, ReflectBlur) and W.whole:
        return WhitenedDiagonal(A, W)
    return WhitenedLinear(A, W) if isinstance(A, LinearOperator) else Whitened(A, W)


class Whitened(Operator):
    """W A of any A: for samplers that compare W A x with W y.

    Args:
        A: the degradation.
        W: what whitens y.

    Attributes:
        beyond_rounding: whether y has more noise than what a codec rounded; None without a codec.
    """

    beyond_rounding: bool | None = None

    def __init__(self, A: Operator, W: Whitening):
        super().__init__()
        self.A, self.W = A, W
        self.sigma_y, self.divisor = W.sigma, A.divisor
        self.any_size = A.any_size and not W.whole
        self.fine = isinstance(A, Identity)  # codecs share chroma samples among neighbours

    def forward(self, x: Tensor) -> Tensor:
        return self.W(self.A(x))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return self.A.x_shape(y)

    @property
    def unwhitened(self) -> Operator:
        """A, with white noise of the same rms: for y as it is."""
        return self.A.with_noise(self.sigma_y)

    @property
    def at_scale(self) -> Callable[[int, Tensor], tuple[Operator, Tensor]]:
        """`at_scale(r, y)`, which is offered where A does."""
        if not self.A.offers("at_scale"):
            raise AttributeError("at_scale")
        return self._at_scale

    def _at_scale(self, r: int, y: Tensor) -> tuple[Operator, Tensor]:
        """A at 1 / r of the size, and what is left of y's noise there."""
        photo = self.W.inverse(y)
        small, photo_small = self.A.at_scale(r, photo)
        W = self.W.at_scale(round(photo.shape[-1] / photo_small.shape[-1]))
        return whiten(small, W), W(photo_small)


class WhitenedLinear(Whitened, LinearOperator):
    """W A of a linear A."""

    preconditioner: Preconditioner | None = None  # for the last size

    @property
    def linear_part(self) -> LinearOperator:
        """A."""
        return cast(LinearOperator, self.A)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.linear_part.adjoint(self.W.transpose(y))

    def pinv(self, y: Tensor) -> Tensor:
        return self.linear_part.pinv(self.W.inverse(y))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        # (A^T A + rho)^-1 A^T r = A^T (A A^T + rho)^-1 r: whichever is the smaller system. Of a
        # shrinking A A^T alone is nearly diagonal in frequencies, for A^T A mixes those it folds.
        r = y - self(v)
        if y.numel() >= v.numel():
            normal = lambda x: self.adjoint(self(x))  # noqa: E731
            return v + self.solve(normal, self.adjoint(r), rho)
        return v + self.adjoint(self.solve(lambda u: self(self.adjoint(u)), r, rho))

    def solve(self, normal: Callable[[Tensor], Tensor], b: Tensor, rho: float) -> Tensor:
        """(N + rho)^-1 b, by preconditioned conjugate gradients.

        Args:
            normal: N, symmetric and positive semidefinite.
            b: [B, C, H, W].
            rho: above 0.
        """
        P = self.preconditioner
        if P is None or not P.fits(b):
            P = self.preconditioner = Preconditioner(normal, b)
        return cg(lambda d: normal(d) + rho * d, b, ITERATIONS, precondition=P.inverse(rho))


class WhitenedProjection(WhitenedLinear, SpectralOperator):
    """W A where A A^T = s^2 I: singular values s sigma / (std of the noise), and 0.

    V f V^T = f(0) (I - A^+ A) + A^+ W~(f(s .)) A
    """

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        A = cast(ProjectionOperator, self.A)
        seen = A(x)
        out = A.pinv(self.W.filter(seen, lambda d: f(A.s * d)))
        if seen.shape == x.shape:  # onto, so nothing is unseen
            return out
        return out + f(x.new_zeros(())) * (x - A.pinv(seen))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return SpectralOperator.prox(self, v, y, rho)


class WhitenedDiagonal(WhitenedLinear, SpectralOperator):
    """W A where the DCT makes A diagonal, as it does W: singular values |Lambda| sigma / std."""

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        size = cast(ReflectBlur, self.A).truncated_spectrum(x).abs()
        return self.W.filter(x, lambda d: f(size * d))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return SpectralOperator.prox(self, v, y, rho)
