"""What is surely wrong with a photo's light and colours, taken out of what was restored of it.

x = ((x' - (1 - t) v) / t) / g         x': restored as the photo shows it;  t, v haze;  g a cast

Each value is changed by itself, so that this may come last: noise and blur were undone before, as
the photo has them, by an operator with closed forms, and a JPEG's tables still hold.
"""

from typing import NamedTuple

from torch import Tensor

from operators.light.sure.cast import Cast, sure_cast
from operators.light.sure.haze import haze_of, sure_haze

# The share below which nothing is done, of a cast and of haze, and that from which nothing is left
# to be named.
WORTH, HAZY, MOST = 0.05, 0.1, 0.5


class Mending(NamedTuple):
    """The part of haze and cast that is sure.

    Attributes:
        gains: g [1, 3, 1, 1], or None.
        haze: t [1, 1, H, W] and v [1, 3, H, W], or None.
        words: what is done, for a user.
        whole: what is done with so much of it that nothing is left to name.
    """

    gains: Tensor | None
    haze: tuple[Tensor, Tensor] | None
    words: tuple[str, ...]
    whole: tuple[str, ...]

    def __call__(self, pixels: Tensor) -> Tensor:
        """What was restored, [S, 3, H, W] in [0, 1], without them."""
        if self.haze is not None:
            t, v = (z.to(pixels) for z in self.haze)
            pixels = (pixels - (1 - t) * v) / t
        if self.gains is not None:
            pixels = pixels / self.gains.to(pixels)
        return pixels.clamp(0, 1)

    def steady(self) -> "Mending":
        """What holds for the other frames of a film, too."""
        return self._replace(haze=None)


def mending(pixels: Tensor) -> Mending | None:
    """What is to be mended in a photo [1, 3, H, W] in [0, 1]; None where nothing is sure."""
    words, whole, gains, haze = [], [], None, None

    hazy = sure_haze(pixels)
    if hazy > HAZY:
        haze = haze_of(pixels, hazy)
        words.append(f"clear its haze by {hazy:.0%}")
        whole += ["haze"] if hazy > MOST else []

    # A veil is grey, so that in haze a cast cannot be told.
    cast = Cast(pixels.new_ones(3), 0.0) if haze else sure_cast(pixels)
    if cast.share > WORTH:
        gains = cast.sure_gains().view(1, 3, 1, 1)
        words.append(f"take its colour cast away by {cast.share:.0%}")
        whole += ["cast"] if cast.share > MOST else []
    return Mending(gains, haze, tuple(words), tuple(whole)) if words else None
