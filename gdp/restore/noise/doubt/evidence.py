"""What a restoration's change of a photo shows of the noise that the photo was to have.

r(band)  = |C (y - x)| / |s|           grey; C: DCT-II, s: the noise's std by frequency
q        = what is fine in y - x, tile by tile, over what is fine in the noise claimed
lo, c    = median of q over the flattest quarter of the tiles of x;
           correlation of the log of what is fine in y - x with that of what is fine in x

little:  r(low) + r(middle) + r(fine) + (lo - c / 2 + sure) / 2
much:    the greatest of (lo - c / 2 - UNEVEN) / (EVEN - UNEVEN), (r(fine) - LEFT) / (GONE - LEFT)
         and, with the colours' r in [1/8, 1/4),
         (r(fine) + r(colours) - TINGED) / (CLEANED - TINGED), within 0 and 1
coded:   r(low) + r(colours) / 2, where the noise lies evenly                   (low_taken)
grain:   r(finest) + r(lower) / 2 of white noise that grey alone has in a JPEG  (grain_taken)

Of noise a restoration takes away about as much as there is, at low frequencies less, and all of it
where nothing hides it, which is where x is flat; texture that passed for noise it mostly leaves,
for it is what photos look like, and takes some of wherever there is most. Much noise that is
claimed in a photo full of texture is too much in grey at low frequencies, whatever it is: these are
not asked then. Noise of the colours is taken away all the same, for photos have next to none of
their own. White noise is found by other signs, and is hidden by the photo itself at low
frequencies: of it r(fine) tells, or that of the colours, where next to nothing hides it: all of
noise is gone there, however full of texture a photo is in grey.
"""

import torch
from torch import Tensor

from gdp.restore.noise import NoiseModel
from gdp.restore.noise.codec import of_steps
from gdp.restore.noise.evenness import evenness
from operators.base import Operator
from operators.coded.compressed import Compressed
from operators.noise.bands import share_taken, shares_taken
from operators.tools.enlarged import enlarged
from operators.tools.ramp import ramp

# By max(u, v) as a share of the highest frequency. Below the first, y - x is a change of light.
LOW, MIDDLE, FINE, TINT = (0.05, 0.125), (0.25, 0.5), (0.5, 0.9), (0.125, 0.25)
LOWER, FINEST = TINT, (0.9, 1.0)

# Of much noise, the shares up to which nothing was noise, and from which all was. Photos of texture
# without noise have lo - c / 2 up to 1.1, r(fine) up to 0.77, and up to 1.36 of r(fine) +
# r(colours); simulated phones' photos have 1.5 to 2 of that.
UNEVEN, EVEN = 1.12, 1.2
LEFT, GONE = 0.78, 0.88
TINGED, CLEANED = 1.36, 1.5

# The latter in photos that were enlarged: texture has up to 1.66 there, noise 1.55 to 1.95.
ENLARGED = (1.66, 1.76)

# Std of noise in [0, 1] units that an enlarged photo's texture is not taken for, and from which it
# is noise: texture is taken for up to 0.035.
LOUD_ENLARGED = (0.035, 0.045)

# Of white noise, of which more is taken; and of its colours at fine frequencies, of which it has
# 0.8 and more.
WHITE_LEFT, WHITE_GONE = 0.6, 0.75
WHITE_TINGED, WHITE_CLEANED = 0.7, 0.85

# Of noise in JPEGs, r(low) + r(colours) / 2 from which it is noise, and all of it, where it lies so
# evenly (`sure`). Of 40 texture files that lie as evenly and would lose by it, two, of one photo,
# have more than 0.9; of 128 crops from cameras at ISO 1600 to 12800, saved at 75 to 95, 82 have.
LOW_TAKEN, LIES_EVENLY = (0.9, 1.0), (0.65, 0.78)

# Of grain in JPEGs, the sum of its ratios up to which it was texture, and from which all was noise;
# and its std likewise, [0, 1] units. Codecs leave texture as little colour as grain has.
GRAIN_TAKEN, GRAIN_STD = (1.17, 1.23), (0.0175, 0.0195)

# The std of noise in [0, 1] units that hides nothing in the dark; and `sure` up to which more than
# that is none in a photo that stays dark, and from which it is. Dark rooms taken at ISO 3200 and
# 6400 have 0.68 to 1, leaves and walls that lack light 0.48 to 0.6; of 60 copies of ten dark photos
# with noise, fine or coarse, all but one of those with as much noise have 0.75 and more.
HIDES_NONE, DIM_SURE = 0.009, (0.55, 0.65)


def dark_share(A: Operator, noise: NoiseModel) -> float:
    """The share of its noise that a photo may lose which stays dark, and may lack light.

    What is fine there is small beside any noise, and is all that light would bring out; nobody sees
    noise in it until then. So it has to lie as evenly as noise does.

    Args:
        A: the operator; it says whether the photo is such a one.
        noise: what it was taken to have.
    """
    return ramp(noise.sure, *DIM_SURE) if A.dim and noise.std >= HIDES_NONE else 1.0


