"""A small picture as the web has it: blurred, shrunk, noisy and saved as a JPEG.

y = J(D B x + n)        B: Gaussian blur, D: bicubic shrinking, J: JPEG

Of a real photo its own file tells J, n is estimated, and B is found in the photo, as far as it is
softer than D makes it. A simulated one is taken just so: only J is known of it.
"""

from torch import Tensor

from operators.base import Operator, check_fraction
from operators.blur.kernels import gaussian
from operators.blur.known import blur
from operators.coded.chain import LinearThenJPEG
from operators.coded.jpeg import JPEG
from operators.compose import Compose
from operators.contract import AddNoise
from operators.size.bicubic import Bicubic
from operators.size.soft_down import AUTO

# Sides of a Gaussian kernel, in its standard deviations.
SIDES = 6


class SmallPhoto(Bicubic):
    """y = D B x, B found in the photo: [B, 3, r h, r w] -> [B, 3, h, w].

    Args:
        r: pixels of x a side, for one of y.
        sigma: with degrade=true, std of B in pixels of y.
        quality: with degrade=true, of J, 1 to 100.
        subsampling: with degrade=true, of J: 0 (4:4:4), 1 (4:2:2) or 2 (4:2:0).
    """

    def __init__(self, r: int = 4, sigma: float = 0.5, quality: int = 75, subsampling: int = 2):
        super().__init__(r, AUTO)
        self.sigma = check_fraction("sigma", sigma, 0.0, 10.0)
        self.jpeg = JPEG(quality, subsampling)

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        """The picture made small; of it only the compression is known."""
        std = self.r * self.sigma
        B = blur(gaussian(2 * round(SIDES * std / 2) + 1, std)).to(x.device)
        y, made = LinearThenJPEG(Compose([B, Bicubic(self.r)]), self.jpeg).degrade(x, add_noise)

        known = LinearThenJPEG(self, self.jpeg).with_noise(self.sigma_y)
        known.noise_gain = made.noise_gain
        return y, known
