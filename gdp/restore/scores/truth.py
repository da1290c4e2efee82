"""The truth of a photo that is degraded already: whether it fits, and what the photo scores by it.

shift   argmax of F^-1 (F a  conj(F b) / |F a  conj(F b)|)        phase correlation
gain    argmin ||g a - b||^2, one for all colours                 what exposure alone explains

Phase correlation: Kuglin and Hines, The phase correlation image alignment method, 1975.
"""

import logging
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.picture import to_image
from gdp.restore.scores import metrics
from gdp.restore.scores.choice import Choice

CLEAR = 3.0  # times the correlation without a shift, from which another place speaks for one ...
SEEN = 8.0  # ... and times its rms over all places, which chance hardly reaches
FARTHEST = 0.1  # share of a side beyond which a peak is chance
log = logging.getLogger("gdp")


def check(reference: Tensor, height: int, width: int) -> None:
    """Raise ValueError unless the truth [1, 3, H, W] has the size of the result."""
    H, W = reference.shape[-2:]
    if (height, width) != (H, W):
        raise ValueError(
            f"reference= is a {W}x{H} picture, but the result is {width}x{height}; "
            "give the truth at the size of the result"
        )


def as_seen(y: Tensor, result: Tensor) -> Tensor | None:
    """The photo as it was, of the result's size: enlarged as viewers do; None if y is no picture.

    Args:
        y: [1, ...] in [-1, 1].
        result: [1, 3, H, W].
    """
    if y.ndim != 4 or y.shape[1] != result.shape[1]:
        return None
    size = result.shape[-2:]
    pixels = to_image(y)
    if pixels.shape[-2:] == size:
        return pixels
    shrunk = pixels.shape[-2] <= size[0] and pixels.shape[-1] <= size[1]
    return F.interpolate(pixels, size, mode="bicubic", align_corners=False) if shrunk else None


def scores(
    name: str,
    result: Tensor,
    untouched: Tensor | None,
    reference: Tensor,
    choice: Choice | None = None,
    misfit: Tensor | None = None,
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The scores of a result, and of the photo as it was, against the truth.

    Args:
        name: what messages call the photo.
        result, untouched, reference: [1, 3, H, W] in [0, 1]; the second None if there is none.
        choice: the scores; left out, the default ones.
        misfit: A x - y of the result, in [0, 1] units.

    Returns:
        Both with `psnr_gain_matched` besides, after the one gain that brings them nearest.
    """
    # On the CPU, for not every device has double precision.
    result, reference = result.cpu(), reference.cpu()
    untouched = None if untouched is None else untouched.cpu()
    dx, dy = shift(result, reference)
    if dx or dy:
        log.warning(
            "%s: the truth seems to be shifted by %d pixels to the right and %d down; "
            "scores compare pixel by pixel",
            name,
            dx,
            dy,
        )

    def scores_of(subject: metrics.Subject) -> dict[str, Any]:
        matched = matched_psnr(subject.pixels, reference)
        return metrics.score(subject, choice or Choice()) | {"psnr_gain_matched": matched}

    return (
        scores_of(metrics.Subject(result, reference, untouched, misfit)),
        None if untouched is None else scores_of(metrics.Subject(untouched, reference)),
    )


def scores_without(
    result: Tensor, untouched: Tensor | None, choice: Choice, misfit: Tensor
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The scores that need no truth, of a result and of the photo as it was; None for none.

    Arguments are those of `scores`.
    """
    of_result = metrics.score(metrics.Subject(result, None, untouched, misfit), choice)
    of_photo = None
    if untouched is not None:
        of_photo = metrics.score(metrics.Subject(untouched), choice)
    return of_result or None, of_photo or None


def matched_psnr(pixels: Tensor, reference: Tensor) -> float:
    """The PSNR in dB of pixels [1, 3, H, W] after the one gain that brings them nearest."""
    return float(metrics.psnr(gain(pixels, reference) * pixels, reference))


def gain(pixels: Tensor, reference: Tensor) -> float:
    """The factor that brings a picture nearest to the truth."""
    a, b = pixels.cpu().double(), reference.cpu().double()
    return float((a * b).sum() / a.square().sum().clamp_min(1e-12))


def shift(pixels: Tensor, reference: Tensor) -> tuple[int, int]:
    """How far the truth lies to the right and below, in pixels; (0, 0) where that is not clear.

    Args:
        pixels, reference: [1, 3, H, W].
    """
    a, b = (z.mean((0, 1)).cpu().double() for z in (pixels, reference))
    window = torch.outer(*(torch.hann_window(n, False, dtype=torch.float64) for n in a.shape))
    spectrum = [torch.fft.rfft2((z - z.mean()) * window) for z in (a, b)]
    cross = spectrum[1] * spectrum[0].conj()
    peak = torch.fft.irfft2(cross / cross.abs().clamp_min(1e-12), s=a.shape)

    # The nearest of equal shifts; a far one is chance.
    index = int(peak.argmax())
    dy, dx = divmod(index, a.shape[1])
    dy, dx = (d - n if d > n // 2 else d for d, n in zip((dy, dx), a.shape, strict=True))
    near = abs(dy) <= FARTHEST * a.shape[0] and abs(dx) <= FARTHEST * a.shape[1]
    least = max(CLEAR * abs(float(peak[0, 0])), SEEN * metrics.rms(peak))
    clear = float(peak.max()) > least
    return (dx, dy) if near and clear else (0, 0)
