"""Whether noise that was taken away of a photo from a JPEG file was noise.

u = (r(colours) - CODEC_TINGED) / (CODEC_CLEANED - CODEC_TINGED), or with r(fine),
    and by lo - c / 2 at most, or at least; 1 where s is loud, white and gone of
    fine colours, or gone of low frequencies (`low_taken`)

r, lo, c: evidence.py; s: the noise's std by frequency, with the errors of the codec.
"""

from torch import Tensor

from gdp.restore.noise import NoiseModel
from gdp.restore.noise.doubt.evidence import (
    FINE,
    claimed_of,
    grain_taken,
    in_colours,
    loud_if_enlarged,
    low_taken,
    taken_of_colours,
)
from gdp.restore.noise.evenness import evenness
from operators.coded.compressed import Compressed
from operators.noise.bands import share_taken
from operators.tools.ramp import ramp

# Of photos from JPEG files the colours' r, their codec's errors counted as noise, and r(fine) where
# there is none in the colours, up to which nothing was noise, and from which all was: texture that
# was saved has up to 0.93, and up to 0.87 of r(fine), phones' noise from 0.95.
CODEC_TINGED, CODEC_CLEANED, CODEC_LEFT, CODEC_GONE = 0.93, 0.98, 0.88, 0.94

# Of grey files r(fine) of the noise alone likewise: texture has up to 0.76, noise 0.78 and more.
GREY_LEFT, GREY_GONE = 0.77, 0.84
GRAIN = 0.95  # `sure` from which white noise of grey in a photo in colour is judged as grain is

AS_DETAIL, AS_NOISE = (0.3, 0.7), (1.14, 1.25)  # of lo - c / 2: texture has -.1 to 1.12, noise .76
CODEC_MUCH = 0.02  # std of noise that is much there
ALL_COLOURS = (1.0, 1.06)  # of much noise the colours' r from which it is noise wherever it lies
WHITE = (0.8, 0.9)  # of white noise the colours' r(fine), likewise: noise has 0.9 and more
LOUD = (0.065, 0.08)  # std from which it is noise sooner, and surely: texture has up to .062
COLOURLESS, UNSEEN = 0.1, 0.0013  # std in the colours with none: as a share of grey's, or at all


def codec_sure(before: Tensor, after: Tensor, noise: NoiseModel, A: Compressed) -> float:
    """u above: how sure it is, 0 to 1, that what is borne out of a JPEG's noise was noise.

    What its codec broke is taken away, too, and makes any texture look like noise that is gone:
    only low frequencies and the colours tell, where codecs keep them, and where the noise has none
    how much of it is gone; and whether it went where x has detail, as texture does, or all over.

    Args:
        before, after: the photo and the result, [1, 3, H, W] in [-1, 1].
        noise: what was claimed.
        A: the operator, with its file's codec.
    """
    change, x, found = in_colours(before, after, noise)
    claimed = claimed_of(noise, A, before)

    grey, *others = noise.spectrum.square().mean((1, 2)).sqrt().tolist()
    even = evenness(change[0], x[0], found[0], None)
    where = ramp(even, *AS_DETAIL)
    colourless = max(others) < max(COLOURLESS * grey, UNSEEN)
    if A.jpeg.is_grey:
        sure = ramp(share_taken(change[0], found[0], *FINE), GREY_LEFT, GREY_GONE)
    elif colourless and noise.is_flat and noise.sure >= GRAIN:
        sure = grain_taken(change, noise, found)
    elif colourless:
        sure = ramp(share_taken(change[0], claimed[0], *FINE), CODEC_LEFT, CODEC_GONE)
    else:
        tint = taken_of_colours(change, claimed)
        sure = ramp(tint, CODEC_TINGED, CODEC_CLEANED)
        where = max(where, ramp(tint, *ALL_COLOURS) if noise.std >= CODEC_MUCH else 0.0)
    noisy = max(ramp(even, *AS_NOISE), ramp(noise.std, *LOUD))
    if not colourless:
        white = ramp(taken_of_colours(change, claimed, FINE), *WHITE) if noise.is_flat else 0.0
        noisy = max(noisy, low_taken(change, noise, found), white)
    return max(min(sure, where), noisy) * loud_if_enlarged(before, noise)
