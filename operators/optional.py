"""What not every operator can do: a default, or an error that says what to do instead."""

import math
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from operators.tools.portable import Portable

# optional method -> what to do where an operator lacks it
REMEDIES = {
    "adjoint": "derive it from LinearOperator, if it is linear",
    "pinv": "derive it from LinearOperator, if it is linear, or take sampler=gdp_linesearch",
    "prox": "derive it from LinearOperator, if it is linear, or take sampler=gdp_linesearch",
    "spectral": "derive it from SpectralOperator, or take sampler=ddnm or sampler=gdp_linesearch",
    "at_scale": "define at_scale(r, y), or take lowres=none",
}


class MissingMethodError(TypeError, AttributeError):
    """An operator lacks an optional method: it is of the wrong type, and `hasattr` is False."""


class OptionalMethods(Portable):
    """The methods that operators need not have.

    Attributes:
        dim: whether a photo may lack light that it is not given.
        moving: whether the photo is a frame of a film: the camera moves otherwise in each.
        sure: how evenly what was measured as its noise lies over a photo, as noise does, 0 to 1.
        takes: the share of a photo's noise that is taken away; what is hardly seen may be meant.
        moves: how far from y a result may lie, rms in [-1, 1] units, of a photo that may be good.
        pace: network calls for each halving of the noise that help beyond those of most operators.
        may_ring: whether it was found, and a result has rings and stripes where it is wrong.
        certain: whether what is undone is surely there, whatever was found as y's noise.
        noisy: whether there may be something to undo, but noise hides what it is.
        own_noise: std of y's noise alone, [-1, 1] units, where sigma_y counts as well what this
            operator may get wrong; None where it does not.
        mending: what `for_photo` found that is to be taken out of a result at the end, value by
            value: pixels [S, 3, H, W] in [0, 1] -> the same; None where there is nothing.
    """

    takes: float = 1.0
    dim: bool = False
    moving: bool = False
    sure: float = 1.0
    moves: float = math.inf
    pace: float = 0.0
    may_ring: bool = False
    certain: bool = False
    noisy: bool = False
    own_noise: float | None = None
    mending: Any = None

    def blurred_with(self, photo: Tensor, std: Tensor, rounding: float) -> bool:
        """Whether what was measured as a photo's noise was there when the photo was blurred.

        Args:
            photo: [1, 3, H, W] in [-1, 1].
            std: of the noise by frequency [n, n], in any unit.
            rounding: std of the photo's rounding, [-1, 1] units.
        """
        return False

    def shown_noise(self, y: Tensor, colours: Tensor) -> Tensor | None:
        """The std [C] of y's noise by direction in colour, as y shows it where A passes nothing.

        Args:
            y: [1, C, H, W] in any unit.
            colours: Q [C, C], a direction a row.

        Returns:
            In y's unit; None where A passes something of everything, or does not tell.
        """
        return None

    def rest(self, y: Tensor, noise: float) -> float:
        """How far a photo falls otherwise than what this operator blurs; 0 where it does not tell.

        Args:
            y: [1, 3, H, W] in [-1, 1].
            noise: std of y's noise, its codec's errors among it.

        Returns:
            The rms of the logs of its amplitudes, band by band.
        """
        return 0.0

    def denoising(self) -> "Any":
        """What looks for itself in a photo, and sharpens nothing; None: this does not, either."""
        return None

    def for_texture(self) -> "Any":
        """What looks for itself in a photo whose noise turned out to be texture; None: nothing."""
        return None

    @property
    def brightens(self) -> bool:
        """Whether it mends light that is known to have been too weak."""
        return False

    def as_found(self, y: Tensor) -> "Any":
        """The same for another y of a photo: with what y tells of A, and without y's noise."""
        return self

    def guess(self, y: Tensor) -> Tensor:
        """A first picture x [B, C, H, W] from y alone, better than the smoothest that fits."""
        return y

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The image nearest to x that agrees with y, where y has no noise but its rounding."""
        return x

    def radiance(self, x: Tensor) -> Tensor:
        """The light [B, 3, H, W] of the scene that x shows, linear and without an upper end."""
        raise TypeError(
            f"{type(self).__name__} defines no radiance(x); take an operator of light, task=hdr"
        )

    if TYPE_CHECKING:

        def amplification(self) -> float:
            """How many times stronger y's noise is in what y alone shows."""

        def amplification_at(self, p: Tensor) -> Tensor:
            """The same where y alone shows brightnesses p [N] in [0, 1]."""

        def brought_out(self) -> Tensor:
            """The share of the noise in what y alone shows that is to be taken away."""

    def __getattr__(self, name: str) -> Tensor | nn.Module:
        if name in REMEDIES:
            raise MissingMethodError(
                f"{type(self).__name__} defines no {name}, which is needed here; {REMEDIES[name]}"
            )
        return super().__getattr__(name)
