"""Scores by a formula alone, beside those of piq: luma, colour, order of light, the papers' fit.

Y            16 + 65.481 R + 128.553 G + 24.966 B, of 255             BT.601, as enlargement papers
ciede2000    mean colour difference of CIE, 2000                      Sharma et al., 2005
LOE          mean_x sum_y (L(x) >= L(y)) xor (L'(x) >= L'(y)), L = max of R, G, B
"""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.picture import rounded

LUMA, OFFSET = (65.481, 128.553, 24.966), 16.0  # of 255
ORDER_SIDE = 50  # pixels of the shorter side that LOE compares


def luma(pixels: Tensor) -> Tensor:
    """Y of YCbCr [B, 1, H, W] of RGB in [0, 1], from 16/255 for black to 235/255 for white."""
    weights = torch.tensor(LUMA, dtype=pixels.dtype, device=pixels.device).view(1, 3, 1, 1)
    return ((weights * pixels).sum(1, keepdim=True) + OFFSET) / 255


def cropped(pixels: Tensor, border: int) -> Tensor:
    """A picture [..., H, W] without `border` pixels at each side.

    Raises:
        ValueError: nothing would be left.
    """
    if 2 * border >= min(pixels.shape[-2:]):
        size = f"{pixels.shape[-1]}x{pixels.shape[-2]}"
        raise ValueError(f"scores.border={border} leaves nothing of a {size} picture")
    H, W = pixels.shape[-2:]
    return pixels[..., border : H - border, border : W - border]


def ciede2000(a: Tensor, b: Tensor) -> float:
    """The mean of CIE's colour difference of 2000, of sRGB pictures [1, 3, H, W] in [0, 1].

    Raises:
        ImportError: scikit-image is not installed.
    """
    from skimage.color import deltaE_ciede2000, rgb2lab

    lab = [rgb2lab(z[0].permute(1, 2, 0).double().numpy(force=True)) for z in (a, b)]
    difference: Callable[..., np.ndarray] = deltaE_ciede2000
    return float(difference(*lab).mean())


def order_error(result: Tensor, photo: Tensor) -> float:
    """LOE: for how many pixels of a small copy it has changed which of two is lighter.

    Wang et al., Naturalness preserved enhancement for non-uniform illumination, IEEE TIP 2013.

    Args:
        result, photo: [1, 3, H, W] in [0, 1]; the second is the photo as it was.

    Returns:
        The mean over the pixels of a copy whose shorter side is 50, so its largest value grows
        with the other side; 0 where the order is kept.
    """
    H, W = result.shape[-2:]
    ratio = min(1.0, ORDER_SIDE / min(H, W))
    size = (round(H * ratio), round(W * ratio))
    light = [
        F.interpolate(z.amax(1, keepdim=True), size, mode="area").flatten() for z in (result, photo)
    ]
    orders = [z[:, None] >= z[None] for z in light]
    return float((orders[0] ^ orders[1]).sum(1).float().mean())


def misfit_l1(misfit: Tensor) -> float:
    """The sum of |A x - y| in [0, 1] units: DDNM's consistency of colours."""
    return float(misfit.abs().sum())


def misfit_mse(misfit: Tensor) -> float:
    """The mean of (A x - y)^2 in units of 8 bits, as SR3 and GDP tell consistency."""
    return float((255 * misfit).abs().square().mean())


def as_file(pixels: Tensor) -> Tensor:
    """Pixels as an 8-bit file has them: floats in [0, 1], on the CPU."""
    return rounded(pixels).float().cpu()
