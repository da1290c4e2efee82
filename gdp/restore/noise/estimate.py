"""The noise of one photo, from the patches that are smooth in everything but what is measured.

strata    the patches of each fifth of the brightness, by themselves
v(c,r,k)  mean of the lower half of E over the smoothest tenth of stratum k, divided by what the
          mean of the lower half of a chi^2 is: what is left of texture lies in the upper half
g(k)^2    exp of the mean over c, r of log(v / its median over k), smoothed          the curve
s(c,u)^2  the mean over the three least of v / g^2, shared out in a ring as D^2 is   the spectrum
          from patches of 16 pixels, below a quarter of the highest frequency from such of 32

Where light was mended it is known how much stronger noise has become in the dark than in bright
places. There g is sought beside that, and s is that of the three strata where noise is loudest.

Texture is worst at low frequencies, so that grey rises there by no more than cameras' noise does,
and is no more beside the colours than sensors have it (`bounded`). Noise that has one std at the
upper frequencies in all channels is white. After Ponomarenko et al. (2007), Colom and Buades (IPOL
2013), and Noise Clinic (Lebrun, Colom and Morel, IPOL 2015).
"""

from dataclasses import replace
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.restore.noise.blocks import PATCHES, Blocks, blocks_of, directions, evened, rms_over
from gdp.restore.noise.evenness import is_grain, is_loud, trusted
from gdp.restore.noise.level import estimate_sigma
from gdp.restore.noise.model import (
    BRIGHTNESSES,
    FREQUENCIES,
    ROUNDING,
    NoiseModel,
    curve_at,
    interpolate,
    interpolate2,
    orders,
)
from gdp.restore.noise.shape import bounded, colour_level, flattened
from operators.noise.painted import painted

STRATA = 5  # of the brightness
SMOOTH_SHARE, SMOOTH_LEAST = 0.1, 24  # of a stratum's patches: those that are called smooth
LOWER = 0.5  # share of them, by their own energy, that is averaged
UPPER = 2  # the ring of the smallest patches from which white noise is seen best
DEAD = 0.5 / 12 / 255**2  # variance below that of rounding: what a codec has rounded to nothing
BRIGHTEST_GAIN, DARKEST_GAIN = 1.0, -2.0  # log of the curve's variance at most, least


def estimate(
    pixels: Tensor,
    coloured: bool = False,
    rounding: float = ROUNDING,
    known: Tensor | None = None,
) -> NoiseModel:
    """Estimate the noise of a photo.

    Args:
        pixels: [B, C, H, W] in [0, 1], of one noise; large ones are sampled. Of other pictures
            than grey and RGB ones the noise is taken for white.
        coloured: whether noise that looks white is to be taken as it was measured all the same.
        rounding: std of that of 8-bit pixels, after all that was done to them.
        known: what is known of how its std goes with brightness, up to a factor: [17] at
            brightnesses from 0 to 1. The curve is sought beside it.

    Raises:
        ValueError: a side has less than 16 pixels.
    """
    white = NoiseModel.white(estimate_sigma(pixels))
    if pixels.shape[1] not in (1, 3):
        return white
    pixels = pixels.detach().float().expand(-1, 3, -1, -1)
    still = painted(pixels)
    colours = directions(pixels, still)
    sides = [side for side in PATCHES if min(pixels.shape[-2:]) >= 2 * side]
    blocks = [blocks_of(pixels, colours, side, still) for side in sides]
    some = [b for b in blocks if b is not None and len(b.brightness) >= SMOOTH_LEAST]
    if len(some) < len(blocks):
        return white

    # How much noise there is at each brightness, then at each frequency.
    mended = known is not None
    known = known / rms_over(some[0], known) if known is not None else torch.ones(BRIGHTNESSES)
    measured = [(b, *variances(b)) for b in (evened(b, known) for b in some)]
    brightness, gain = curve_of(*measured[0][:2])
    fine = curve_of(*measured[0][:2], UPPER)[1]
    loudest = curve_at(known, brightness).argsort(descending=True) if mended else None
    spectra = [spectrum_of(b, v, chosen, gain, loudest) for b, v, chosen in measured]
    patches = (measured[1:2] or measured)[0][0]
    even = trusted(patches.energy[0, 1], patches.brightness.argsort().tensor_split(STRATA))
    q = min(colour_level(refined(s)) for s in spectra[1:] or spectra)
    q = 0.0 if rounding > ROUNDING else q  # of colours in the dark codecs have left too little
    variance = joined(spectra)
    loud = is_loud(variance, even)
    even = 1.0 if loud else even
    if rounding <= ROUNDING and (loud or is_grain(variance, even)):
        q = 0.0  # what the scene has of other colours says nothing of it
    variance = bounded(variance, even, q)

    # White noise is what samplers know best.
    knots = torch.linspace(0, 1, BRIGHTNESSES)
    places = torch.stack([(brightness < b).sum() - 1 + part(brightness, b) for b in knots])
    curve, of_white = (
        known * interpolate(g.log()[None] / 2, places)[0].exp().cpu() for g in (gain, fine)
    )
    model = NoiseModel(variance.sqrt().clamp_min(ROUNDING).cpu(), curve, colours, even)
    model = model if coloured else flattened(model, white, of_white, rounding)
    raw = curve_of(some[0], variances(some[0])[0])[1] if mended else gain
    return replace(model, falls=float((raw[0] / raw[-1]).log()) / 2)


