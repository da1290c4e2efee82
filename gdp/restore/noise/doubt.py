"""Whether what was taken for noise was noise: the prior's own word on it, after the restoration.

r(band)  = |C (y - x)| / |s|           grey; C: DCT-II, s: the noise's std by frequency
share    = (r(low) + r(middle) - NONE) / (ALL - NONE), within 0 and 1

Of noise a restoration takes away about as much as there is, at low frequencies less; texture that
passed for noise it mostly leaves, for it is what photos look like. So little taken away of much
that was claimed speaks against the claim, and the result goes back towards the photo. White noise
is found by other signs, and is hidden by the photo itself at low frequencies: it is not doubted.

Where light was mended the same is asked of what the photo alone shows. Noise that lies as evenly as
noise does (`sure`) is believed there, for it was hidden by the dark.
"""

import torch
from torch import Tensor

from gdp.picture import to_model
from gdp.restore.noise import NoiseModel
from operators.base import Operator
from operators.coded.compressed import Compressed
from operators.identity import Identity
from operators.noise.bands import share_taken

# By max(u, v) as a share of the highest frequency. Below the first, y - x is a change of light.
LOW, MIDDLE = (0.05, 0.125), (0.25, 0.5)

# The sum of both ratios up to which nothing was noise, and from which all was. Real cameras' noise
# has 1.0 to 1.9, photos of texture without noise 0.4 to 0.9.
NONE, ALL = 0.92, 1.08

# `sure` of what a mended photo shows from which its noise is believed a little, and altogether.
SURELY = (0.72, 0.85)

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
    plain = A.A if isinstance(A, Compressed) else A
    alike = y.shape[1:] == pixels.shape[1:] and y.shape[1] == 3
    if not isinstance(plain, Identity) or plain.leaves or not alike:
        return 1.0
    return borne_out(y[:1], to_model(pixels[:1]).to(y), noise)


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
    low, high = SURELY
    sure = min(1.0, max(0.0, (noise.sure - low) / (high - low)))
    shown = to_model(A.developed(y))
    share = max(sure, borne_out(shown, to_model(pixels[:1]).to(y), noise))
    return share * A.brought_out()


def borne_out(before: Tensor, after: Tensor, noise: NoiseModel) -> float:
    """The share above, of pictures [1, 3, H, W] in [-1, 1] before and after a restoration."""
    # Noise that is white but for the light on it is found as white noise is.
    if noise.is_flat or min(before.shape[-2:]) < LEAST:
        return 1.0

    change = torch.einsum("c,chw->hw", noise.colours[0].to(before), before[0] - after[0])
    claimed = 2 * noise.at(*before.shape[-2:])[0, 0].to(before)
    taken = sum(share_taken(change, claimed, *band) for band in (LOW, MIDDLE))
    return min(1.0, max(0.0, (taken - NONE) / (ALL - NONE)))
