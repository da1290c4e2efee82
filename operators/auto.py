"""The degradation of a photo as it is, found by looking at it.

dark     logit(median) + 3/4 logit(99 %) < -2.3  -> Light, y = f phi(x) + M, as far as is sure
soft     edges wider than those of sharp photos  -> SoftBlur, from 0.5 pixels
shaken   two parts agree on a camera's path      -> ShakenBlur
noisy    noise, or a compression's errors        -> Identity: what is left is y's noise
else                                             -> Unchanged: the photo is as good as it gets

Both quantiles are of max_c over a small picture (operators/light/darkness.py). What has nothing
bright may be the dark part of a scene, so that it is brightened by less than what task=lowlight is
told is dark, the less the nearer it is to where no photo is dark.

Noise and JPEG's tables are part of y's noise whatever is found (gdp/restore/observe.py), so each of
these is one inverse problem, but for a dark JPEG: its compression is undone before its light is
mended (gdp/restore/several/chain.py). What is surely haze or a cast is taken out at the end
(operators/light/sure/mending.py); else these, and size, are named, not undone: they may be meant.
"""

from pathlib import Path

from torch import Tensor

from operators.base import Operator
from operators.blur.blind.shaken import ShakenBlur, shaken
from operators.blur.fall import blurred_with
from operators.blur.slight import MAY_BE
from operators.blur.soft import QUIET, SHARP_ALREADY, SoftBlur
from operators.blur.softness import softness
from operators.coded.compressed import compression_of
from operators.coded.jpeg import JPEG
from operators.identity import COMPRESSED, Identity
from operators.light.darkness import goal_of, may_lack
from operators.light.light import Light
from operators.light.scattering.dark_channel import DarkChannel
from operators.light.sure.mending import Mending, mending
from operators.light.white_balance import colour_cast
from operators.missing.stains import stained
from operators.tools.enlarged import enlarged, hardly_soft
from operators.tools.rms import rms_of
from operators.tools.units import to_pixels
from operators.unchanged import Unchanged

# The mean below which a photo may be too dark.
DIM = 0.2

# How evenly noise lies over a dark photo that surely is some, as `sure` has it.
SURELY = 0.75

# Gains between channels, and transmission at its least, from which a cast and haze are named.
CAST, HAZY = 1.3, 0.6

# Pixels along the longer side up to which a photo is small.
SMALL = 400

# Softness in pixels up to which sharp photos have it too; and from which it is more often depth of
# field, movement or a lens's own than a Gaussian.
SLIGHT, WIDE = 0.53, 1.2

# Share of such softness, beyond what is undone of any, that is undone, unless a Gaussian has surely
# blurred; and the share of any softness from which none is left to be told of.
LITTLE, UNDONE = 0.01, 0.8


