"""What a spectrum of noise may look like: how far grey rises to low frequencies, and what is white.

grey, by max(u, v) as a share of the highest frequency, relative to what lies above it:

    [1/4, 1/2)   at most 1.3 x 2.5 (s^2[1/2, 3/4) / s^2[3/4, 1])  at most 5 times
    [1/8, 1/4)   at most 1.2 (s^2[1/4, 1/2) / s^2[1/2, 3/4))      at most 2.2 times
    below        at most 1.2 (the same)^1.6

    all below 3/4, where w is low, at most 8 times the colours' std in [1/4, 1/2), or 8 / 255

    all, where the colours' std q in [1/8, 1/4) is clear of codecs' rounding, at most
    max((1.35 - 0.9 max(u, v)) q, 1.2 times theirs at the same frequency)

colours, at each frequency: at most 1.7 times grey's std there, for more is the scene's own colour;
at least a half of it in [1/8, 1/4), three quarters below, and above .083 max(u, v)^-1.5 times what
they have in [3/16, 1/4), as cameras' noise: codecs round so little colour to nothing in just those
smooth patches in which noise is measured, and leave it elsewhere

so that white noise stays so, and demosaicked, shrunk or compressed noise may rise as it does. More
is texture, mostly grey: filters of three colours, white balance and the colour matrix leave the
colours more than grey of a sensor's noise. Grey has 0.5 to 1.3 times q at all frequencies in
simulated phones' photos, 0.2 to 1.5 times in CC15's. Where a camera took that of the colours, q is
little, and bounds nothing. Where a codec rounded those above q's away, q counts for more.

Texture is also uneven: the rises have the exponent w of `trusted` (evenness.py), which is 1 where
the patches of a brightness have about the same energy, and 0 where they have not.
"""

from dataclasses import replace
from math import log

import torch
from torch import Tensor

from gdp.restore.noise.model import OPPONENT, ROUNDING, NoiseModel, orders
from operators.tools.ramp import ramp

MIDDLE, MIDDLE_RISE, ROOM = 1.3, 5.0, 2.5
LOW, LOW_RISE, LOWEST = 1.2, 2.2, 1.6
CHROMA = 1.7  # times grey's std that noise of other colours may have
CHROMA_LEAST = 0.75, 0.5  # ... and has at least, below 1/8 and above
CHROMA_FINE, FADES = 0.083, 1.5  # ... above 1/4, times their own below, at 1; exponent of its fall
COLOURED, VISIBLE = 8.0, 8 / 255  # times the colours' std, and a std, that grey noise may have
SENSOR, FALL, SAME = 1.35, 0.9, 1.2  # times q at frequency 0, less at the highest; times theirs
KEPT, TAKEN, TAKEN_MOST = 0.25, 0.5, 1.45  # colours' std in [1/4, 1/2) over q; exponent; times q
UNCLEAR, EVIDENT = 3 / 255, 9 / 255  # q up to which it bounds nothing, from which wholly
ENOUGH, DOUBTFUL = 0.8, 0.7  # w from which grey may have more than that; up to which it may not
EVEN, TEXTURED = 1.3, 2.5  # between stds of white noise's upper colours; grey over these, at most
CLEAR = 3.0  # times rounding's std from which noise of the colours is none of a codec's
NOISE = 0.95  # w from which it is noise, and no texture, that rises to low frequencies
TINTED = 1.6  # times their noise that texture has them have below a half of the highest frequency
ONE, FAINT = 2.0, 0.1  # times rounding's std, or the tones', that other colours have of one noise
FINEST, FALLING = 1.35, 1.2  # times white noise's std at the highest frequencies; of upper ones
ROUGH = 1.5  # times the std above it that tones have below a half of the highest frequency
EVEN_CURVE = 1.35  # between stds of dark and bright places, at most


def bounded(variance: Tensor, w: float = 1.0, q: float | None = None) -> Tensor:
    """The variance [3, 32, 32] with grey as above, its rises to the power of w.

    Args:
        variance: as it was measured.
        w: how far it is noise.
        q: std of the colours in [1/8, 1/4), [0, 1] units; that of `variance` itself by default.
    """
    out = variance.clone()
    grey, order = out[0], orders().to(out.device)
    high, upper = grey[order >= 0.75].mean(), grey[(order >= 0.5) & (order < 0.75)].mean()

    middle = (order >= 0.25) & (order < 0.5)
    most = MIDDLE * upper * (ROOM * (upper / high).clamp(1, MIDDLE_RISE)) ** w
    grey[middle] *= (most / grey[middle].mean()).clamp_max(1)

    level = grey[middle].mean()
    rise = (level / upper).clamp(1, LOW_RISE) ** w
    below = torch.where(order < 0.125, rise**LOWEST, rise)
    out[0] = torch.where(order < 0.25, grey.minimum(LOW * level * below), grey)

    # Uneven and far more than the colours have: texture, at all but the highest frequencies.
    colours = COLOURED * float(out[1:, middle].mean().sqrt())
    allowed = max(colours, VISIBLE, MIDDLE * float(high.sqrt()))
    excess: float = min(1.0, allowed / max(float(level.sqrt()), 1e-6))
    share = ramp(w, ENOUGH, DOUBTFUL)
    out[0] = torch.where(order < 0.75, out[0] * excess ** (2 * share), out[0])

    out[0] = held_to_colours(out, colour_level(variance) if q is None else q)

    # Sensors add no less to grey than to other colours.
    out[1:] = out[1:].minimum(CHROMA**2 * out[:1])
    if out[1:, order < 0.125].mean() > ROUNDING**2:  # not so in a grey photo
        least = torch.where(order < 0.125, *CHROMA_LEAST).square() * out[:1]
        faint = CHROMA_FINE * colour_level(variance, 0.1875) * order.clamp_min(0.25) ** -FADES
        faint = faint.square().minimum(CHROMA**2 * out[:1])
        out[1:] = out[1:].maximum(torch.where(order < 0.25, least, faint))
    return out


