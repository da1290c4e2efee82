"""Whether what was taken for noise was noise: the prior's own word on it, after the restoration.

r(band)  = |C (y - x)| / |s|           grey; C: DCT-II, s: the noise's std by frequency
q        = what is fine in y - x, tile by tile, over what is fine in the noise claimed
lo, c    = median of q over the flattest quarter of the tiles of x;
           correlation of the log of what is fine in y - x with that of what is fine in x

little claimed:  share = (r(low) + r(middle) - NONE) / (ALL - NONE), within 0 and 1
much:            the greatest of (lo - c / 2 - UNEVEN) / (EVEN - UNEVEN),
                 (r(fine) - LEFT) / (GONE - LEFT) and, with the colours' r in [1/8, 1/4),
                 (r(fine) + r(colours) - TINGED) / (CLEANED - TINGED), likewise

of a JPEG:       s with the errors of its codec;  the share times u + (1 - u) STEP / |y - x|,
                 u = (r(colours) - CODEC_TINGED) / (CODEC_CLEANED - CODEC_TINGED), or with r(fine),
                     and by lo - c / 2 at most, or at least; 1 where s is loud

Of noise a restoration takes away about as much as there is, at low frequencies less, and all of it
where nothing hides it, which is where x is flat; texture that passed for noise it mostly leaves,
for it is what photos look like, and takes some of wherever there is most. So the claim is borne
out, or not, and the result goes back towards the photo. Much noise that is claimed in a photo full
of texture is too much in grey at low frequencies, whatever it is: these are not asked then. Noise
of the colours is taken away all the same, for photos have next to none of their own. White noise is
found by other signs, and is hidden by the photo itself at low frequencies: of it, r(fine) tells.

Where light was mended the same is asked of what the photo alone shows. Noise that lies as evenly as
noise does (`sure`) is believed there, for it was hidden by the dark; and noise that is less where
the result is brighter, for mending brings out most in the dark. Texture grows with the light on it.
"""

import torch
from torch import Tensor

from gdp.picture import to_model
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.evenness import evenness
from gdp.restore.noise.sources import of_steps
from operators.base import Operator
from operators.coded.compressed import Compressed
from operators.identity import Identity
from operators.noise.bands import share_taken

# By max(u, v) as a share of the highest frequency. Below the first, y - x is a change of light.
LOW, MIDDLE = (0.05, 0.125), (0.25, 0.5)

# The sum of both ratios up to which nothing was noise, and from which all was. Real cameras' noise
# has 1.2 to 2.0, photos of texture without noise 0.4 to 0.9, a lens's of fine detail up to 1.0.
# In mended light, where noise was hidden by the dark, less is asked for.
NONE, ALL = 1.0, 1.2
MENDED_NONE, MENDED_ALL = 0.92, 1.08

# `sure` of what a mended photo shows from which its noise is believed a little, and altogether.
SURELY = (0.72, 0.85)

# The same of how much less there is of it in the brightest places than in the darkest, as a log.
FALLS = (0.2, 0.5)

# Std of noise, [0, 1] units, that is much; of it, the shares up to which nothing was noise, and
# from which all was. Photos of texture without noise have lo - c / 2 up to 1.05, r(fine) up to
# 0.77, and up to 1.36 of r(fine) + r(colours); simulated phones' photos have 1.5 to 2 of that.
MUCH, FINE, TINT = 0.018, (0.5, 0.9), (0.125, 0.25)
UNEVEN, EVEN = 1.06, 1.15
LEFT, GONE = 0.78, 0.88
TINGED, CLEANED = 1.36, 1.5
WHITE_LEFT, WHITE_GONE = 0.6, 0.75  # of white noise, of which more is taken

# The same of photos from JPEG files: of the colours' r in TINT, their codec's errors counted as
# noise, and of r(fine) where there is none in the colours; and what moves a photo by 38 dB, rms in
# [-1, 1] units. Texture that was saved has up to 0.84, and up to 0.87 of r(fine).
CODEC_TINGED, CODEC_CLEANED, CODEC_LEFT, CODEC_GONE, STEP = 0.72, 0.9, 0.88, 0.94, 0.0252
AS_DETAIL, AS_NOISE = (0.3, 0.7), (1.14, 1.25)  # of lo - c / 2: texture has -.1 to 1.12, noise .76
CODEC_MUCH = 0.02  # std of noise that is much there
LOUD = (0.065, 0.08)  # std from which it is noise sooner, and surely: texture has up to .062
COLOURLESS = 0.1  # noise of the colours, as a share of grey's, up to which there is none

LEAST = 64  # pixels a side, below which bands hold too little to judge by


def noise_share(pixels: Tensor, A: Operator, y: Tensor, noise: NoiseModel) -> float:
    """How far a denoised photo bears out the noise that it was to have, 0 to 1.

    Args:
        pixels: the result [S, 3, H, W] in [0, 1]; the first sample is looked at.
        A: the operator; of others than the identity nothing is said.
        y: the photo [1, 3, H, W] in [-1, 1].
        noise: what it was taken to have, in [0, 1] units.

    Returns:
        The share of the change that is to be kept.
    """
    if not judged(pixels, A, y):
        return 1.0
    x = to_model(pixels[:1]).to(y)
    share = share_of_all(y[:1], x, A, noise)
    if not isinstance(A, Compressed):
        return share

    # What is not borne out may move a photo by STEP, for its codec's errors are among it.
    sure, moved = codec_sure(y[:1], x, noise, A), float((x - y[:1]).square().mean().sqrt())
    return share * (sure + (1 - sure) * min(1.0, STEP / max(moved, 1e-6)))


