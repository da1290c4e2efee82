"""Blur by a kernel that nobody knows: found from y alone, before there is a picture.

k          from the gradients of y: a stroke, or nearly one         kernel_estimate.py
           or a winding path, where it is surely one                coarse_to_fine.py
sigma^2  = sigma_y^2 + (doubt std(k * y - y))^2                   what counts as the noise of y

A stroke that reaches the rim of its window is cut off there: what it would give is stripes and
rings, so that such a photo is left alone, unless a wider path is found; and so is one that has no
blur, for its noise is other tasks' business, and may be texture.

The kernel is a little wrong wherever blur shows, which counts as noise. It does not follow the
prior's x0, as in Fast Diffusion EM (Laroche et al., WACV 2024): a small prior's x0 is smoother
than the photo and drags k along.
"""

import copy
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from operators.base import Operator
from operators.blur.blind.coarse_to_fine import CoarseToFine
from operators.blur.blind.evidence import gradients
from operators.blur.blind.kernel_estimate import (
    KernelEstimator,
    edge_window,
    far_window,
    point_kernel,
    rim_share,
)
from operators.blur.blind.search import Stroke
from operators.blur.iterated import Blur, Frame
from operators.blur.kernel_file import kernel_of
from operators.blur.kernel_shape import likeness
from operators.blur.kernels import check_side, principal_axes, shrink_kernel
from operators.blur.softness import softness
from operators.scale import shrink

# The share of a kernel at the rim of its window from which there is more of it outside.
RIM = 0.035

# The likeness to a stroke from which a path is one.
ALIKE = 0.9

# The std in pixels along its longest axis up to which a kernel is hardly more than softness, and
# the share of that which is undone.
SLIGHT, CAUTION = 1.4, 0.85

# The same of kernels that blur nothing.
NONE = 0.3


