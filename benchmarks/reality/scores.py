"""How near a result is to the truth, by the conventions of each set.

PSNR over RGB, SSIM and HaarPSI (piq), after clipping and rounding to 8 bits. Where camera and truth
are not aligned (camera shake), the truth is searched within SHIFT pixels: the shift of the least
squared error, found on the interior that every shift has. Light without an upper end is compared as
the rms of log2(light) after the gain that fits best, in stops, within the middle nine tenths of the
truth's values (a light map is an estimate itself at its ends).
"""

import torch
from torch import Tensor

from gdp.picture import rounded
from gdp.restore.scores.metrics import psnr

SCORES = ("psnr", "ssim", "haarpsi")
SHIFT = 8  # pixels in each direction
ENDS = (0.05, 0.95)  # quantiles of the true light within which stops are counted


def scores(pixels: Tensor, truth: Tensor, shift: int = 0) -> dict[str, float]:
    """Score a result.

    Args:
        pixels, truth: [1, 3, H, W] in [0, 1].
        shift: pixels within which the truth is searched.

    Raises:
        ValueError: the sizes differ, or a pixel is NaN or infinite.
    """
    import piq

    if pixels.shape != truth.shape:
        raise ValueError(f"a result of {tuple(pixels.shape)}, a truth of {tuple(truth.shape)}")
    if not bool(pixels.isfinite().all()):
        raise ValueError("a result with NaN or infinite pixels")
    a, b = rounded(pixels).float(), rounded(truth).float()
    if shift:
        a, b = aligned(a, b, shift)
    return {
        "psnr": float(psnr(a, b)),
        "ssim": float(piq.ssim(a, b, data_range=1.0)),
        "haarpsi": float(piq.haarpsi(a, b, data_range=1.0)),
    }


def aligned(pixels: Tensor, truth: Tensor, shift: int) -> tuple[Tensor, Tensor]:
    """The interior of pixels, and the part of the truth that is most like it."""
    H, W = (n - 2 * shift for n in pixels.shape[-2:])
    inner = pixels[..., shift : shift + H, shift : shift + W]
    parts = (
        truth[..., top : top + H, left : left + W]
        for top in range(2 * shift + 1)
        for left in range(2 * shift + 1)
    )
    return inner, min(parts, key=lambda part: float((part - inner).square().mean()))


def linear(pixels: Tensor) -> Tensor:
    """Light of sRGB in [0, 1]."""
    y = pixels.clamp(0, 1)
    return torch.where(y <= 0.04045, y / 12.92, ((y + 0.055) / 1.055) ** 2.4)


def stops(light: Tensor, truth: Tensor) -> float:
    """The rms of log2(light / truth), both linear, after the gain that fits best."""
    low, high = (float(truth.flatten().quantile(q)) for q in ENDS)
    alike = light * (truth.median() / light.median().clamp_min(1e-9))
    difference = alike.clamp(low, high).log2() - truth.clamp(low, high).log2()
    return float((difference - difference.mean()).square().mean().sqrt())


def movement(pixels: Tensor, photo: Tensor) -> dict[str, float]:
    """How far a result of the photo's size is from it.

    Returns:
        moved: PSNR against the photo, dB; gradients: energy of the result's gradients over the
        photo's, 1 where nothing was sharpened or smoothed.
    """
    if pixels.shape != photo.shape:
        return {}
    a, b = rounded(pixels), rounded(photo)
    return {"moved": float(psnr(a, b)), "gradients": gradients(a) / max(gradients(b), 1e-9)}


def gradients(pixels: Tensor) -> float:
    """The energy of differences between neighbours."""
    return float(pixels.diff(dim=-1).square().mean() + pixels.diff(dim=-2).square().mean())
