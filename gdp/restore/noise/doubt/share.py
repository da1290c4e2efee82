"""Whether what was taken for noise was noise: the prior's own word on it, after the restoration.

little noise   the evidence of evidence.py between NONE and ALL: none, some or all was noise;
               from SURELY all of it, if it is hardly seen and but a part was to go (`takes`);
               what was doubtful before is asked for more, the more so the less even it lies
much           its share, likewise
of a JPEG      the share times u (jpegs.py);
               MENDS times its codec's errors over |y - x| at least, for that mends what it broke

any but white  times how far it stands out from the photo's detail (detail.py)

So the claim is borne out, or not, and the result goes back towards the photo. Whether a soft photo
is to be sharpened is told by the low and middle frequencies alone, for it has no others.

Where light was mended the same is asked of what the photo alone shows. Noise that lies as evenly as
noise does (`sure`) is believed there, for it was hidden by the dark; and noise that is less where
the result is brighter, for mending brings out most in the dark. Texture grows with the light on it.
"""

from torch import Tensor

from gdp.picture import to_model
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.doubt.detail import stands_out
from gdp.restore.noise.doubt.evidence import (
    little_evidence,
    much_borne_out,
    taken_of_grey,
)
from gdp.restore.noise.doubt.jpegs import CODEC_MUCH, codec_sure
from operators.base import Operator
from operators.coded.compressed import Compressed, before_codec
from operators.identity import COMPRESSED, Identity
from operators.noise.painted import painted, rest
from operators.tools.ramp import ramp

# Evidence up to which none of little noise was noise, and from which all was. Real cameras' noise
# has 2.6 to 4.4 but for few, photos of texture without noise 1.8 to 2.7, and up to 3.2 where it is
# less than 1.6 levels of 255. From SURELY such noise is noise, too, if its `sure` said so before.
NONE, ALL, SURELY, SURE_BEFORE = 2.6, 2.9, (3.0, 3.3), (0.4, 0.55)

# The same of noise that may be texture (`doubtful`), and the `sure` from which it lies even enough;
# what that lacks is taken off. Hair, skin and leaves have 2.5 to 2.85 then, noise 3.0 and more.
DOUBTFUL, EVEN_ENOUGH = (2.85, 3.0), 0.5

# The sum of both ratios of grey alone up to which a soft photo has texture, and from which noise.
# Of real cameras' noise 1.2 to 2.0 is taken, of softened texture up to 1.0.
# In mended light, where noise was hidden by the dark, less is asked for.
SOFT_NONE, SOFT_ALL, MENDED_NONE, MENDED_ALL = 1.0, 1.2, 0.92, 1.08

# `sure` of what a mended photo shows from which its noise is believed a little, and altogether.
EVENLY = (0.72, 0.85)

# The same of how much less there is of it in the brightest places than in the darkest, as a log.
FALLS = (0.2, 0.5)

# Std of noise, [0, 1] units, that is much; and if it is white, a soft photo's or of mended light.
MUCH, RATHER_MUCH = 0.014, 0.018

MENDS = 0.6  # |y - x| over the codec's errors up to which it mends them: without noise .4 to .56
LEAST = 64  # pixels a side, below which bands hold too little to judge by


def noise_share(pixels: Tensor, A: Operator, y: Tensor, noise: NoiseModel) -> float:
    """How far a denoised photo bears out the noise that it was to have, 0 to 1.

    Args:
        pixels: the result [S, 3, H, W] in [0, 1]; the first sample is looked at.
        A: the operator; of others than the identity nothing is said.
        y: the photo [1, 3, H, W] in [-1, 1].
        noise: what it was taken to have, in [0, 1] units.

    Returns:
        The share of the change that is to be kept, `takes` of it at most where it may be meant.
    """
    if not judged(pixels, A, y):
        return A.takes
    x, y = to_model(pixels[:1]).to(y), y[:1]
    share = borne_out(x, A, y, noise)
    if share == 0 or noise.is_flat:
        return share
    x, y = apart(x, y)
    return share * stands_out(y, x, noise, A)


