"""A photo whose noise turned out to be texture: it is sharpened, where its task does that as well.

Texture that a blur has softened looks like noise, by its spectrum and by where it lies. What tells
is what a restoration takes away of it (noise/doubt), so that the photo is restored first as one
with noise, and again where that bore out less than half of it; or where the photo was enlarged,
and less than half of what was taken away would stay away; or surely blurred, for noise does not
fall as a blurred photo does. What lies as evenly as noise does (`sure`) in a photo that is hardly
soft may be noise all the same: it is left as it is.
"""

import logging
from typing import Any, cast

from gdp.picture import to_image
from gdp.restore.noise.doubt.evidence import dark_share
from gdp.restore.noise.doubt.share import noise_share, was_noise
from gdp.restore.noise.model import SURE
from gdp.restore.observe import Measurement
from gdp.restore.setup import Setup
from gdp.restore.several.agreement import agree
from operators.base import Operator
from operators.tools.enlarged import enlarged, softly
from operators.unchanged import Unchanged
from samplers.restorer import Restored

HALF = 0.5  # `was_noise` below which it is texture: softened texture has up to .4, noise 1
SLIGHT = 0.5  # pixels of softness, below which a photo may be sharp
TEXTURE = "what was found as noise is texture rather: it is sharpened in place of denoised"
EITHER = "what was found as noise may be texture as well; it is left as it is"
log = logging.getLogger("gdp")


def sharpens(measurement: Measurement, restored: Restored, setup: Setup) -> Operator | None:
    """What is to restore a photo again, whose noise was texture; None where it was noise.

    Args:
        measurement: the photo.
        restored: what became of it as one with noise, [S, 3, H, W] in [-1, 1].
        setup: of a film, whose frames are to be alike, every frame is left as it became.
    """
    other, noise = measurement.otherwise, measurement.noise
    if other is None or noise is None or measurement.first is not None or setup.config["video"]:
        return None
    A, y = restored.operator, measurement.y
    if A.leaves:
        return None
    pixels = agree(to_image(restored.x[:1]), A, y, measurement.photo.rounding)
    textured = other.certain or was_noise(pixels, A, y, noise) < HALF
    if not textured and softly(enlarged(y)):
        kept = dark_share(A, noise) * noise_share(pixels, A, y, noise) / A.takes
        textured = kept < HALF
    if not textured:
        return None
    if noise.sure >= SURE and float(cast(Any, other.describe(y)["softness"])) < SLIGHT:
        return Unchanged(EITHER).with_noise(A.sigma_y)
    log.warning("%s: %s", measurement.name, TEXTURE)
    return other
