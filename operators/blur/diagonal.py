"""Blurs that a fast transform makes diagonal: all closed forms, by the exact SVD.

A = Q^-1 Lambda Q                   Lambda = 0 where it is below a threshold, in A as in A^+
circular                y = F^-1 K F x             Q = F, the Fourier transform
reflected, symmetric k  y = C^-1 Lambda C x        Q = C, the DCT-II (half-sample reflection)
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from operators.base import Operator, SpectralOperator
from operators.blur.filters import phases, transfer
from operators.blur.kernel_shape import shrink_kernel
from operators.scale import shrink
from operators.tools.dark import dark_noise
from operators.tools.transforms import dct2, idct2


class DiagonalBlur(SpectralOperator):
    """A = Q^-1 Lambda Q with an orthonormal Q; a subclass writes `spectrum` and `filter`.

    Args:
        kernel: [h, w], of odd sides and the sum 1.
        threshold: eigenvalues of at most this modulus count as 0, in A as in A^+, so that the two
            always belong together.
    """

    kernel: Tensor

    def __init__(self, kernel: Tensor, threshold: float = 1e-3):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.threshold = threshold
        self._spectrum: tuple[tuple[Any, ...], Tensor] | None = None

    def spectrum(self, x: Tensor) -> Tensor:
        """The eigenvalues Lambda for images of x's size, type and device."""
        raise TypeError(f"{type(self).__name__} defines no spectrum(x); a diagonal blur is that")

    def filter(self, x: Tensor, weight: Tensor) -> Tensor:
        """Q^-1 weight Q x."""
        raise TypeError(
            f"{type(self).__name__} defines no filter(x, weight); a diagonal blur is that"
        )

    def truncated_spectrum(self, x: Tensor) -> Tensor:
        """Lambda without what is below the threshold; the last one is kept for the next x."""
        key = (tuple(x.shape[-2:]), x.dtype, x.device)
        if self._spectrum is None or self._spectrum[0] != key:
            K = self.spectrum(x)
            self._spectrum = key, torch.where(K.abs() > self.threshold, K, 0)
        return self._spectrum[1]

    def forward(self, x: Tensor) -> Tensor:
        return self.filter(x, self.truncated_spectrum(x))

    def adjoint(self, y: Tensor) -> Tensor:
        return self.filter(y, self.truncated_spectrum(y).conj())

    def pinv(self, y: Tensor) -> Tensor:
        K = self.truncated_spectrum(y)
        return self.filter(y, torch.where(K == 0, 0, 1 / torch.where(K == 0, 1, K)))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return self.filter(x, f(self.truncated_spectrum(x).abs()))

    def at_scale(self, r: int, y: Tensor) -> tuple[Operator, Tensor]:
        """A blur by the shrunk kernel."""
        small = type(self)(shrink_kernel(self.kernel, r), self.threshold)
        return small.with_noise(self.sigma_y / r), shrink(y, r)


class CircularBlur(DiagonalBlur):
    """y = k * x: any kernel, borders wrapped around. [B, C, H, W] -> the same."""

    def spectrum(self, x: Tensor) -> Tensor:
        """K [H, W // 2 + 1], on the half plane of rfft2."""
        return transfer(self.kernel, x.shape[-2], x.shape[-1], x)

    def filter(self, x: Tensor, weight: Tensor) -> Tensor:
        """F^-1 weight F x."""
        return torch.fft.irfft2(weight * torch.fft.rfft2(x), s=x.shape[-2:])


class ReflectBlur(DiagonalBlur):
    """y = k * x: a kernel symmetric in both directions, borders reflected.

    [B, C, H, W] -> the same. A is symmetric, with real eigenvalues of either sign.
    """

    def shown_noise(self, y: Tensor, colours: Tensor) -> Tensor | None:
        return dark_noise(self.kernel, y, colours)

    def spectrum(self, x: Tensor) -> Tensor:
        """Lambda [H, W] in the DCT basis: the kernel's Fourier transform at twice the size."""
        h, w = (
            phases(2 * n, k, x)[:n].real
            for n, k in zip(x.shape[-2:], self.kernel.shape, strict=True)
        )
        return h @ self.kernel.to(h) @ w.T

    def filter(self, x: Tensor, weight: Tensor) -> Tensor:
        """C^-1 weight C x."""
        return idct2(weight * dct2(x))
