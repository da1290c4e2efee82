"""Blur by a kernel that nobody knows: found from y alone, coarse to fine.

    k        = the best stroke (operators/blur/search.py), then freed by a few rounds of variational Bayes (operators/blur/evidence.py)
    sigma_y^2 + (DOUBT * std(k * y - y))^2   is what counts as the noise of y: the found kernel is a little wrong wherever blur shows

x and k are known up to a common shift, so that k is centred. k does not follow the prior's x0, as in Fast Diffusion EM (Laroche et al.,
WACV 2024): a small prior's x0 is smoother than the photo and drags k along.
"""

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from operators.base import Operator
from operators.blur.evidence import best_kernel, gradients, posterior
from operators.blur.kernels import from_file, normalised, odd, principal_axes, shrunk_kernel
from operators.blur.known import Blur
from operators.blur.search import Stroke, best_stroke, telling_window
from operators.scale import scaled, shrink

TOLERANCE = 4e-3  # variance of gradients that is left unexplained, [-1, 1] units: with less the search runs into poor minima
FREE_ROUNDS = 3
INERTIA = 0.3  # how a kernel resists change, as a share of the gradients' power
DOUBT = 2.2  # std of what a found kernel gets wrong of y, as a share of what it does to y
SHARP = 0.6  # std along the longest axis, pixels: a photo has so much blur of its own
SPECK = 0.05  # of a kernel's peak: less is not believed
FLAT = 1e-6  # variance of gradients, beyond that of noise, that shows nothing


class BlindBlur(Blur):
    """y = k * x, borders reflected or replicated: [B, C, H, W] -> the same; `size` is the largest side of the unknown kernel, odd.

    Each image gets a `kernel` of its own [B, 1, h, w], smaller if the picture is. The setting `kernel` [h, w] is what degrade=true blurs
    with; a restoration does not see it.
    """

    pictured = ("kernel",)
    windows: list[tuple[slice, slice]]  # where each image is looked at

    def __init__(
        self,
        size: int = 15,
        kernel: Tensor | str | None = None,
        border: str = "reflect",
        damping: float = 1e-5,
        iterations: int = 30,
    ):
        if border not in ("reflect", "replicate"):
            raise ValueError(
                f"operator.border={border!r}; that of a blind blur is reflect or replicate"
            )
        if kernel is None:
            kernel = Stroke(0.0, 0.0, 2.0).kernel(9)
        super().__init__(
            from_file(kernel) if isinstance(kernel, str) else normalised(kernel),
            border,
            damping,
            iterations,
        )
        self.size, self.windows = odd(size, "operator.size"), []

    def framed(self, shape: tuple[int, ...], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As a known blur's; pictures that are not the batch's own get the first kernel."""
        rows, columns, K = super().framed(shape, like)
        return rows, columns, K[:1] if K.ndim == 4 and len(K) != shape[0] else K

    def bind(self, y: Tensor, init: Operator | None = None) -> "BlindBlur":
        """A copy with kernels of its own: those of `init` if it was bound to as many images, else estimated."""
        bound = copy.copy(self)
        bound._buffers, bound._parameters, bound._frame = {}, {}, None
        everywhere = gradients(y.detach().float()).split(1)
        bound.windows = [telling_window(g) for g in everywhere]
        if isinstance(init, BlindBlur) and init.windows and len(init.kernel) == len(y):
            kernels = init.kernel.detach().clone()
        else:
            noise = 2 * self.sigma_y**2 / y.shape[1]
            found = [
                first_kernel(g[..., rows, columns], self.size, noise)
                for g, (rows, columns) in zip(everywhere, bound.windows, strict=True)
            ]
            kernels = torch.stack(found)[:, None]
        bound.kernel = nn.Parameter(kernels.to(y.device), requires_grad=False)
        bound.sigma_y = math.hypot(
            self.sigma_y, DOUBT * float((bound(y) - y).square().mean().sqrt())
        )
        return bound

    def describe(self, y: Tensor) -> dict[str, Any]:
        """The width of the first image's kernel: std in pixels along its longest axis and across, and the angle of that axis."""
        if not self.windows:
            return {}
        along, across, angle = principal_axes(self.kernel[0, 0])
        return {"kernel_std_along": along, "kernel_std_across": across, "kernel_angle": angle}

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """The first image's kernel, its peak white."""
        return {"kernel": self.kernel[:1] / self.kernel[:1].amax()} if self.windows else {}

    def at_scale(self, r: int, y: Tensor) -> tuple["BlindBlur", Tensor]:
        """An unknown blur that is as much smaller, and not bound."""
        kernel = self.kernel[0, 0] if self.windows else self.kernel
        small = BlindBlur(
            2 * -(-(self.size // 2) // r) + 1,
            shrunk_kernel(kernel, r),
            self.border,
            self.damping,
            self.iterations,
        )
        return scaled(small, self, r), shrink(y, r)


def first_kernel(g: Tensor, size: int, noise: float) -> Tensor:
    """The kernel [h, h] that gradients g [1, 2, H, W] alone speak for; their noise has the variance `noise`."""
    size = min(size, 2 * (min(g.shape[-2:]) // 4) + 1)
    if not g.numel() or g.square().mean() < 1.2 * noise + FLAT:
        return sharp_kernel(size).to(g)
    k = best_stroke(g, size, TOLERANCE + noise).kernel(size).to(g)
    gamma = None
    for _ in range(FREE_ROUNDS):
        sharp = posterior(k, g, TOLERANCE + noise, 3, gamma)
        k = best_kernel(sharp.mean, g, float(sharp.variance.sum()), k, INERTIA)
        gamma = sharp.mean.square() + sharp.variance
    found = centred(without_specks(k))
    return found if principal_axes(found)[0] > SHARP else sharp_kernel(size).to(g)


def sharp_kernel(size: int) -> Tensor:
    """No blur [size, size]."""
    kernel = torch.zeros(size, size)
    kernel[size // 2, size // 2] = 1
    return kernel


def without_specks(kernel: Tensor) -> Tensor:
    """The kernel [h, h] without its least entries, of sum 1."""
    kept = torch.where(kernel < SPECK * kernel.amax(), 0.0, kernel)
    return kept / kept.sum()


def centred(kernel: Tensor) -> Tensor:
    """The kernel [h, h] with its centroid in the middle pixel; what would go over the edge stays."""
    place = torch.arange(len(kernel)).to(kernel) - len(kernel) // 2
    down, across = (round(float((kernel.sum(axis) * place).sum())) for axis in (1, 0))
    return kernel.roll((-down, -across), (0, 1))