def colour_level(variance: Tensor, low: float = 0.125, high: float = 0.25) -> float:
    """q: the colours' std in [low, high) of a variance [3, 32, 32], [0, 1] units."""
    order = orders().to(variance.device)
    return float(variance[1:, (order >= low) & (order < high)].mean().sqrt())


def held_to_colours(variance: Tensor, q: float) -> Tensor:
    """Grey's variance [32, 32], no more than noise of a sensor has of it beside the other colours.

    Args:
        variance: [3, 32, 32], before anything is made up of what codecs take from the colours.
        q: as `colour_level` has it.
    """
    if q <= UNCLEAR:
        return variance[0]
    order, fine = orders().to(variance.device), colour_level(variance, 0.25, 0.5)
    taken = (KEPT * colour_level(variance) / max(fine, 1e-6)) ** TAKEN
    most = (SENSOR - FALL * order) * q * min(max(taken, 1.0), TAKEN_MOST)
    most = most.maximum(SAME * variance[1:].mean(0).sqrt())
    clear = min(1.0, log(q / UNCLEAR) / log(EVIDENT / UNCLEAR))
    return variance[0] * (most.square() / variance[0]).clamp_max(1) ** clear


def flattened(
    model: NoiseModel, white: NoiseModel, curve: Tensor, rounding: float = ROUNDING
) -> NoiseModel:
    """White noise, if the model is about that; else the model.

    Args:
        model: as it was measured.
        white: what it would be as white noise.
        curve: how its std would go with brightness then, [17]: by its upper frequencies.
        rounding: std of that of 8-bit pixels; of a dark photo in mended light it is more.
    """
    order = orders()
    bands = [(order >= 0.25) & (order < 0.5), (order >= 0.5) & (order < 0.75), order >= 0.75]
    stds = torch.stack([model.spectrum[:, band].square().mean(1).sqrt() for band in bands], 1)
    by_light = bool(curve.max() > EVEN_CURVE * curve.min())

    # One noise for all channels, as of a grey photo: by grey's own upper frequencies. In mended
    # light colours that a codec has rounded away there have blotches all the same.
    if rounding <= ROUNDING and one_for_all(model):
        middle, upper, high = (float(std) / 3**0.5 for std in stds[0])
        level, (least, most) = (white.std * high) ** 0.5, sorted((upper, high))
        if most > EVEN * least or middle > ROUGH * most or not least / EVEN < level < most * EVEN:
            return model
        one = in_all_channels(NoiseModel.white(level), model.colours).scaled(level)
        return replace(one, curve=curve) if by_light else one

    # By the colours: photos have little texture in them, and grey is as they are or more.
    least, most = (float(end) for end in stds[1:, 1:].aminmax())
    middle, grey, level = float(stds[1:, 0].max()), float(stds[0, 1:].min()), white.std
    at_its_finest = as_fine(stds, level, rounding)
    if most > EVEN * least or min(grey, level, float(stds[1:, 0].min())) < most / EVEN:
        return model if at_its_finest is None else at_its_finest

    # Texture is all over grey: colours alone tell, unless a codec has left nothing of theirs.
    if max(level, middle) > least * EVEN or float(stds[0].max()) > TEXTURED * most:
        if at_its_finest is not None:
            return at_its_finest
        clear = least > CLEAR * rounding and middle < TINTED * least and model.sure < NOISE
        return NoiseModel.white(float(stds[1:, 1:].square().mean().sqrt())) if clear else model

    # White at each place, but not all over: photons.
    return replace(white, curve=curve, colours=model.colours) if by_light else white


def as_fine(stds: Tensor, level: float, rounding: float) -> NoiseModel | None:
    """White noise under texture in all directions, seen where photos have least; else None.

    That is the quieter of both colours at the highest frequencies: what has been demosaicked,
    shrunk or compressed falls off there, as texture does.

    Args:
        stds: of grey and both colours in [1/4, 1/2), [1/2, 3/4) and above, [3, 3].
        level: std of white noise, by the smoothest patches.
        rounding: that of the pixels' rounding.
    """
    quieter = stds[1:][int(stds[1:, 2].argmin())]
    upper, std = quieter[1:].tolist()

    alike = std / SAME < level < FINEST * std and std < SAME * float(stds[0, 2])
    white = alike and upper < FALLING * std and std > CLEAR * rounding
    return NoiseModel.white(std) if white else None


def one_for_all(model: NoiseModel) -> bool:
    """Whether there is noise in the tones alone, as if it had been drawn once for all channels."""
    upper = orders() >= 0.5
    tones, *others = (float(s[upper].square().mean().sqrt()) for s in model.spectrum)
    return max(others) < max(ONE * ROUNDING, FAINT * tones) < tones


def in_all_channels(model: NoiseModel, colours: Tensor = OPPONENT) -> NoiseModel:
    """The noise as grain that red, green and blue have in common, or the tones of one colour.

    Args:
        model: how its grey noise goes with frequency stays.
        colours: three directions in RGB, that of the tones first.
    """
    spectrum = torch.full_like(model.spectrum, ROUNDING)
    spectrum[0] = model.spectrum[0]
    return NoiseModel(spectrum, model.curve, colours)
