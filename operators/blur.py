"""Blur by a known kernel: y = k * x (true convolution); borders reflect, as suits photos, replicate, wrap, or are not seen.

    circular                    y = F^-1 K F x                 exact SVD by FFT
    reflected, symmetric k      y = C^-1 Lambda C x            exact SVD by DCT-II (half-sample reflection)
    any other k or border       y = crop(k * extend(x))        no SVD: adjoint exact, A^+ and prox by conjugate gradients

Spectra are truncated at `threshold` in A as in A^+, so the two always belong together.
"""

from collections.abc import Callable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from operators.base import LinearOperator, Operator, SpectralOperator
from operators.kernels import from_file, normalised
from operators.solve import cg
from operators.transforms import dct2, folded, idct2


def blur(kernel: Tensor | str, border: str = "reflect", threshold: float = 1e-3) -> Operator:
    """The blur operator with the best closed forms for this kernel (a tensor [h, w], or a file) and border."""
    k = from_file(kernel) if isinstance(kernel, str) else normalised(kernel)
    if border == "circular":
        return CircularBlur(k, threshold)
    if border not in BORDERS:
        raise ValueError(f"operator.border={border!r}; it is {', '.join(BORDERS)} or circular")
    symmetric = border == "reflect" and torch.allclose(k, k.flip(0), atol=1e-7) and torch.allclose(k, k.flip(1), atol=1e-7)
    return ReflectBlur(k, threshold) if symmetric else Blur(k, border)


class CircularBlur(SpectralOperator):
    """Any kernel, borders wrapped around."""

    kernel: Tensor

    def __init__(self, kernel: Tensor, threshold: float = 1e-3):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.threshold = threshold

    def spectrum(self, x: Tensor) -> Tensor:
        """K on the half plane of rfft2, truncated."""
        K = transfer(self.kernel, x.shape[-2], x.shape[-1], x)
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
    """Any kernel, for which no SVD is at hand. Borders are reflected (half-sample symmetric), replicated, or `valid`: y is what the
    kernel sees without any, and x is larger by the kernel.

    `pinv` is regularised: argmin ||A x - y||^2 + damping ||x||^2, by at most `iterations` of conjugate gradients. Blurs
    are so ill-conditioned that the exact A^+ is out of reach of an iteration, and useless with any noise; with sigma_y > 0 samplers
    use `prox` (30 iterations), which the noise itself regularises.
    """

    kernel: Tensor

    def __init__(self, kernel: Tensor, border: str = "reflect", damping: float = 1e-4, iterations: int = 100):
        super().__init__()
        self.register_buffer("kernel", kernel, persistent=False)
        self.border, self.damping, self.iterations = border, damping, iterations
        self._frame: tuple[tuple, tuple[Tensor, Tensor, Tensor]] | None = None

    def framed(self, shape: tuple[int, ...], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Row and column indices of the frame around an x of this shape, and the kernel's spectrum on it."""
        key = (tuple(shape[-2:]), like.dtype, like.device)
        if self._frame is None or self._frame[0] != key:
            extend = BORDERS[self.border]
            rows, columns = (extend(n, k // 2, like.device) for n, k in zip(shape[-2:], self.kernel.shape, strict=True))
            self._frame = key, (rows, columns, transfer(self.kernel, len(rows), len(columns), like))
        return self._frame[1]

    def forward(self, x: Tensor) -> Tensor:
        rows, columns, K = self.framed(x.shape, x)
        frame = torch.fft.irfft2(K * torch.fft.rfft2(x[..., rows[:, None], columns]), s=(len(rows), len(columns)))
        top, left = (k // 2 for k in self.kernel.shape)
        return frame[..., top : len(rows) - top, left : len(columns) - left]

    def adjoint(self, y: Tensor) -> Tensor:
        shape = self.x_shape(y)
        rows, columns, K = self.framed(shape, y)
        top, left = (k // 2 for k in self.kernel.shape)
        frame = torch.nn.functional.pad(y, (left, left, top, top))
        frame = torch.fft.irfft2(K.conj() * torch.fft.rfft2(frame), s=frame.shape[-2:])
        folded = frame.new_zeros(*shape[:-1], len(columns)).index_add(-2, rows, frame)
        return folded.new_zeros(shape).index_add(-1, columns, folded)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        if self.border != "valid":
            return tuple(y.shape)
        return (*y.shape[:-2], *(n + k - 1 for n, k in zip(y.shape[-2:], self.kernel.shape, strict=True)))

    def normal_solve(self, b: Tensor, rho: float, iterations: int) -> Tensor:
        """(A^T A + rho)^-1 b. The circular blur is a good preconditioner where no border is made up, and a bad one elsewhere."""

        def normal(u: Tensor) -> Tensor:
            return self.adjoint(self(u)) + rho * u

        if self.border != "valid":
            return cg(normal, b, iterations)
        weight = 1 / (self.framed(b.shape, b)[2].abs() ** 2 + rho)
        return cg(normal, b, iterations, precondition=lambda r: torch.fft.irfft2(weight * torch.fft.rfft2(r), s=r.shape[-2:]))

    def pinv(self, y: Tensor) -> Tensor:
        return self.normal_solve(self.adjoint(y), self.damping, self.iterations)

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        return v + self.normal_solve(self.adjoint(y - self(v)), rho, 30)


class VaryingBlur(LinearOperator):
    """Several kernels, blended linearly from the left edge to the right: y = sum_i w_i (k_i * x), reflected borders."""

    def __init__(self, kernels: Sequence[Tensor | str], damping: float = 1e-4, iterations: int = 100):
        super().__init__()
        if len(kernels) < 2:
            raise ValueError(f"operator.kernels holds {len(kernels)}; a blur that varies needs at least two kernels")
        tensors = [from_file(k) if isinstance(k, str) else normalised(k) for k in kernels]
        self.blurs = nn.ModuleList(Blur(k) for k in tensors)
        self.damping, self.iterations = damping, iterations

    def parts(self, x: Tensor) -> list[tuple[Tensor, Blur]]:
        """(weight [W], blur): hat functions over the width, which sum to one."""
        place = torch.linspace(0, len(self.blurs) - 1, x.shape[-1], dtype=x.dtype, device=x.device)
        return [((1 - (place - i).abs()).clamp_min(0), cast(Blur, blur)) for i, blur in enumerate(self.blurs)]

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([w * k(x) for w, k in self.parts(x)]).sum(0)

    def adjoint(self, y: Tensor) -> Tensor:
        return torch.stack([k.adjoint(w * y) for w, k in self.parts(y)]).sum(0)

    def pinv(self, y: Tensor) -> Tensor:
        """Regularised as Blur's."""
        return cg(lambda u: self.adjoint(self(u)) + self.damping * u, self.adjoint(y), self.iterations)


def transfer(kernel: Tensor, H: int, W: int, like: Tensor) -> Tensor:
    """The kernel's transfer function on the half plane of rfft2 of an H x W frame, its middle at the origin."""
    h, w = phases(H, kernel.shape[0], like), phases(W, kernel.shape[1], like)
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
