"""How soft a photo is, by its own edges and its own spectrum.

edges     R     = |grad y| / |grad (G_1 * y)| at the strongest edges, G_1 a Gaussian of one pixel
          w^2   = 1 / (R^2 - 1), so that an edge of width w has w^2 + 1 after it
          sigma = sqrt(median(w)^2 - SHARP^2)             what is more than a sharp photo's own
spectrum  W     = (P - N) / P                             Wiener's share of signal, band by band
          gain  = max(1, W / K),  1 where P < 2 N         what a deconvolution may amplify
noise     N^2   = P(high) - FALL^2 (K(high) / K(mid))^2 P(mid)
                                                  what is left at the highest frequencies is noise,
                                                  for a blur has no signal there

The strongest edges are the least blurred and the least noisy ones; what a lens has blurred most is
not among them. What a camera's own processing has made of a photo falls off otherwise: edges are
sharpened already, and what is finer is gone. The second half keeps noise, and what a codec has cut
off, from being amplified.
Sources: Zhuo and Sim, Defocus map estimation from a single image, Pattern Recognition 2011.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.tools.transforms import dct2

# Of the re-blur, in pixels; and the share of the edges that count, and their least number.
REBLUR, STRONGEST, FEWEST = 1.0, 0.05, 50

# Width in pixels of a sharp photo's edges, differences between neighbours included. Half of the
# sharp photos are between 0.46 and 0.63; 0.7 is where softened ones begin.
SHARP = 0.55

# Contrast of the strongest edges, [-1, 1] units a pixel, below which there is nothing to judge by.
FAINT = 0.02

# More than so many times nothing is amplified: no blur is so well known.
MOST = 10.0

# Bands of frequencies from 0 to 1, which is the highest along an axis.
BANDS = 40

# The frequencies that noise is told by, and how far photos fall off from the middle to the highest.
MID, HIGH, FALL = (0.4, 0.6), (0.85, 1.1), 0.6


def edge_width(y: Tensor) -> float:
    """The width of a photo's sharpest strong edges, as the std in pixels of a Gaussian.

    Args:
        y: [B, C, H, W] in [-1, 1].

    Returns:
        The median over the strongest edges; 0 where there are none.
    """
    grey = y.mean(1, keepdim=True)
    across, down = slopes(grey)
    slope, blurred = torch.hypot(across, down), torch.hypot(*slopes(reblurred(grey)))

    # Ridges of the slope, along the axis that it is nearer to.
    around = F.pad(slope, (1, 1, 1, 1), mode="replicate")
    middle = slice(1, -1)
    beside = torch.maximum(around[..., middle, :-2], around[..., middle, 2:])
    above = torch.maximum(around[..., :-2, middle], around[..., 2:, middle])
    ridge = slope >= torch.where(across.abs() >= down.abs(), beside, above)

    # The strongest of them.
    strengths, after = slope[ridge], blurred[ridge]
    count = min(len(strengths), max(FEWEST, int(STRONGEST * len(strengths))))
    chosen = strengths.topk(count).indices
    if not count or strengths[chosen].median() < FAINT:
        return 0.0
    ratio = strengths[chosen] / after[chosen].clamp_min(1e-6)
    return float((REBLUR / (ratio.square() - 1).clamp_min(1e-3).sqrt()).median())


def softness(y: Tensor) -> float:
    """The std in pixels of the Gaussian by which a photo [B, C, H, W] is softer than sharp ones."""
    return beyond_sharp(edge_width(y))


def beyond_sharp(width: float) -> float:
    """The softness, in pixels, of a photo whose edges have this width."""
    return max(width**2 - SHARP**2, 0.0) ** 0.5


def supported_gain(y: Tensor, K: Tensor, noise: Tensor | float) -> Tensor:
    """What a photo's own spectrum lets a deconvolution amplify.

    Args:
        y: [B, C, H, W].
        K: the blur's transfer function [H, W] in the basis of the DCT.
        noise: std of y's noise, as `squares` takes it.

    Returns:
        The gain [H, W], at least 1: as if no frequency below the noise had been blurred.
    """
    power = band_means(dct2(y.mean(1, keepdim=True)).square().mean((0, 1)))
    level = band_means(squares(y, noise))

    share = (1 - level / power.clamp_min(1e-12)).clamp_min(0)
    gain = (share / K.clamp_min(1 / MOST)).clamp_min(1)
    return torch.where(power < 2 * level, 1.0, gain)


def noise_floor(y: Tensor, sigma: float) -> float:
    """The std of noise at the highest frequencies of a photo that a Gaussian has blurred.

    Args:
        y: [B, C, H, W].
        sigma: std of the Gaussian in pixels.
    """
    middle, highest = (power_between(y, *band) for band in (MID, HIGH))
    farther = (sum(HIGH) ** 2 - sum(MID) ** 2) / 4
    signal = FALL**2 * math.exp(-((math.pi * sigma) ** 2) * farther) * middle
    return max(highest - signal, 0.0) ** 0.5


def clearance(y: Tensor, sigma: float, noise: Tensor | float) -> float:
    """How many times the noise a photo's signal is where a Gaussian has left 1 / e of it.

    Args:
        y: [B, C, H, W].
        sigma: std of the Gaussian in pixels.
        noise: std of y's noise as far as it is known, as `squares` takes it.
    """
    place = min(2**0.5 / (math.pi * sigma), MID[1])
    around = (0.9 * place, 1.1 * place)
    level = max(noise_floor(y, sigma), mean_between(squares(y, noise), *around) ** 0.5)
    return power_between(y, *around) ** 0.5 / max(level, 1e-6)


def power_between(y: Tensor, low: float, high: float) -> float:
    """The mean square of the grey coefficients whose frequency is from low to high."""
    return mean_between(dct2(y.mean(1, keepdim=True)).square().mean((0, 1)), low, high)


def mean_between(c: Tensor, low: float, high: float) -> float:
    """The mean of values [H, W] by frequency, from one to another; 0 where there is none."""
    rows, columns = (torch.arange(n, device=c.device) / n for n in c.shape)
    radius = torch.hypot(rows[:, None], columns[None])
    chosen = c[(radius >= low) & (radius <= high)]
    return float(chosen.mean()) if chosen.numel() else 0.0


def band_means(c: Tensor) -> Tensor:
    """Values [H, W] by frequency, each replaced by the mean over its band, whatever direction."""
    H, W = c.shape
    rows, columns = (torch.arange(n, device=c.device) / n for n in (H, W))
    band = (BANDS * torch.hypot(rows[:, None], columns[None])).long().flatten()

    total = c.new_zeros(2 * BANDS).index_add(0, band, c.flatten())
    count = torch.bincount(band, minlength=2 * BANDS).clamp_min(1)
    return (total / count)[band].view(H, W)


def squares(y: Tensor, noise: Tensor | float) -> Tensor:
    """The variance [H, W] by frequency of the noise of the mean over y's channels.

    Args:
        y: [B, C, H, W], for its size.
        noise: std: a number, the same in every channel, or [1, C, H, W] by opponent channel, of
            which grey is the first and orthonormal.
    """
    if isinstance(noise, Tensor) and noise.ndim == 4:
        return (noise[0, 0].square() / y.shape[1]).to(y)
    return (torch.as_tensor(noise).to(y).square() / y.shape[1]).expand(y.shape[-2:])


def slopes(grey: Tensor) -> tuple[Tensor, Tensor]:
    """Central differences to the right and downwards, each of the shape of grey [B, 1, H, W]."""
    around = F.pad(grey, (1, 1, 1, 1), mode="replicate")
    middle = slice(1, -1)
    return (
        (around[..., middle, 2:] - around[..., middle, :-2]) / 2,
        (around[..., 2:, middle] - around[..., :-2, middle]) / 2,
    )


def reblurred(grey: Tensor) -> Tensor:
    """grey [B, 1, H, W] blurred by a Gaussian of std REBLUR, borders replicated."""
    reach = 4
    place = torch.arange(-reach, reach + 1).to(grey)
    taps = torch.exp(-0.5 * (place / REBLUR).square())
    taps = taps / taps.sum()

    around = F.pad(grey, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(around, taps.view(1, 1, 1, -1)), taps.view(1, 1, -1, 1))
