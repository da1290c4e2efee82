"""Blur as a camera makes it: light is blurred, not picture values.

y01 = min(encode(exposure (k * decode(x01))), 1)

encode and decode are the camera's curve (operators/light/tone.py), so highlights spread and then
saturate.
"""

from typing import cast

from torch import Tensor

from operators.base import Operator
from operators.blur.kernels import shrink_kernel
from operators.blur.known import blur
from operators.light.tone import check_positive, decode, encode
from operators.scale import shrink
from operators.tools.units import to_model, to_pixels


class NonlinearBlur(Operator):
    """y01 = min(encode(exposure (k * decode(x01))), 1): [B, C, H, W] -> the same.

    Args:
        kernel: [h, w], scaled to the sum 1, or a file that holds one.
        border: reflect, replicate, valid or circular.
        gamma: of the camera's curve.
        exposure: what light is multiplied by; above 1 it clips highlights, as night shots do.
    """

    def __init__(
        self,
        kernel: Tensor | str,
        border: str = "reflect",
        gamma: float = 2.2,
        exposure: float = 1.0,
    ):
        super().__init__()

        # A truncated spectrum rings around lamps, so nothing is cut off.
        self.blur = blur(kernel, border, threshold=0.0)
        self.border = border
        self.gamma = check_positive("gamma", gamma)
        self.exposure = check_positive("exposure", exposure)

    def forward(self, x: Tensor) -> Tensor:
        light = self.exposure * self.blur(decode(to_pixels(x), self.gamma))
        return to_model(encode(light, self.gamma).clamp(max=1))

    def at_scale(self, r: int, y: Tensor) -> tuple["NonlinearBlur", Tensor]:
        """A blur by the shrunk kernel."""
        kernel = shrink_kernel(cast(Tensor, self.blur.kernel), r)
        small = NonlinearBlur(kernel, self.border, self.gamma, self.exposure)
        return small.with_noise(self.sigma_y / r), shrink(y, r)
