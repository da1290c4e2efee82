"""Whether a photo has been enlarged, and how many times: what interpolation leaves in it.

d     means over rows of |second differences| along columns, and the other way round
S(f)  |DFT(log d - what is around it)|, the geometric mean of both directions, over its median

Between the pixels that there were, an interpolated picture is smoother than at them, so that d goes
up and down with the period of the enlargement (Gallagher, Detection of linear and cubic
interpolation in JPEG compressed images, CRV 2005). Twice is told by first differences, for both new
pixels lie as far from an old one. A codec's blocks have periods of 8 / k pixels, a mosaic's has 2:
there nothing is looked for but where fine frequencies are gone, as they are from enlarged photos.
Of 793 photos 20 are said to be enlarged, some of which were; of photos enlarged 1.25 to 3 times all
but few are, of their JPEGs three quarters.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.tools.transforms import dct2

LEAST = 96  # pixels a side, below which nothing is told
SEEN = 5.0  # times the median from which a peak is one
AROUND, SLOWEST = 9, 0.15  # pixels of the mean that is taken off; f from which is looked
STEEP = 0.9  # quantile at which differences are held: edges tell little
BLOCK, APART = 8, 2.5  # pixels of a codec's block, and DFT bins around its frequencies

# Rms of what is between .4 and .6 of the highest frequency, over that of .1 to .2, from which the
# photo is enlarged less than twice; of above .6 over .2 to .4, up to which it may be twice; and the
# peak of first differences that says so.
WIDE, GONE, TWICE = 0.088, 0.07, 2.8

ENLARGED = "this photo was enlarged, which is no blur to be undone; it is left as it is"

# Times a photo was enlarged between which sharpening it harms: at 1.5 it loses .3 dB.
HARDLY_SOFT = 1.35, 1.75


def enlarged(pixels: Tensor) -> float:
    """How many times a photo has been enlarged; 1 where that is not seen.

    Args:
        pixels: [1, C, H, W], in any unit.
    """
    if min(pixels.shape[-2:]) < LEAST:
        return 1.0
    n = min(pixels.shape[-2:]) // BLOCK * BLOCK
    grey = pixels.detach().float().mean(1, keepdim=True)[..., :n, :n]
    f, seen = peak(spectrum(grey, 2))
    if seen >= SEEN:
        c = dct2(grey)
        return 1 / (1 - f) if band(c, 0.4, 0.6) > WIDE * band(c, 0.1, 0.2) else 1 / f

    # The differences, which cost least, are asked first.
    return 2.0 if float(spectrum(grey, 1)[-2:].max()) >= TWICE and without_fine(grey) else 1.0


def without_fine(pixels: Tensor) -> bool:
    """Whether next to nothing is left of a photo's fine frequencies, noise neither."""
    c = dct2(pixels.detach().float().mean(1, keepdim=True))
    return band(c, 0.6, 1.0) < GONE * band(c, 0.2, 0.4)


def hardly_soft(times: float) -> bool:
    """Whether a photo that was enlarged so is soft by that alone, which cannot be undone as a blur.

    What was enlarged a little has all of its frequencies up to where they end; enlarged more it is
    as soft as a blurred photo, and gains by being sharpened.
    """
    return HARDLY_SOFT[0] < times < HARDLY_SOFT[1]


def softly(times: float) -> bool:
    """Whether a photo that was enlarged so is as soft as a blurred one."""
    return times >= HARDLY_SOFT[1]


def spectrum(grey: Tensor, order: int) -> Tensor:
    """The geometric mean of both directions' |DFT| of differences, over its median.

    Args:
        grey: [1, 1, n, n].
        order: of the differences.
    """
    product = torch.ones(grey.shape[-1] // 2 + 1, device=grey.device)
    for p in (grey, grey.mT):
        d = p.diff(dim=-1, n=order).abs()
        d = d.clamp_max(float(d.flatten()[:: max(1, d.numel() // 2**16)].quantile(STEEP)))
        means = F.pad(d.mean(-2)[0], (0, order), mode="replicate").clamp_min(1e-6).log()
        around = F.avg_pool1d(F.pad(means, (AROUND // 2,) * 2, mode="reflect"), AROUND, 1)
        v = (means - around)[0]
        product = product * torch.fft.rfft(v * torch.hann_window(len(v)).to(v)).abs()

    found = product.sqrt()
    return found / found[looked_at(grey.shape[-1]).to(found.device)].median().clamp_min(1e-12)


def looked_at(n: int) -> Tensor:
    """Which of the frequencies of n numbers are none of a codec's or a mosaic's."""
    f = torch.arange(n // 2 + 1) / n
    to_block = (f * BLOCK - (f * BLOCK).round()).abs() / BLOCK
    return (f > SLOWEST) & (to_block > APART / n)


def peak(found: Tensor) -> tuple[float, float]:
    """The frequency of the largest value of a `spectrum` among what is looked at, and that."""
    n = 2 * (len(found) - 1)
    i = int(torch.where(looked_at(n).to(found.device), found, torch.zeros_like(found)).argmax())
    return i / n, float(found[i])


def band(c: Tensor, low: float, high: float) -> float:
    """The rms of coefficients [1, 1, H, W] between frequencies, as shares of the highest one."""
    rows, columns = (torch.arange(n, device=c.device) / n for n in c.shape[-2:])
    order = torch.maximum(rows[:, None], columns)
    return float(c[0, 0][(order >= low) & (order < high)].square().mean().sqrt())
