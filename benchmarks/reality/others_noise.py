"""Denoisers of other libraries, for benchmarks/reality/others.py.

    opencv_nlm_H, skimage_nlm   non-local means (Buades et al. 2005)
    skimage_tv                  total variation (Chambolle 2004)
    skimage_wavelet             wavelet shrinkage (Chang et al. 2000)
    ffdnet_*                    a network that is told the noise (Zhang et al. 2018)
    bm3d_*                      block matching (Dabov et al. 2007; Mäkinen et al. 2020)

`estimate` is told what scikit-image estimates, `true*` the rms of photo minus truth. BM3D is free
for non-commercial use only, FFDNet is under the GPL: neither is of any of our extras.
"""

from collections.abc import Callable

import numpy as np
from torch import Tensor

from benchmarks import tools
from benchmarks.reality.arrays import to_array, to_pixels
from benchmarks.reality.pairs import Pair
from gdp.picture import picture_of

NLM_STRENGTHS = (3, 5, 10)  # OpenCV's h, in 8-bit levels
WAVELETS = ("skimage", "pywt")  # scikit-image estimates noise by the latter


def opencv_nlm(h: int) -> Callable[[Pair], Tensor]:
    """OpenCV's non-local means in Lab, at a strength."""

    def run(pair: Pair) -> Tensor:
        import cv2

        bgr = np.ascontiguousarray(np.asarray(picture_of(pair.photo))[..., ::-1])
        out = cv2.fastNlMeansDenoisingColored(bgr, None, h, h, 7, 21)
        return to_pixels(out[..., ::-1])

    return run


def skimage_sigma(y: np.ndarray) -> float:
    """Estimate the noise's std as scikit-image does."""
    from skimage.restoration import estimate_sigma

    return float(estimate_sigma(y, channel_axis=-1, average_sigmas=True))


def skimage_nlm(pair: Pair) -> Tensor:
    """scikit-image's non-local means at its estimate of the noise."""
    y = to_array(pair.photo)
    return to_pixels(tools.nlm(y, skimage_sigma(y)))


def total_variation(pair: Pair) -> Tensor:
    """Chambolle's total variation at scikit-image's default."""
    from skimage.restoration import denoise_tv_chambolle

    return to_pixels(denoise_tv_chambolle(to_array(pair.photo), channel_axis=-1))


def wavelets(pair: Pair) -> Tensor:
    """Wavelet shrinkage (BayesShrink) in YCbCr."""
    from skimage.restoration import denoise_wavelet

    y = to_array(pair.photo).clip(0, 1)
    return to_pixels(
        denoise_wavelet(y, convert2ycbcr=True, channel_axis=-1, rescale_sigma=True).clip(0, 1)
    )


def true_sigma(pair: Pair) -> float:
    """The rms of photo minus truth."""
    return float((pair.photo - pair.truth).square().mean().sqrt())


def estimated(pair: Pair) -> float:
    """What scikit-image estimates."""
    return skimage_sigma(to_array(pair.photo))


def channels(pair: Pair) -> np.ndarray:
    """The photo [H, W, 3], or [H, W, 1] where it is grey."""
    y = to_array(pair.photo)
    return y[..., :1] if (y == y[..., :1]).all() else y


def bm3d(sigma: Callable[[Pair], float]) -> Callable[[Pair], Tensor]:
    """BM3D for white noise of a std."""
    return lambda pair: grey_or_colour(tools.bm3d(channels(pair), max(sigma(pair), 1e-3)))


def ffdnet(sigma: Callable[[Pair], float]) -> Callable[[Pair], Tensor]:
    """FFDNet for white noise of a std."""
    return lambda pair: grey_or_colour(tools.ffdnet(channels(pair), sigma(pair)))


def grey_or_colour(x: np.ndarray) -> Tensor:
    """[H, W, 1 or 3] as pixels of three channels."""
    return to_pixels(x.repeat(3 // x.shape[-1], -1))


NOISE: dict[str, tuple[Callable[[Pair], Tensor], tuple[str, ...]]] = {
    **{f"opencv_nlm_{h}": (opencv_nlm(h), ("cv2",)) for h in NLM_STRENGTHS},
    "skimage_nlm": (skimage_nlm, WAVELETS),
    "skimage_tv": (total_variation, ("skimage",)),
    "skimage_wavelet": (wavelets, WAVELETS),
    "ffdnet_estimate": (ffdnet(estimated), ("ffdnet", *WAVELETS)),
    "ffdnet_true*": (ffdnet(true_sigma), ("ffdnet",)),
    "bm3d_estimate": (bm3d(estimated), ("bm3d", *WAVELETS)),
    "bm3d_true*": (bm3d(true_sigma), ("bm3d",)),
}
