"""Convolution kernels as factors of Fourier coefficients, and preconditioners made of them.

K(u, v)   = sum_ij k_ij exp(-2 pi i (u i / H + v j / W))      the transfer function of a kernel
M^-1 r    = crop(F^-1 (F pad(r)) / (|K|^2 + rho))             near (A^T A + rho)^-1 for a blur A
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# The least rho of a preconditioner that ignores borders: less would blow up what is wrong there.
LEAST_DAMPING = 0.05


def transfer(kernel: Tensor, H: int, W: int, like: Tensor) -> Tensor:
    """The transfer function of a kernel on the half plane of rfft2.

    Args:
        kernel: [..., h, w], its middle at the origin.
        H: rows of the frame that is transformed.
        W: columns of it.
        like: a tensor of the type and device to compute in.

    Returns:
        K [..., H, W // 2 + 1], complex.
    """
    h, w = phases(H, kernel.shape[-2], like), phases(W, kernel.shape[-1], like)
    return h @ kernel.to(h) @ w[: W // 2 + 1].T


def phases(n: int, k: int, like: Tensor) -> Tensor:
    """exp(-2 pi i u j / n) [n, k] for frequencies u = 0 .. n - 1 and taps j = -(k // 2) ..

    A kernel may be longer than the frame: k is free.
    """
    u = torch.arange(n, dtype=torch.float64)
    j = torch.arange(k, dtype=torch.float64) - k // 2
    angle = -2 * torch.pi / n * torch.outer(u, j)
    out = torch.polar(torch.ones_like(angle), angle)
    return (out if like.dtype == torch.float64 else out.to(torch.complex64)).to(like.device)


def inverse_filter(power: Tensor, frame: tuple[int, int]) -> Callable[[Tensor], Tensor]:
    """r -> crop(F^-1 (F pad(r)) / power), for the normal equations of a blur.

    Args:
        power: what to divide by, on the half plane of rfft2 of the frame.
        frame: its sides; r is padded to them by zeros on all sides.
    """

    def apply(r: Tensor) -> Tensor:
        top, left = ((n - m) // 2 for n, m in zip(frame, r.shape[-2:], strict=True))
        padded = F.pad(r, (left, left, top, top))
        out = torch.fft.irfft2(torch.fft.rfft2(padded) / power, s=frame)
        return out[..., top : top + r.shape[-2], left : left + r.shape[-1]]

    return apply
