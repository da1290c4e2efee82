"""Blur by a known kernel: y = k * x (true convolution); borders reflect, as suits photos, replicate, wrap, or are not seen.

    circular                    y = F^-1 K F x                 exact SVD by FFT
    reflected, symmetric k      y = C^-1 Lambda C x            exact SVD by DCT-II (half-sample reflection)
    any other k or border       y = crop(k * extend(x))        no SVD: adjoint exact, A^+ and prox by preconditioned conjugate gradients

Spectra are truncated at `threshold` in A as in A^+, so the two always belong together.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from operators.base import LinearOperator, Operator, SpectralOperator
from operators.blur.filters import SOFT, inverse_filter, phases, reciprocal, transfer
from operators.blur.kernels import from_file, normalised, shrunk_kernel
from operators.scale import scaled, shrink
from operators.tools.solve import cg
from operators.tools.transforms import dct2, folded, idct2


def blur(kernel: Tensor | str, border: str = "reflect", threshold: float = 1e-3) -> Operator:
    """The blur operator with the best closed forms for this kernel (a tensor [h, w], or a file) and border."""
    k = from_file(kernel) if isinstance(kernel, str) else normalised(kernel)
    if border == "circular":
        return CircularBlur(k, threshold)
    if border not in BORDERS:
        raise ValueError(f"operator.border={border!r}; it is {', '.join(BORDERS)} or circular")
    symmetric = (
        border == "reflect"
        and torch.allclose(k, k.flip(0), atol=1e-7)
        and torch.allclose(k, k.flip(1), atol=1e-7)
    )
    return ReflectBlur(k, threshold) if symmetric else Blur(k, border)


class DiagonalBlur(SpectralOperator):
    """A = Q^-1 diag(spectrum) Q with an orthonormal Q; a subclass writes `spectrum` and `filtered`."""

    kernel: Tensor

    def __init__(self, kernel: Tensor, threshold: float = 1e-3):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.threshold = threshold
        self._spectrum: tuple[tuple[Any, ...], Tensor] | None = None

    def spectrum(self, x: Tensor) -> Tensor:
        """The eigenvalues for images of x's size, type and device."""
        raise TypeError(f"{type(self).__name__} defines no spectrum(x); a diagonal blur is that")

    def filtered(self, x: Tensor, weight: Tensor) -> Tensor:
        """Q^-1 weight Q x."""
        raise TypeError(
            f"{type(self).__name__} defines no filtered(x, weight); a diagonal blur is that"
        )

    def truncated(self, x: Tensor) -> Tensor:
        """The spectrum without what is below the threshold; made once a size."""
        key = (tuple(x.shape[-2:]), x.dtype, x.device)
        if self._spectrum is None or self._spectrum[0] != key:
            K = self.spectrum(x)
            self._spectrum = key, torch.where(K.abs() > self.threshold, K, 0)
        return self._spectrum[1]

    def forward(self, x: Tensor) -> Tensor:
        return self.filtered(x, self.truncated(x))

    def adjoint(self, y: Tensor) -> Tensor:
        return self.filtered(y, self.truncated(y).conj())

    def pinv(self, y: Tensor) -> Tensor:
        return self.filtered(y, reciprocal(self.truncated(y)))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return self.filtered(x, f(self.truncated(x).abs()))

    def at_scale(self, r: int, y: Tensor) -> tuple[Operator, Tensor]:
        """A blur by the shrunk kernel."""
        return scaled(type(self)(shrunk_kernel(self.kernel, r), self.threshold), self, r), shrink(
            y, r
        )


class CircularBlur(DiagonalBlur):
    """y = k * x: any kernel, borders wrapped around. [B, C, H, W] -> the same."""

    def spectrum(self, x: Tensor) -> Tensor:
        """K on the half plane of rfft2."""
        return transfer(self.kernel, x.shape[-2], x.shape[-1], x)

    def filtered(self, x: Tensor, weight: Tensor) -> Tensor:
        """F^-1 weight F x."""
        return torch.fft.irfft2(weight * torch.fft.rfft2(x), s=x.shape[-2:])


class ReflectBlur(DiagonalBlur):
    """y = k * x: a kernel symmetric in both directions, borders reflected. [B, C, H, W] -> the same.

    A is symmetric, with real eigenvalues of either sign.
    """

    def spectrum(self, x: Tensor) -> Tensor:
        """Eigenvalues [H, W] in the DCT basis."""
        h, w = (
            phases(2 * n, k, x)[:n].real
            for n, k in zip(x.shape[-2:], self.kernel.shape, strict=True)
        )
        return h @ self.kernel.to(h) @ w.T

    def filtered(self, x: Tensor, weight: Tensor) -> Tensor:
        """C^-1 weight C x."""
        return idct2(weight * dct2(x))


INVERSE = 2.2  # iterations of `pinv` to those of `prox`


