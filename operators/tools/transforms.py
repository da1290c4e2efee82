"""Orthonormal cosine transforms by FFT, for any length, and the reflection that they imply.

Source: J. Makhoul, A fast cosine transform in one and two dimensions, 1980.
"""

import torch
from torch import Tensor


def dct2(x: Tensor) -> Tensor:
    """Orthonormal DCT-II over the last two dimensions of x [..., H, W]; differentiable."""
    return dct(dct(x).mT).mT


def idct2(c: Tensor) -> Tensor:
    """The inverse of dct2."""
    return idct(idct(c).mT).mT


def dct(x: Tensor) -> Tensor:
    """Orthonormal DCT-II over the last dimension, by one FFT of the same length."""
    n = x.shape[-1]
    v = torch.cat([x[..., ::2], x[..., 1::2].flip(-1)], -1)
    c = (torch.fft.fft(v) * twiddle(n, x)).real * (2 / n) ** 0.5
    return torch.cat([c[..., :1] / 2**0.5, c[..., 1:]], -1)


def idct(c: Tensor) -> Tensor:
    """The inverse, and transpose, of dct."""
    n = c.shape[-1]
    c = torch.cat([c[..., :1] * 2**0.5, c[..., 1:]], -1) * (n / 2) ** 0.5
    mirrored = torch.cat([torch.zeros_like(c[..., :1]), c[..., 1:].flip(-1)], -1)
    v = torch.fft.ifft(torch.complex(c, -mirrored) * twiddle(n, c).conj()).real

    # Even places come from the front of v, odd ones from its end.
    x = torch.empty_like(v)
    x[..., ::2], x[..., 1::2] = v[..., : (n + 1) // 2], v[..., (n + 1) // 2 :].flip(-1)
    return x


def reflect_index(i: Tensor, n: int) -> Tensor:
    """Indices brought into 0 .. n - 1 by half-sample reflection, as often as it takes."""
    i = i % (2 * n)
    return torch.where(i < n, i, 2 * n - 1 - i)


def twiddle(n: int, like: Tensor) -> Tensor:
    """exp(-i pi k / 2n), k = 0 .. n - 1, in the type and on the device of `like`."""
    angle = -torch.pi / (2 * n) * torch.arange(n, dtype=like.dtype, device=like.device)
    return torch.polar(torch.ones_like(angle), angle)