def was_noise(pixels: Tensor, A: Operator, y: Tensor, noise: NoiseModel) -> float:
    """How sure it is that what a restoration took away was noise, 0 to 1; arguments likewise."""
    if not judged(pixels, A, y):
        return 1.0
    x = to_model(pixels[:1]).to(y)
    share = share_of_all(y[:1], x, A, noise)
    return share * codec_sure(y[:1], x, noise, A) if isinstance(A, Compressed) else share


def judged(pixels: Tensor, A: Operator, y: Tensor) -> bool:
    """Whether there was nothing but noise to undo, and the photo is no scrap."""
    plain = A.A if isinstance(A, Compressed) else A
    alike = y.shape[1:] == pixels.shape[1:] and y.shape[1] == 3
    denoised = isinstance(plain, Identity) and not plain.leaves
    return denoised and alike and min(y.shape[-2:]) >= LEAST


def share_of_all(y: Tensor, x: Tensor, A: Operator, noise: NoiseModel) -> float:
    """The share that is borne out, of little noise or of much, whatever a codec did."""
    much = CODEC_MUCH if isinstance(A, Compressed) else MUCH
    return (borne_out if noise.std < much else much_borne_out)(y, x, noise)


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
    gone = borne_out(shown, x, noise, (MENDED_NONE, MENDED_ALL))
    share = max(ramp(noise.sure, *SURELY), ramp(noise.falls, *FALLS), gone)
    if noise.std >= MUCH and min(x.shape[-2:]) >= LEAST:
        share = max(share, much_borne_out(shown, x, noise))
    return share * A.brought_out()


def borne_out(
    before: Tensor, after: Tensor, noise: NoiseModel, ends: tuple[float, float] = (NONE, ALL)
) -> float:
    """The share above, of pictures [1, 3, H, W] in [-1, 1] before and after a restoration."""
    # Noise that is white but for the light on it is found as white noise is.
    if noise.is_flat or min(before.shape[-2:]) < LEAST:
        return 1.0

    change = torch.einsum("c,chw->hw", noise.colours[0].to(before), before[0] - after[0])
    claimed = 2 * noise.at(*before.shape[-2:])[0, 0].to(before)
    taken = sum(share_taken(change, claimed, *band) for band in (LOW, MIDDLE))
    return ramp(taken, *ends)


def codec_sure(before: Tensor, after: Tensor, noise: NoiseModel, A: Compressed) -> float:
    """u above: how sure it is, 0 to 1, that what is borne out of a JPEG's noise was noise.

    What its codec broke is taken away, too, and makes any texture look like noise that is gone:
    only the colours tell, at the frequencies that codecs keep of them, and where the noise has none
    how much of it is gone; and whether it went where x has detail, as texture does, or everywhere
    alike, which is noise whatever the colours are.

    Args:
        before, after: the photo and the result, [1, 3, H, W] in [-1, 1].
        noise: what was claimed.
        A: its file's codec.
    """
    x, y = (torch.einsum("kc,chw->khw", noise.colours.to(before), p[0]) for p in (after, before))
    jpeg, size = A.jpeg, before.shape[-2:]
    codec = of_steps(jpeg.stored_steps, jpeg.factors, jpeg.orientation).scaled(A.rounding / 2)
    claimed = 2 * torch.hypot(noise.at(*size)[0], codec.at(*size)[0]).to(before)

    grey, *others = noise.spectrum.square().mean((1, 2)).sqrt().tolist()
    if max(others) < COLOURLESS * grey:
        sure = ramp(share_taken(y[0] - x[0], claimed[0], *FINE), CODEC_LEFT, CODEC_GONE)
    else:
        tints = [share_taken(y[k] - x[k], claimed[k], *TINT) ** 2 for k in (1, 2)]
        sure = ramp((sum(tints) / 2) ** 0.5, CODEC_TINGED, CODEC_CLEANED)
    even = evenness(y[0] - x[0], x[0], 2 * noise.at(*size)[0, 0].to(before), None)
    noisy = max(ramp(even, *AS_NOISE), ramp(noise.std, *LOUD))
    return max(min(sure, ramp(even, *AS_DETAIL)), noisy)


def much_borne_out(before: Tensor, after: Tensor, noise: NoiseModel) -> float:
    """The same of much noise; arguments as `borne_out` has them."""
    x, y = (torch.einsum("kc,chw->khw", noise.colours.to(before), p[0]) for p in (after, before))
    claimed = 2 * noise.at(*before.shape[-2:])[0].to(before)
    gone = share_taken(y[0] - x[0], claimed[0], *FINE)
    if noise.is_flat:
        return ramp(gone, WHITE_LEFT, WHITE_GONE)

    # Where nothing hides it in grey, at the upper frequencies, and in the colours.
    gain = noise.gain((after + 1) / 2)
    even = evenness(y[0] - x[0], x[0], claimed[0], None if gain is None else gain[0, 0])
    tints = [share_taken(y[k] - x[k], claimed[k], *TINT) ** 2 for k in (1, 2)]
    cleaned = gone + (sum(tints) / 2) ** 0.5
    return max(ramp(even, UNEVEN, EVEN), ramp(gone, LEFT, GONE), ramp(cleaned, TINGED, CLEANED))


def ramp(value: float, low: float, high: float) -> float:
    """0 up to `low`, 1 from `high`."""
    return min(1.0, max(0.0, (value - low) / (high - low)))
