"""Phase retrieval: a detector in the far field sees how strong each frequency is, not its phase.

    y01 = |F pad(x01)|,  F the orthonormal 2-D DFT

The image is padded with zeros to `oversample` times its sides. Flips and shifts of x leave y
alone, so an answer may be turned by 180 degrees; oversample >= 2 makes it unique but for those
(Hayes, 1982). Far from quadratic: what a sampler finds depends on its seed, so try several.
"""

import torch
from torch import Tensor

from operators.base import Operator
from operators.tools.units import to_model, to_pixels


class PhaseRetrieval(Operator):
    """y01 = |F pad(x01)|: [B, C, H, W] -> [B, C, oversample H, oversample W].

    y is scaled as images are, so sigma_y keeps its meaning.

    Args:
        oversample: how often larger the padded sides are; 2 or more for a unique answer.
    """

    def __init__(self, oversample: int = 2):
        super().__init__()
        if isinstance(oversample, bool) or not isinstance(oversample, int) or oversample < 1:
            raise ValueError(
                f"operator.oversample={oversample!r}; "
                "it is a whole number, 2 or more for a unique answer, 1 at least"
            )
        self.oversample = oversample

    def forward(self, x: Tensor) -> Tensor:
        size = tuple(self.oversample * n for n in x.shape[-2:])
        spectrum = torch.fft.fft2(to_pixels(x), s=size, norm="ortho")
        power = spectrum.real.square() + spectrum.imag.square()
        return to_model((power + 1e-8).sqrt())

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (*y.shape[:-2], *(n // self.oversample for n in y.shape[-2:]))
