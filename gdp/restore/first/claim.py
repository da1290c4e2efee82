"""A photo restored again with less noise, where much was claimed that was not there.

lo      = share of the claim that a restoration took where nothing hides noise: where x is flat
again   : with lo times the std, if lo < STANDS; of much noise alone

Where a photo is full of texture none of its patches are smooth, and what they have of it is counted
as noise, up to twice what there is. The prior knows what photos look like: of noise that is there
it takes all in the flattest places, of a claim that is too large about what is there. What was
borne out before of the noise is not less so now.
"""

from typing import NamedTuple

from torch import Tensor

from gdp.picture import to_image, to_model
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.compression import compressed
from gdp.restore.noise.doubt.evidence import in_grey
from gdp.restore.noise.doubt.share import judged, noise_share
from gdp.restore.noise.evenness import taken_where_flat
from gdp.restore.observe import Measurement
from gdp.restore.setup import AUTO, Setup
from gdp.restore.several.agreement import agree
from operators.base import Operator
from operators.coded.compressed import Compressed, before_codec
from samplers.restorer import Restored

MUCH = 0.05  # std of noise, [0, 1] units, from which a claim is looked at: less is judged well
STANDS = 0.85  # lo from which a claim stands: of noise .9 to 1.1
LEAST = 0.4  # lo at least


class Claim(NamedTuple):
    """What y is taken to be now."""

    operator: Operator
    noise: NoiseModel
    share: float  # of the noise that was borne out before, see noise/doubt


def smaller(measurement: Measurement, restored: Restored, setup: Setup) -> Claim | None:
    """The next claim; None where the one that was made stands, or another was told.

    Args:
        measurement: the photo, with the noise that was claimed.
        restored: what became of it so, [S, 3, H, W] in [-1, 1].
        setup: of a film, whose frames are to be alike, every claim stands.
    """
    A, y, noise, config = restored.operator, measurement.y, measurement.noise, setup.config
    told = config["noise"] != AUTO or config["degrade"]  # a std alone, where it stands, is white
    if told or config["video"] or noise is None or noise.is_flat or noise.std < MUCH:
        return None
    pixels = agree(to_image(restored.x[:1]), A, y, measurement.photo.rounding)
    if measurement.first is not None or not judged(pixels, A, y):
        return None

    lo = taken_where_flat(*in_grey(y[:1], to_model(pixels).to(y), noise))
    if lo >= STANDS:
        return None
    share = noise_share(pixels, A, y, noise) if setup.doubts(noise.is_flat) else 1.0
    less = noise.scaled(max(lo, LEAST) * noise.std).at_least(measurement.photo.rounding)
    return Claim(claimed(measurement.operator, y, less), less, share)


def claimed(A: Operator, y: Tensor, noise: NoiseModel) -> Operator:
    """The operator of a photo with such noise, and its file's codec as it was."""
    plain = before_codec(A).with_noise(2 * noise.std).with_whitening(noise.whiten)
    return compressed(plain, y, A.jpeg, noise, True) if isinstance(A, Compressed) else plain
