"""Scores of a restored picture, by piq, on pixels in [0, 1] as an 8-bit file has them."""

import math

import torch
from torch import Tensor

from gdp.picture import rounded

FULL_REFERENCE = ("psnr", "ssim", "multi_scale_ssim", "haarpsi", "fsim", "gmsd", "vif_p")
NEED_WEIGHTS = ("lpips", "dists")


def scores(pixels: Tensor, reference: Tensor) -> dict[str, float | str | None]:
    """Every score of a picture against the truth, both [1, 3, H, W] in [0, 1].

    One that cannot be given is None, with the reason under `NAME_why_not`.
    """
    import piq

    a, b = rounded(pixels).float().cpu(), rounded(reference).float().cpu()
    out: dict[str, float | str | None] = {}
    for name in FULL_REFERENCE:
        try:
            value = float(getattr(piq, name)(a, b, data_range=1.0))
        except (ValueError, AssertionError, RuntimeError) as error:
            out[name], out[f"{name}_why_not"] = None, str(error).splitlines()[0]
            continue
        out[name] = value if math.isfinite(value) else None

    for name in NEED_WEIGHTS:
        out[name], out[f"{name}_why_not"] = None, "its network's weights are not at hand"
    return out


def psnr(pixels: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio [B] in dB, over RGB, after clipping and 8-bit rounding."""
    error = (rounded(pixels) - rounded(reference)).square().flatten(1).mean(1)
    return -10 * error.clamp_min(1e-10).log10()


def rms(x: Tensor) -> float:
    """Root mean square of all entries."""
    return float(torch.linalg.vector_norm(x.cpu(), dtype=torch.float64)) / x.numel() ** 0.5