def taken_of_grey(before: Tensor, after: Tensor, noise: NoiseModel) -> float:
    """r(low) + r(middle), of pictures [1, 3, H, W] in [-1, 1] before and after a restoration."""
    change, _, claimed = in_grey(before, after, noise)
    return sum(shares_taken(change, claimed, (LOW, MIDDLE)))


def little_evidence(before: Tensor, after: Tensor, noise: NoiseModel) -> float:
    """What tells of little noise, above; arguments likewise."""
    change, x, claimed = in_grey(before, after, noise)
    taken = sum(shares_taken(change, claimed, (LOW, MIDDLE, FINE)))
    return taken + (evenness(change, x, claimed, None) + noise.sure) / 2


def in_grey(before: Tensor, after: Tensor, noise: NoiseModel) -> tuple[Tensor, Tensor, Tensor]:
    """y - x, x, and the noise's std by frequency, in grey [H, W]."""
    grey = noise.colours[0].to(before)
    y, x = (torch.einsum("c,chw->hw", grey, p[0]) for p in (before, after))
    return y - x, x, 2 * noise.at(*before.shape[-2:])[0, 0].to(before)


def in_colours(before: Tensor, after: Tensor, noise: NoiseModel) -> tuple[Tensor, Tensor, Tensor]:
    """The same in all directions of colour that the noise has, [3, H, W]."""
    x, y = (torch.einsum("kc,chw->khw", noise.colours.to(before), p[0]) for p in (after, before))
    return y - x, x, 2 * noise.at(*before.shape[-2:])[0].to(before)


def claimed_of(noise: NoiseModel, A: Operator, y: Tensor) -> Tensor:
    """The noise's std by frequency with the errors of A's codec, [3, H, W] in [-1, 1] units."""
    std = noise.at(*y.shape[-2:])[0]
    if isinstance(A, Compressed):
        codec = of_steps(A.jpeg.stored_steps, A.jpeg.factors, A.jpeg.orientation)
        std = torch.hypot(std, codec.scaled(A.rounding / 2).at(*y.shape[-2:])[0])
    return 2 * std.to(y)


def much_borne_out(before: Tensor, after: Tensor, noise: NoiseModel) -> float:
    """How far much noise is borne out, 0 to 1; arguments likewise."""
    change, x, claimed = in_colours(before, after, noise)
    gone = share_taken(change[0], claimed[0], *FINE)
    if noise.is_flat:
        tints = taken_of_colours(change, claimed, FINE)
        return max(ramp(gone, WHITE_LEFT, WHITE_GONE), ramp(tints, WHITE_TINGED, WHITE_CLEANED))

    # Where nothing hides it in grey, at the upper frequencies, and in the colours.
    gain = noise.gain((after + 1) / 2)
    even = evenness(change[0], x[0], claimed[0], None if gain is None else gain[0, 0])
    cleaned = gone + taken_of_colours(change, claimed)
    share = max(ramp(even, UNEVEN, EVEN), ramp(gone, LEFT, GONE), ramp(cleaned, TINGED, CLEANED))

    # Texture that was enlarged looks like blotches.
    most = max(ramp(cleaned, *ENLARGED), ramp(noise.std, *LOUD_ENLARGED))
    return most if most < share and enlarged(before) > 1 else share


def low_taken(change: Tensor, noise: NoiseModel, claimed: Tensor) -> float:
    """How far noise of a JPEG is borne out by what no codec touches, low frequencies; 0 to 1.

    Args:
        change, claimed: y - x and the noise's std by frequency, [3, H, W].
        noise: what was claimed.
    """
    low = share_taken(change[0], claimed[0], *LOW) + taken_of_colours(change, claimed) / 2
    return min(ramp(low, *LOW_TAKEN), ramp(noise.sure, *LIES_EVENLY))


def grain_taken(change: Tensor, noise: NoiseModel, claimed: Tensor) -> float:
    """How far white noise of grey alone, in a JPEG, is borne out; arguments as `low_taken`'s."""
    finest, lower = shares_taken(change[0], claimed[0], (FINEST, LOWER))
    return min(ramp(finest + lower / 2, *GRAIN_TAKEN), ramp(noise.std, *GRAIN_STD))


def loud_if_enlarged(before: Tensor, noise: NoiseModel) -> float:
    """How far noise of an enlarged JPEG is so much that it is some; 1 for other photos.

    What its codec broke goes with the texture that is taken for blotches, and so hides what it is.
    """
    loud = ramp(noise.std, *LOUD_ENLARGED)
    return loud if loud < 1 and enlarged(before) > 1 else 1.0


def taken_of_colours(change: Tensor, claimed: Tensor, band: tuple[float, float] = TINT) -> float:
    """r(colours): its rms over both, of y - x and the noise's std by frequency, [3, H, W]."""
    tints = [share_taken(change[k], claimed[k], *band) ** 2 for k in (1, 2)]
    return float((sum(tints) / 2) ** 0.5)