class BlindBlur(Blur):
    """y = k * x, borders reflected or replicated: [B, C, H, W] -> the same.

    `bind` finds a kernel for each image [B, 1, h, w].

    Args:
        size: the largest side of a stroke, odd; a small picture gets a smaller one.
        path: the largest side of a winding path, odd; 1 looks for none.
        kernel: [h, w] or a file; what degrade=true blurs with. A restoration does not see it.
        border: reflect or replicate.
        damping: what regularises A^+.
        iterations: of conjugate gradients, for prox.

    Attributes:
        windows: rows and columns of the part of each image that was looked at; none if unbound.
        wide: whether a kernel reached the rim of its window, so that all photos are left alone.
        factor: how many times smaller than the photo the picture is that it blurs.
        doubt: std of what a found kernel gets wrong of y, as a share of what it does to y.
        estimator: finds a stroke.
        paths: finds a path.
    """

    pictured, may_ring = ("kernel",), True
    doubt: float = 2.2
    estimator, paths = KernelEstimator(), CoarseToFine()
    wide, factor = False, 1
    windows: list[tuple[slice, slice]]

    def __init__(
        self,
        size: int = 15,
        kernel: Tensor | str | None = None,
        border: str = "reflect",
        damping: float = 1e-5,
        iterations: int = 30,
        path: int = 31,
    ):
        if border not in ("reflect", "replicate"):
            wrong = f"operator.border={border!r}; that of a blind blur is reflect or replicate"
            raise ValueError(wrong)

        if kernel is None:
            kernel = Stroke(0.0, 0.0, 2.0).kernel(9)
        k = kernel_of(kernel)

        super().__init__(k, border, damping, iterations)
        self.size, self.path = check_side(size, "operator.size"), check_side(path, "operator.path")
        self.windows = []

    def frame_of(self, shape: tuple[int, ...], like: Tensor) -> Frame:
        """As a known blur's; pictures that are not the batch's own get the first kernel."""
        rows, columns, K = super().frame_of(shape, like)
        return Frame(rows, columns, K[:1] if K.ndim == 4 and len(K) != shape[0] else K)

    def bind(self, y: Tensor, init: Operator | None = None) -> "BlindBlur":
        """A copy with kernels of its own, one for each image of y.

        Args:
            y: [B, C, H, W].
            init: a BlindBlur; its kernels are taken if it was bound to as many images, as large.
        """
        # The setting `kernel` is a buffer, what is found takes its place as a parameter.
        bound = copy.copy(self)
        bound._buffers, bound._parameters, bound._frame = {}, {}, None

        everywhere = gradients(y.detach().float()).split(1)
        bound.windows = [edge_window(g) for g in everywhere]
        known = init if isinstance(init, BlindBlur) and init.factor == self.factor else None
        if known is not None and known.windows and len(known.kernel) == len(y):
            kernels, bound.wide = known.kernel.detach().clone(), known.wide
        else:
            # A difference of two pixels' means over the channels has twice their variance.
            noise = 2 * self.sigma_y**2 / y.shape[1]
            found = [
                self.found(g, window, noise)
                for g, window in zip(everywhere, bound.windows, strict=True)
            ]
            bound.wide = any(rim_share(k) > RIM for k in found)
            side = max(len(k) for k in found)
            found = [F.pad(k, ((side - len(k)) // 2,) * 4) for k in found]
            believed = [self.believed(k, one, bound.wide) for k, one in zip(found, y, strict=True)]
            kernels = torch.stack(believed)[:, None]
        bound.kernel = nn.Parameter(kernels.to(y.device), requires_grad=False)
        bound.leaves = bound.wide or bound.sharp

        wrong = self.doubt * float((bound(y) - y).square().mean().sqrt())
        bound.sigma_y = math.hypot(self.sigma_y, wrong)
        return bound

    def found(self, g: Tensor, window: tuple[slice, slice], noise: float) -> Tensor:
        """The kernel [h, h] of an image with gradients g [1, 2, H, W], a part of which shows most.

        One that is cut off at its rim is as wide as it was looked for.
        """
        rows, columns = window
        here = g[..., rows, columns]
        stroke = self.estimator(here, self.size, noise)
        there = far_window(g, window)
        sharp = torch.equal(stroke, point_kernel(len(stroke)).to(stroke))
        if self.path <= len(stroke) or there is None or sharp:
            return stroke

        path = self.paths.agreed(here, g[..., there[0], there[1]], self.path, noise)
        if path is None or rim_share(path) > RIM:
            return stroke

        # What is nearly a stroke is drawn better by one, as long as the path is.
        if rim_share(stroke) > RIM:
            stroke = self.estimator(here, self.path, noise)
        return stroke if likeness(path, stroke) > ALIKE else path

    def believed(self, kernel: Tensor, y: Tensor, wide: bool) -> Tensor:
        """What is believed of a kernel [h, h] that was found for y [C, H, W]."""
        point = point_kernel(len(kernel)).to(kernel)
        if wide or torch.equal(kernel, point):
            return point
        if principal_axes(kernel)[0] > SLIGHT:
            return kernel

        # Hardly more than a sharp photo's own blur, which is not to be undone.
        width = CAUTION * softness(y[None].detach().float())
        return Stroke(0.0, 0.0, width).kernel(len(kernel)).to(kernel) if width > 0 else point

    @property
    def sharp(self) -> bool:
        """Whether no kernel was found that blurs anything, so that all photos are left alone."""
        if not self.windows or self.wide:
            return False
        return all(principal_axes(k)[0] < NONE for k in self.kernel[:, 0])

    def remark(self, y: Tensor) -> str:
        if self.sharp:
            return "no blur was found, so it is left as it is (task=enhance takes noise away)"
        if not self.wide:
            return ""
        return (
            f"its blur is wider than operator.size={self.size}, or is movement of things in it, "
            f"so it is left as it is; try operator.size={2 * (3 * self.size // 4) + 1}"
        )

    def shown_noise(self, y: Tensor, colours: Tensor) -> Tensor | None:
        return None  # it is not known

    def describe(self, y: Tensor) -> dict[str, Any]:
        """The width of the first image's kernel.

        It is the std in pixels along its longest axis and across, and the angle of that axis in
        degrees.
        """
        if not self.windows:
            return {}
        along, across, angle = principal_axes(self.kernel[0, 0])
        return {"kernel_std_along": along, "kernel_std_across": across, "kernel_angle": angle}

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """The first image's kernel, its peak white."""
        return {"kernel": self.kernel[:1] / self.kernel[:1].amax()} if self.windows else {}

    def at_scale(self, r: int, y: Tensor) -> tuple["BlindBlur", Tensor]:
        """An unknown blur that is as much smaller, and not bound."""
        size, path = (2 * -(-(side // 2) // r) + 1 for side in (self.size, self.path))
        kernel = shrink_kernel(self.kernel[0, 0] if self.windows else self.kernel, r)
        small = BlindBlur(size, kernel, self.border, self.damping, self.iterations, path)
        small.factor = r * self.factor
        return small.with_noise(self.sigma_y / r), shrink(y, r)
