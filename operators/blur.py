"""Blur by a known kernel: y = k * x (true convolution), with borders that are reflected, as suits photos, or circular.

    circular                    y = F^-1 K F x                 exact SVD by FFT
    reflected, symmetric k      y = C^-1 Lambda C x            exact SVD by DCT-II (half-sample reflection)
    reflected, any other k      y = crop(k * reflect(x))       no SVD: adjoint exact, A^+ and prox by conjugate gradients

Spectra are truncated at `threshold` in A as in A^+, so the two always belong together.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from operators.base import LinearOperator, Operator, SpectralOperator
from operators.kernels import from_file, normalised
from operators.solve import cg
from operators.transforms import dct2, idct2


def blur(kernel: Tensor | str, border: str = "reflect", threshold: float = 1e-3) -> Operator:
    """The blur operator with the best closed forms for this kernel (a tensor [h, w], or a file) and border."""
    k = from_file(kernel) if isinstance(kernel, str) else normalised(kernel)
    if border == "circular":
        return CircularBlur(k, threshold)
    if border != "reflect":
        raise ValueError(f"operator.border={border!r}; it is reflect or circular")
    symmetric = torch.allclose(k, k.flip(0), atol=1e-7) and torch.allclose(k, k.flip(1), atol=1e-7)
    return ReflectBlur(k, threshold) if symmetric else Blur(k)


class CircularBlur(SpectralOperator):
    """Any kernel, borders wrapped around."""

    kernel: Tensor

    def __init__(self, kernel: Tensor, threshold: float = 1e-3):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.threshold = threshold

    def spectrum(self, x: Tensor) -> Tensor:
        """K on the half plane of rfft2, truncated."""
        h, w = (phases(n, k, x) for n, k in zip(x.shape[-2:], self.kernel.shape, strict=True))
        K = h @ self.kernel.to(h) @ w[: x.shape[-1] // 2 + 1].T
        return torch.where(K.abs() > self.threshold, K, 0)

    def filtered(self, x: Tensor, weight: Tensor) -> Tensor:
        """F^-1 weight F x."""
        return torch.fft.irfft2(weight * torch.fft.rfft2(x), s=x.shape[-2:])

    def forward(self, x: Tensor) -> Tensor:
        return self.filtered(x, self.spectrum(x))

    def adjoint(self, y: Tensor) -> Tensor:
        return self.filtered(y, self.spectrum(y).conj())

    def pinv(self, y: Tensor) -> Tensor:
        return self.filtered(y, reciprocal(self.spectrum(y)))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return self.filtered(x, f(self.spectrum(x).abs()))


class ReflectBlur(SpectralOperator):
    """A kernel symmetric in both directions, borders reflected: A is symmetric, with real eigenvalues of either sign."""

    kernel: Tensor

    def __init__(self, kernel: Tensor, threshold: float = 1e-3):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.threshold = threshold

    def spectrum(self, x: Tensor) -> Tensor:
        """Eigenvalues [H, W] in the DCT basis, truncated."""
        h, w = (phases(2 * n, k, x)[:n].real for n, k in zip(x.shape[-2:], self.kernel.shape, strict=True))
        Lambda = h @ self.kernel.to(h) @ w.T
        return torch.where(Lambda.abs() > self.threshold, Lambda, 0)

    def forward(self, x: Tensor) -> Tensor:
        return idct2(self.spectrum(x) * dct2(x))

    def adjoint(self, y: Tensor) -> Tensor:
        return self(y)

    def pinv(self, y: Tensor) -> Tensor:
        return idct2(reciprocal(self.spectrum(y)) * dct2(y))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return idct2(f(self.spectrum(x).abs()) * dct2(x))


class Blur(LinearOperator):
    """Any kernel, borders reflected (half-sample symmetric), for which no SVD is at hand.

    `pinv` is regularised: argmin ||A x - y||^2 + damping ||x||^2 by at most `iterations` of conjugate gradients. Blurs are so
    ill-conditioned that the exact A^+ is out of reach of an iteration, and useless with any noise; with sigma_y > 0 samplers
    use `prox`, which the noise itself regularises.
    """

    kernel: Tensor

    def __init__(self, kernel: Tensor, damping: float = 1e-4, iterations: int = 100):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.damping, self.iterations = damping, iterations

    def padded(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Row and column indices of the reflected frame, and the kernel's spectrum on it."""
        rows, columns = (mirrored(n, k // 2, x.device) for n, k in zip(x.shape[-2:], self.kernel.shape, strict=True))
        h, w = (phases(len(i), k, x) for i, k in zip((rows, columns), self.kernel.shape, strict=True))
        return rows, columns, h @ self.kernel.to(h) @ w[: len(columns) // 2 + 1].T

    def forward(self, x: Tensor) -> Tensor:
        rows, columns, K = self.padded(x)
        frame = torch.fft.irfft2(K * torch.fft.rfft2(x[..., rows[:, None], columns]), s=(len(rows), len(columns)))
        top, left = (k // 2 for k in self.kernel.shape)
        return frame[..., top : top + x.shape[-2], left : left + x.shape[-1]]

    def adjoint(self, y: Tensor) -> Tensor:
        rows, columns, K = self.padded(y)
        top, left = (k // 2 for k in self.kernel.shape)
        frame = torch.nn.functional.pad(y, (left, left, top, top))
        frame = torch.fft.irfft2(K.conj() * torch.fft.rfft2(frame), s=frame.shape[-2:])
        folded = frame.new_zeros(*y.shape[:-2], y.shape[-2], len(columns)).index_add(-2, rows, frame)
        return folded.new_zeros(y.shape).index_add(-1, columns, folded)

    def pinv(self, y: Tensor) -> Tensor:
        return cg(lambda u: self.adjoint(self(u)) + self.damping * u, self.adjoint(y), max_iter=self.iterations)


def phases(n: int, k: int, like: Tensor) -> Tensor:
    """exp(-2 pi i u j / n) [n, k] for frequencies u and tap offsets j = -(k // 2) ..: any k, larger than n too."""
    u = torch.arange(n, dtype=torch.float64, device=like.device)
    j = torch.arange(k, dtype=torch.float64, device=like.device) - k // 2
    angle = -2 * torch.pi / n * torch.outer(u, j)
    out = torch.polar(torch.ones_like(angle), angle)
    return out if like.dtype == torch.float64 else out.to(torch.complex64)


def reciprocal(K: Tensor) -> Tensor:
    """1 / K, and 0 where K is 0."""
    return torch.where(K == 0, 0, 1 / torch.where(K == 0, 1, K))


def mirrored(n: int, margin: int, device: torch.device) -> Tensor:
    """Indices of n pixels with `margin` more at each end, reflected about the border (half-sample) as often as it takes."""
    i = torch.arange(-margin, n + margin, device=device) % (2 * n)
    return torch.where(i < n, i, 2 * n - 1 - i)
