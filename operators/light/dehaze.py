"""Haze, found from the photo: y = t x + (1 - t) a, t and a by the dark channel prior.

He, Sun and Tang, CVPR 2009: operators/light/dark_channel.py.
"""

from torch import Tensor

from operators.base import AffineOperator, Operator
from operators.light.dark_channel import DarkChannel
from operators.light.haze import Haze
from operators.scale import same_at_scale
from operators.tools.units import to_pixels


class Dehaze(AffineOperator):
    """y01 = t x01 + (1 - t) a with t and a found by `bind`, which gives a Haze.

    [B, 3, H, W] -> the same. Unbound it changes nothing.

    Attributes:
        estimator: finds t and a.
    """

    pictured = ("transmission",)
    estimator = DarkChannel()

    def forward(self, x: Tensor) -> Tensor:
        return x

    def bind(self, y: Tensor, init: Operator | None = None) -> Haze:
        """The haze that y seems to have, that of its first image.

        It is found anew at every scale, since t follows y's edges.
        """
        t, a = self.estimator(to_pixels(y[:1]).clamp(0, 1))
        return FoundHaze(t, a).with_noise(self.sigma_y)

    def at_scale(self, r: int, y: Tensor) -> tuple["Dehaze", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


class FoundHaze(Haze):
    """A Haze that goes into the report.

    Args:
        t: transmission [1, 1, h, w].
        a: airlight [3].
    """

    pictured = ("transmission",)

    def __init__(self, t: Tensor, a: Tensor):
        super().__init__(0.5, a.tolist())
        self.transmission = t

    def describe(self, y: Tensor) -> dict[str, object]:
        """a, and the range of t."""
        return {
            "airlight": self.airlight.flatten().tolist(),
            "transmission": [float(self.transmission.min()), float(self.transmission.max())],
        }

    def remark(self, y: Tensor) -> str:
        """That there is no haze, if t is above 0.9 everywhere."""
        clear = float(self.transmission.min()) > 0.9
        return "no haze was found, so little changes" if clear else ""

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """t."""
        return {"transmission": self.transmission}