def variances(b: Blocks) -> tuple[Tensor, list[list[Tensor]]]:
    """v [3, rings, strata], and the patches of each stratum that are smooth, by direction."""
    strata = b.brightness.argsort().tensor_split(STRATA)
    v = b.energy.new_zeros(3, len(b.rings), STRATA)
    chosen: list[list[Tensor]] = []

    for c in range(3):
        for r, ring in enumerate(b.rings):
            smoothest = []
            for k, patches in enumerate(strata):
                # Where a codec has left nothing, there is nothing to be measured.
                alive = patches[b.energy[c, r, patches] > DEAD]
                some = alive if len(alive) >= SMOOTH_LEAST else patches
                count = min(len(some), max(SMOOTH_LEAST, int(SMOOTH_SHARE * len(some))))
                best = some[b.smoothness[c, r, some].topk(count, largest=False).indices]
                least = b.energy[c, r, best].sort().values[: max(1, int(LOWER * count))]
                v[c, r, k] = least.mean() / lower_mean(int(ring.sum()), LOWER)
                smoothest.append(best)
            chosen.append(smoothest)
    return v, chosen


def curve_of(b: Blocks, v: Tensor, first: int = 1) -> tuple[Tensor, Tensor]:
    """The mean brightness of each stratum and the relative variance there, [strata] each.

    Args:
        b: the patches.
        v: as `variances` has it.
        first: the ring from which they count.
    """
    v = v[:, first:].clamp_min(DEAD)
    weights = v.mean(-1, keepdim=True).sqrt()
    logs = ((v / v.median(-1, keepdim=True).values).log() * weights).sum((0, 1)) / weights.sum()

    # A stratum of texture alone is drawn to its neighbours.
    logs = logs.clamp(DARKEST_GAIN, float(logs.median()) + BRIGHTEST_GAIN)
    padded = F.pad(logs[None], (1, 1), mode="replicate")[0]
    gain = ((padded[:-2] + 2 * logs + padded[2:]) / 4).exp()
    strata = b.brightness.argsort().tensor_split(STRATA)
    return torch.stack([b.brightness[k].mean() for k in strata]), gain / gain.mean()


def spectrum_of(
    b: Blocks, v: Tensor, chosen: list[list[Tensor]], gain: Tensor, loudest: Tensor | None = None
) -> Tensor:
    """The variance [3, side, side] where the gain is 1; `loudest`: strata, if that is known."""
    side = b.power.shape[1]
    out = b.power.new_zeros(3, side, side)
    for c in range(3):
        for r, ring in enumerate(b.rings):
            levels = v[c, r] / gain
            some = levels.sort().values if loudest is None else levels[loudest]
            level = some[: STRATA // 2 + 1].mean()

            # Directions and frequencies of a ring differ as they do in the quieter patches.
            patches = torch.cat(chosen[c * len(b.rings) + r])
            quiet = patches[b.energy[c, r, patches].argsort()[: len(patches) // 2 + 1]]
            shape = b.power[c][ring.to(b.power.device)][:, quiet].mean(-1)
            out[c, ring] = level * shape / shape.mean().clamp_min(1e-12)

    return filled(out)


def filled(variance: Tensor) -> Tensor:
    """A variance [3, side, side], above 0, with a guess at its plane, which patches do not tell."""
    for u, w in ((0, 0), (0, 1), (1, 0)):
        variance[:, u, w] = variance[:, 1, 1]
    return variance.clamp_min(1e-12)


def joined(spectra: list[Tensor]) -> Tensor:
    """The variance [3, 32, 32] by frequency, from patches of each size what they tell best."""
    order = orders().to(spectra[0].device)
    best = spectra[1:2] or spectra[:1]  # of 16 pixels, whose codec's blocks are not their own

    out = refined(best[0])
    if len(spectra) > 2:
        out = torch.where(order < 1 / 4, refined(spectra[2]), out)
    return out


def refined(variance: Tensor) -> Tensor:
    """A variance [3, side, side] at [3, 32, 32] frequencies, by interpolation of its logarithm."""
    places = torch.arange(FREQUENCIES, device=variance.device) * variance.shape[-1] / FREQUENCIES
    return interpolate2(variance.log(), places, places).exp()


def part(brightness: Tensor, b: Tensor) -> Tensor:
    """How far b is from the last of some rising brightnesses below it to the next, 0 to 1."""
    i = int((brightness < b).sum().clamp(1, len(brightness) - 1))
    below, above = brightness[i - 1], brightness[i]
    return ((b - below) / (above - below).clamp_min(1e-6)).clamp(0, 1)


@cache
def lower_mean(m: int, share: float) -> float:
    """The mean of the lower `share` of a chi^2 variable of m degrees of freedom, over m."""
    shape = torch.tensor(m / 2, dtype=torch.float64)
    low, high = 0.0, 40.0
    for _ in range(60):
        middle = (low + high) / 2
        below = float(torch.special.gammainc(shape, shape * middle)) < share
        low, high = (middle, high) if below else (low, middle)
    return float(torch.special.gammainc(shape + 1, shape * low)) / share
