"""A slightly soft photo: a Gaussian blur whose width the photo tells, undone as far as it shows.

found  = sqrt(w^2 - SHARP^2)              by the photo's edges           operators/blur/softness.py
sigma  = found,  FULL + share (found - FULL) where it is more,  OTHER where no Gaussian has blurred
         where found is less than half a pixel: some of that      operators/blur/slight.py
y      = C^-1 Lambda C x                  Lambda = 1 / min(1 / K_sigma, gain of y's own spectrum)

Whether a Gaussian has blurred, operators/blur/fall.py tells by the photo's spectrum. Where
Lambda is 1 nothing is amplified, so that no sampler can sharpen what is below the noise. A photo
that is surely sharp already is left as it is, or only its noise is removed.
"""

from typing import Any

import torch
from torch import Tensor

from operators.base import Operator
from operators.blur.diagonal import ReflectBlur
from operators.blur.fall import (
    GAUSSIAN,
    NO_GAUSSIAN,
    blurred_with,
    fall_of,
    surely_blurred,
    width_of,
)
from operators.blur.kernels import gaussian
from operators.blur.slight import HALF, HARDLY, chance, safe, slight_gain
from operators.blur.softness import (
    beyond_sharp,
    clearance,
    edge_width,
    noise_floor,
    supported_gain,
)
from operators.identity import Identity, taken
from operators.scale import shrink
from operators.tools.enlarged import ENLARGED, enlarged, hardly_soft, softly
from operators.tools.rms import rms_of
from operators.unchanged import Unchanged

AUTO = "auto"

# The blur of a photo that degrade=true makes soft, in pixels, where no width is given.
USUAL = 1.0

# Where a Gaussian has surely blurred: the share of `clear` that is asked for, and the least share
# of the softness beyond FULL that is undone.
CERTAIN, SURELY = 0.7, 0.8

# What a photo's noise counts as at least, [-1, 1] units: no blur is quite a Gaussian, and codecs
# round. By the first the spectrum is bounded, by the second y is believed.
FLOOR, DOUBT = 0.008, 0.024

# Std of noise, [-1, 1] units, that is not worth removing.
QUIET = 0.008


# What a user is told of a photo that is not soft, and of one that is too noisy.
SHARP_ALREADY = "this photo is sharp already; it is left as it is"
TOO_NOISY = "this photo is too noisy to sharpen; it is left as it is"


