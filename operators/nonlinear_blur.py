"""Blur as a camera makes it: light is blurred, not picture values, so highlights spread and then saturate.

y01 = min(encode(exposure (k * decode(x01))), 1),  encode and decode the camera's curve (operators.tone)
"""

from torch import Tensor

from operators.base import Operator
from operators.blur import blur
from operators.tone import check_positive, decode, encode
from operators.units import to_model, to_pixels


class NonlinearBlur(Operator):
    """`kernel` (a tensor [h, w] or a file) and `border` as for blur; `exposure` above 1 clips highlights, as night shots do."""

    def __init__(self, kernel: Tensor | str, border: str = "reflect", gamma: float = 2.2, exposure: float = 1.0):
        super().__init__()
        self.blur = blur(kernel, border, threshold=0.0)  # a truncated spectrum rings around lamps
        self.gamma, self.exposure = check_positive("gamma", gamma), check_positive("exposure", exposure)

    def forward(self, x: Tensor) -> Tensor:
        light = self.exposure * self.blur(decode(to_pixels(x), self.gamma))
        return to_model(encode(light, self.gamma).clamp(max=1))
