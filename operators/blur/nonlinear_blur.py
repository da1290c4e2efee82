"""Blur as a camera makes it: light is blurred, not picture values, so highlights spread and then saturate.

y01 = min(encode(exposure (k * decode(x01))), 1),  encode and decode the camera's curve (operators.tone)
"""

from typing import cast

from torch import Tensor

from operators.base import Operator
from operators.blur.kernels import shrunk_kernel
from operators.blur.known import blur
from operators.light.tone import check_positive, decode, encode
from operators.scale import scaled, shrink
from operators.tools.units import to_model, to_pixels


class NonlinearBlur(Operator):
    """y01 = min(encode(exposure (k * decode(x01))), 1): [B, C, H, W] -> the same.

    `kernel` (a tensor [h, w] or a file) and `border` as for blur; `exposure` above 1 clips highlights, as night shots do.
    """

    def __init__(
        self,
        kernel: Tensor | str,
        border: str = "reflect",
        gamma: float = 2.2,
        exposure: float = 1.0,
    ):
        super().__init__()
        self.blur = blur(kernel, border, threshold=0.0)  # a truncated spectrum rings around lamps
        self.border = border
        self.gamma, self.exposure = (
            check_positive("gamma", gamma),
            check_positive("exposure", exposure),
        )

    def forward(self, x: Tensor) -> Tensor:
        light = self.exposure * self.blur(decode(to_pixels(x), self.gamma))
        return to_model(encode(light, self.gamma).clamp(max=1))

    def at_scale(self, r: int, y: Tensor) -> tuple["NonlinearBlur", Tensor]:
        """A blur by the shrunk kernel."""
        kernel = shrunk_kernel(cast(Tensor, self.blur.kernel), r)
        return scaled(
            NonlinearBlur(kernel, self.border, self.gamma, self.exposure), self, r
        ), shrink(y, r)