class SoftBlur(ReflectBlur):
    """y = k * x for a Gaussian k, borders reflected: [B, C, H, W] -> the same.

    Args:
        sigma: the std of k in pixels; auto: found in the photo.
        share: of the softness found beyond FULL that is undone.
        denoise: whether noise is removed from a photo that is sharp.
        clear: times its noise that a photo's signal must be, where the blur has taken most of it;
            a noisier photo is not sharpened.

    Attributes:
        found: the softness in pixels that a photo has; None before it was looked for.
        gaussian_alone: whether a photo that no Gaussian has blurred, and that was not enlarged, is
            left as it is.
        sharpens: whether any is; else its noise is removed.
    """

    found: float | None = None
    gaussian_alone: bool = False
    sharpens: bool = True
    gain: Tensor | None

    def __init__(
        self,
        sigma: float | str = AUTO,
        share: float = 1.0,
        denoise: bool = False,
        clear: float = 0.0,
    ):
        if isinstance(sigma, str) and sigma != AUTO:
            raise ValueError(f"operator.sigma={sigma!r}; it is a number of pixels, or {AUTO}")
        if not 0 < share <= 1:
            raise ValueError(f"operator.share={share!r}; it lies above 0 and up to 1")

        width = USUAL if isinstance(sigma, str) else float(sigma)
        super().__init__(gaussian(2 * max(1, round(3.5 * width)) + 1, width))
        self.sigma, self.share, self.denoise, self.clear = sigma, share, denoise, clear
        self.careful = denoise
        self.gain = None

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The blur of this photo, as far as its spectrum bears to have it undone.

        Args:
            photo: [1, 3, H, W] in [-1, 1].
            noise: std of its noise, a number or [..., H, W] by frequency.
        """
        if not self.sharpens:
            return self.as_it_is(noise, "")
        if not isinstance(self.sigma, str):
            return self.undoing(photo, noise, float(self.sigma))
        if hardly_soft(enlarged(photo)):
            return self.as_it_is(noise, ENLARGED)
        width = edge_width(photo)
        found, p = beyond_sharp(width), chance(width)
        if found >= HALF:
            return self.undoing(photo, noise, found)

        if p < HARDLY:  # may be none
            return self.as_it_is(noise, SHARP_ALREADY)
        half = SoftBlur(HALF, 1.0, self.denoise, self.clear).with_noise(self.sigma_y)
        half.gaussian_alone = self.gaussian_alone
        same = half.undoing(photo, noise, HALF)
        if isinstance(same, SoftBlur) and same.gain is not None:
            more = slight_gain(photo, ReflectBlur.spectrum(same, photo), p, found)
            same.gain, same.found = torch.minimum(same.gain, more), p**0.5 * HALF
            same.moves = safe(found)
        return same

    def undoing(self, photo: Tensor, noise: Tensor | float, found: float) -> Operator:
        """The blur of a photo whose softness was found, or told; arguments as `for_photo` has."""
        fall = fall_of(photo, found, noise)
        clear = clearance(photo, found, noise)
        sure = surely_blurred(fall, found, clear)
        if clear < self.clear * (CERTAIN if sure else 1):
            return self.as_it_is(noise, TOO_NOISY, hidden=not sure)
        grown = self.gaussian_alone and not sure and softly(enlarged(photo))
        if self.gaussian_alone and fall.off > GAUSSIAN and not grown:
            return self.as_it_is(noise, SHARP_ALREADY)

        width = found
        if isinstance(self.sigma, str):
            share = max(self.share, SURELY) if sure else self.share
            off = NO_GAUSSIAN if grown else fall.off
            width = width_of(found, share, off)
        same = SoftBlur(width, 1.0, self.denoise, self.clear)
        least = 3**0.5 * max(FLOOR, noise_floor(photo, found))  # of a channel, not of their mean
        K = ReflectBlur.spectrum(same, photo)
        same.gain = supported_gain(photo, K, torch.as_tensor(noise).clamp_min(least))
        same.found, same.own_noise, same.certain = found, rms_of(noise), sure
        return same.with_noise(max(self.sigma_y, DOUBT))

    def shown_noise(self, y: Tensor, colours: Tensor) -> Tensor | None:
        return None  # how wide the blur is was found, and may be wrong

    def blurred_with(self, photo: Tensor, std: Tensor, rounding: float) -> bool:
        return blurred_with(photo, std, rounding)

    def rest(self, y: Tensor, noise: float) -> float:
        return 0.0 if self.found is None else fall_of(y, self.found, noise).off

    def denoising(self) -> Operator | None:
        if not self.denoise:
            return None
        same = SoftBlur(self.sigma, self.share, denoise=True).with_noise(self.sigma_y)
        same.sharpens = False
        return same

    def for_texture(self) -> "SoftBlur | None":
        """What sharpens as far as the photo bears it, where this would have denoised."""
        if not (self.denoise and self.sharpens):
            return None
        same = SoftBlur(self.sigma, self.share)
        same.gaussian_alone = True
        return same

    def as_it_is(self, noise: Tensor | float, why: str, hidden: bool = False) -> Operator:
        """The operator of a photo that is not sharpened: its noise alone, or nothing, is undone.

        Args:
            noise: as `for_photo` has it.
            why: what a user is told where nothing is.
            hidden: whether noise hides what blur it is.
        """
        level = rms_of(noise)
        noisy = self.denoise and level > QUIET
        same = (Identity() if noisy else Unchanged(why, hidden)).with_noise(self.sigma_y)
        same.takes = taken(level) if noisy else 1.0
        return same

    def spectrum(self, x: Tensor) -> Tensor:
        """Lambda [H, W]; bounded by what the photo supports, where x is of the photo's size."""
        K = super().spectrum(x)
        if self.gain is None or self.gain.shape != K.shape:
            return K
        return 1 / torch.minimum(1 / K.clamp_min(1e-3), self.gain.to(K))

    def describe(self, y: Tensor) -> dict[str, Any]:
        """The softness that was found, and the largest gain by which it is undone."""
        if self.found is None or self.gain is None:
            return {}
        return {"softness": self.found, "largest_gain": float(1 / self.spectrum(y).min())}

    def at_scale(self, r: int, y: Tensor) -> tuple["SoftBlur", Tensor]:
        """A blur that is as much narrower."""
        width = USUAL if isinstance(self.sigma, str) else self.sigma
        small = SoftBlur(width / r, 1.0, self.denoise, self.clear)
        return small.with_noise(self.sigma_y / r), shrink(y, r)
