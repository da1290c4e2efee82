"""Convolution kernels as factors of Fourier coefficients, and the preconditioner that they make for a blur's normal equations."""

from collections.abc import Callable

import torch
from torch import Tensor

SOFT = 0.05  # least damping of a preconditioner that ignores the borders: a harder one blows their error up


def transfer(kernel: Tensor, H: int, W: int, like: Tensor) -> Tensor:
    """The transfer function of a kernel [..., h, w] on the half plane of rfft2 of an H x W frame, its middle at the origin."""
    h, w = phases(H, kernel.shape[-2], like), phases(W, kernel.shape[-1], like)
    return h @ kernel.to(h) @ w[: W // 2 + 1].T


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


def inverse_filter(power: Tensor, frame: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    """r -> crop(F^-1 (F pad(r)) / power): a preconditioner for a blur's normal equations; the frame is centred on r."""

    def apply(r: Tensor) -> Tensor:
        top, left = ((n - m) // 2 for n, m in zip(frame, r.shape[-2:], strict=True))
        padded = torch.nn.functional.pad(r, (left, left, top, top))
        out = torch.fft.irfft2(torch.fft.rfft2(padded) / power, s=frame)
        return out[..., top : top + r.shape[-2], left : left + r.shape[-1]]

    return apply