def borne_out(x: Tensor, A: Operator, y: Tensor, noise: NoiseModel) -> float:
    """The share by the evidence alone; x, y: the result and the photo [1, 3, H, W] in [-1, 1]."""
    takes, mends = A.takes, 0.0
    if isinstance(A, Compressed):
        # What mends no more than its codec broke is kept, whatever the noise is.
        error = max(A.jpeg.error(y), 1e-6)
        takes = 1.0 if error > COMPRESSED else takes
        mends = MENDS * error / max(float((x - y).square().mean().sqrt()), 1e-6)
        if mends >= 1:
            return takes
    x, y = apart(x, y)
    much = CODEC_MUCH if isinstance(A, Compressed) else RATHER_MUCH if noise.is_flat else MUCH
    if noise.std >= much:
        share, sure = much_borne_out(y, x, noise), 0.0
    elif noise.is_flat:
        share, sure = 1.0, 0.0
    else:
        told = little_evidence(y, x, noise)
        share = ramp(told, NONE, ALL)
        if noise.doubtful:
            share = ramp(told - max(0.0, EVEN_ENOUGH - noise.sure), *DOUBTFUL)
        sure = min(ramp(told, *SURELY), ramp(noise.sure, *SURE_BEFORE))
    if not isinstance(A, Compressed):
        return share * (takes + (1 - takes) * sure)
    return takes * max(share * codec_sure(y, x, noise, A), mends)


def was_noise(pixels: Tensor, A: Operator, y: Tensor, noise: NoiseModel) -> float:
    """How sure it is that what was taken of a soft photo was noise, 0 to 1; arguments likewise."""
    if not judged(pixels, A, y):
        return 1.0
    x, y = apart(to_model(pixels[:1]).to(y), y)
    if noise.std < (CODEC_MUCH if isinstance(A, Compressed) else RATHER_MUCH):
        share = grey_borne_out(y[:1], x, noise, SOFT_NONE, SOFT_ALL)
    else:
        share = much_borne_out(y[:1], x, noise)
    return share * codec_sure(y[:1], x, noise, A) if isinstance(A, Compressed) else share


def apart(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """A result and its photo without what has no noise, if what is left is no scrap."""
    still = painted(y[:1])
    rows, columns = (slice(None),) * 2 if still is None else rest(still)
    part = y[..., rows, columns]
    return (x[..., rows, columns], part) if min(part.shape[-2:]) >= LEAST else (x, y)


def judged(pixels: Tensor, A: Operator, y: Tensor) -> bool:
    """Whether there was nothing but noise to undo, and the photo is no scrap."""
    plain = before_codec(A)
    alike = y.shape[1:] == pixels.shape[1:] and y.shape[1] == 3
    denoised = isinstance(plain, Identity) and not plain.leaves
    return denoised and alike and min(y.shape[-2:]) >= LEAST


def mended_noise_share(pixels: Tensor, A: Operator, y: Tensor, noise: NoiseModel) -> Tensor:
    """How much of the noise of what a photo in mended light shows is to be taken away.

    Args:
        pixels: the result [S, 3, H, W] in [0, 1]; the first sample is looked at.
        A: the light as bound.
        y: the photo [1, 3, H, W] in [-1, 1].
        noise: what the photo shows in that light was taken to have, in [0, 1] units.

    Returns:
        0 to 1 at each place [1, 3, H, W].
    """
    shown, x = to_model(A.developed(y)), to_model(pixels[:1]).to(y)
    gone = grey_borne_out(shown, x, noise, MENDED_NONE, MENDED_ALL)
    share = max(ramp(noise.sure, *EVENLY), ramp(noise.falls, *FALLS), gone)
    if noise.std >= RATHER_MUCH and min(x.shape[-2:]) >= LEAST:
        share = max(share, much_borne_out(shown, x, noise))
    return share * A.brought_out()


def grey_borne_out(
    before: Tensor, after: Tensor, noise: NoiseModel, none: float, all_of_it: float
) -> float:
    """The share by grey's low and middle frequencies, between two sums of their ratios."""
    # Noise that is white but for the light on it is found as white noise is.
    if noise.is_flat or min(before.shape[-2:]) < LEAST:
        return 1.0
    return ramp(taken_of_grey(before, after, noise), none, all_of_it)