class IteratedBlur(LinearOperator):
    """A blur without closed forms; a subclass writes `solve`. Without noise `damping` regularises A^+, with noise rho does."""

    damping: float
    iterations: int

    def solve(self, b: Tensor, rho: float, iterations: int) -> Tensor:
        """(A^T A + rho)^-1 b."""
        raise TypeError(
            f"{type(self).__name__} defines no solve(b, rho, iterations); an iterated blur is that"
        )

    def pinv(self, y: Tensor) -> Tensor:
        return self.solve(self.adjoint(y), self.damping, round(INVERSE * self.iterations))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return v + self.solve(self.adjoint(y - self(v)), rho, self.iterations)


class Blur(IteratedBlur):
    """y = crop(k * extend(x)): any kernel; no SVD is at hand. Borders are reflected (half-sample symmetric), replicated, or
    `valid`: y is what the kernel sees without any, and x is larger by the kernel.

    `pinv` is regularised least squares, argmin ||A x - y||^2 + damping ||x||^2, by conjugate gradients stopped after INVERSE times
    `iterations` (||A A^+ y - y|| is below 0.1 % of a photo's ||y|| then). Blurs are so ill-conditioned that the exact A^+ is out of reach
    of an iteration, and useless with any noise; with sigma_y > 0 samplers use `prox`, which the noise itself regularises, and which is
    there after `iterations`.
    """

    kernel: Tensor

    def __init__(
        self, kernel: Tensor, border: str = "reflect", damping: float = 1e-5, iterations: int = 30
    ):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.border, self.damping, self.iterations = border, damping, iterations
        self._frame: tuple[tuple[Any, ...], tuple[Tensor, Tensor, Tensor]] | None = None

    def framed(self, shape: tuple[int, ...], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Row and column indices of the frame around an x of this shape, and the kernel's spectrum on it."""
        key = (tuple(shape[-2:]), like.dtype, like.device)
        if self._frame is None or self._frame[0] != key:
            extend = BORDERS[self.border]
            rows, columns = (
                extend(n, k // 2, like.device)
                for n, k in zip(shape[-2:], self.kernel.shape[-2:], strict=True)
            )
            self._frame = key, (rows, columns, transfer(self.kernel, len(rows), len(columns), like))
        return self._frame[1]

    def forward(self, x: Tensor) -> Tensor:
        rows, columns, K = self.framed(x.shape, x)
        frame = torch.fft.irfft2(
            K * torch.fft.rfft2(x.index_select(-2, rows).index_select(-1, columns)),
            s=(len(rows), len(columns)),
        )
        top, left = (k // 2 for k in self.kernel.shape[-2:])
        return frame[..., top : len(rows) - top, left : len(columns) - left]

    def adjoint(self, y: Tensor) -> Tensor:
        shape = self.x_shape(y)
        rows, columns, K = self.framed(shape, y)
        top, left = (k // 2 for k in self.kernel.shape[-2:])
        frame = torch.nn.functional.pad(y, (left, left, top, top))
        frame = torch.fft.irfft2(K.conj() * torch.fft.rfft2(frame), s=frame.shape[-2:])
        folded = frame.new_zeros(*shape[:-1], len(columns)).index_add(-2, rows, frame)
        return folded.new_zeros(shape).index_add(-1, columns, folded)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        if self.border != "valid":
            return tuple(y.shape)
        return (
            *y.shape[:-2],
            *(n + k - 1 for n, k in zip(y.shape[-2:], self.kernel.shape[-2:], strict=True)),
        )

    def solve(self, b: Tensor, rho: float, iterations: int) -> Tensor:
        """(A^T A + rho)^-1 b; pixels that the border repeats count as often in A^T A, and the preconditioner weighs them so."""
        rows, columns, K = self.framed(b.shape, b)
        soft = 0.0 if self.border == "valid" else SOFT
        inverse = inverse_filter(K.abs() ** 2 + max(rho, soft), (len(rows), len(columns)))
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

    def at_scale(self, r: int, y: Tensor) -> tuple[Operator, Tensor]:
        """A blur by the shrunk kernel."""
        small = Blur(shrunk_kernel(self.kernel, r), self.border, self.damping, self.iterations)
        return scaled(small, self, r), shrink(y, r)


def mirrored(n: int, margin: int, device: torch.device) -> Tensor:
    """Indices of n pixels with `margin` more at each end, reflected about the border (half-sample) as often as it takes."""
    return folded(torch.arange(-margin, n + margin, device=device), n)


def repeated(n: int, margin: int, device: torch.device) -> Tensor:
    """Indices of n pixels with the first and the last `margin` times more."""
    return torch.arange(-margin, n + margin, device=device).clamp(0, n - 1)


def bare(n: int, margin: int, device: torch.device) -> Tensor:
    """Indices of n pixels, no margin."""
    return torch.arange(n, device=device)


BORDERS = {"reflect": mirrored, "replicate": repeated, "valid": bare}