class FromPhoto(Identity):
    """What a photo seems to suffer from; `for_photo` gives its operator.

    Args:
        share: of wide softness that is undone, see SoftBlur.
        clear: times its noise that a photo's signal must be to be sharpened, see SoftBlur.

    Attributes:
        sharpens: whether what is soft is sharpened.
        textured: whether what was found as its noise turned out to be texture.
    """

    careful = True
    sharpens: bool = True
    textured: bool = False
    jpeg: JPEG | None

    def __init__(self, share: float = 0.5, clear: float = 6.5):
        super().__init__()
        self.share, self.clear, self.jpeg = share, clear, None

    def for_file(self, file: Path) -> Operator:
        """The same, with the tables of a photo from a JPEG file."""
        same = self.with_noise(self.sigma_y)
        same.jpeg = compression_of(file)
        return same

    def denoising(self) -> "FromPhoto":
        same = self.with_noise(self.sigma_y)
        same.sharpens = False
        return same

    def for_texture(self) -> "FromPhoto":
        same = self.with_noise(self.sigma_y)
        same.clear, same.textured = 0.0, True
        return same

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The operator of this photo; its `findings` say what was found, and what is done.

        Args:
            photo: [1, 3, H, W] in [-1, 1].
            noise: std of its noise: a number, or [..., H, W] by frequency.
        """
        level = rms_of(noise)
        error = 0.0 if self.jpeg is None else self.jpeg.to(photo.device).error(photo)
        pixels, times = to_pixels(photo).clamp(0, 1), enlarged(photo)
        soft = 0.0 if hardly_soft(times) else softness(photo)
        goal = goal_of(pixels, level / 2 if self.sure >= SURELY else 0.0)
        dark = goal is not None

        # The one thing to undo besides noise.
        share = self.share if soft < WIDE else LITTLE
        blur = SoftBlur(share=share, denoise=True, clear=self.clear).with_noise(self.sigma_y)
        blur.gaussian_alone = self.textured
        looks = self.sharpens and not (dark or self.textured or self.moving)
        moved = shaken(photo, noise, soft) if looks else None
        if dark:
            light = Light()
            light.goal = goal
            operator: Operator = light.with_noise(self.sigma_y)
        elif moved is not None:
            operator = moved.with_noise(self.sigma_y)
        elif soft > SLIGHT and self.sharpens:
            operator = blur.undoing(photo, noise, soft)
        else:
            operator = blur.as_it_is(noise, SHARP_ALREADY if soft < MAY_BE else "")
        if isinstance(operator, Unchanged) and error > COMPRESSED:
            operator = Identity().with_noise(self.sigma_y)
        if error > COMPRESSED:
            operator.takes = 1.0
        operator.dim = not dark and isinstance(operator, Identity) and may_lack(pixels)

        mended = None if dark else mending(pixels)
        operator.mending = mended
        found = self.found(pixels, operator, level, error, times)
        loud = level > QUIET or self.jpeg is not None
        undone = isinstance(operator, SoftBlur) and float(operator.sigma) > UNDONE * soft
        undone = undone or moved is not None
        notes = left(pixels, 0.0 if undone else soft, dark, loud, mended)
        operator.findings = (found, done(operator, level, error, mended), *notes)
        return operator

    def blurred_with(self, photo: Tensor, std: Tensor, rounding: float) -> bool:
        return blurred_with(photo, std, rounding)

    def found(
        self, pixels: Tensor, operator: Operator, level: float, error: float, times: float
    ) -> str:
        """What was found, in a line."""
        H, W = pixels.shape[-2:]
        grey = bool((pixels - pixels.mean(1, keepdim=True)).abs().max() < 2 / 255)
        facts = [f"{W}x{H}"]
        facts += ["grey"] if grey else []
        facts.append(f"noise of {level / 2:.3f}")
        facts += [f"JPEG, errors of about {error / 2:.3f}"] if self.jpeg is not None else []
        facts += [f"enlarged {times:.2g} times"] if times > 1 else []
        facts += ["dark"] if isinstance(operator, Light) else []
        if isinstance(operator, SoftBlur):
            facts.append(f"soft by {operator.found:.1f} pixels")
        if isinstance(operator, ShakenBlur):
            facts.append(f"blurred by the camera's movement over {operator.extent:.0f} pixels")
        return "found: " + ", ".join(facts)


def done(operator: Operator, level: float, error: float, mended: Mending | None = None) -> str:
    """What is done about it, in a line."""
    last = [] if mended is None else list(mended.words)
    if isinstance(operator, Unchanged):
        return "to do: " + ", ".join(last) if last else "nothing to do: the photo is left as it is"

    steps = []
    if isinstance(operator, Light):
        steps.append("brighten it")
    if level > QUIET:
        part = f" ({operator.takes:.0%} of it, unless it is surely noise)"
        steps.append(f"take the noise away{'' if operator.takes == 1 else part}")
    if error > COMPRESSED:
        steps.append("smooth what its compression broke")
    if isinstance(operator, SoftBlur):
        steps.append("sharpen it as far as it bears")
    if isinstance(operator, ShakenBlur):
        steps.append("undo the camera's movement")
    return "to do: " + ", ".join((steps or ["take the noise away"]) + last)


def left(
    pixels: Tensor, soft: float, dark: bool, loud: bool, mended: Mending | None = None
) -> tuple[str, ...]:
    """What is left to tasks that must be asked for: a line, or none.

    Args:
        pixels: the photo [1, 3, H, W] in [0, 1].
        soft: by how many pixels.
        dark: whether that is mended.
        loud: whether it has noise, or was compressed.
        mended: what is taken out at the end.
    """
    whole = () if mended is None else mended.whole
    notes = []
    if share := stained(2 * pixels - 1):
        notes.append(f"it may be a toned old photo with stains over {share:.0%} (task=oldphoto)")
    if soft > WIDE:
        notes.append(f"it is soft by {soft:.1f} pixels (task=sharpen, or deblur_blind)")
    if pixels.mean() < DIM and not dark:
        notes.append("it is rather dark (task=lowlight)")

    cast = colour_cast(pixels)
    if cast.max() > CAST * cast.min() and not dark and "cast" not in whole:
        notes.append("it has a colour cast (task=whitebalance)")
    large = min(pixels.shape[-2:]) >= 64 and "haze" not in whole
    if large and DarkChannel()(pixels)[0].min() < HAZY:
        notes.append("it may be hazy (task=dehaze)")
    if max(pixels.shape[-2:]) <= SMALL:
        small = "smallphoto" if loud else "sr4 operator.kernel=auto"
        notes.append(f"it is small (task={small})")
    return ("left alone: " + ", ".join(notes),) if notes else ()
