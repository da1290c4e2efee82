"""A denoiser of white noise as a prior.

    x0  = D(x_t / sqrt(a_t), sigma_t)          sigma_t = sqrt((1 - a_t) / a_t)
    eps = (x_t / sqrt(a_t) - x0) / sigma_t

What removes white noise of every std knows the score of photos at all of them (Miyasawa 1961;
Vincent, Neural Computation 2011), which is all that samplers ask for. D is trained up to some std;
where there is more, the picture is shrunk until there is not, which leaves what is visible in it.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.prior.exact import exact_float32
from gdp.prior.prior import Prior, reflect_to_multiple
from gdp.prior.schedule import betas
from gdp.prior.symmetry import turn, turn_back

MOST = 75 / 255  # std in [0, 1] that FFDNet is trained up to; DRUNet 50 / 255
CONTRAST = 0.5  # std of photos, [-1, 1] units


class DenoiserPrior(Prior):
    """A denoiser as a prior, with DDPM's times.

    Args:
        net: net(x [B, 3, H, W] in [0, 1], sigma) gives the clean picture; sides are divisible by
            `net.divisor` (1 if it has none).
        most: std in [0, 1] units up to which it is good.

    Raises:
        ValueError: `most` is not above 0.
    """

    def __init__(self, net: nn.Module, most: float = MOST):
        if not most > 0:
            raise ValueError(f"prior.most={most}; it is a std in [0, 1] units, above 0")
        super().__init__(net, betas())
        self.most = most
        self.register_buffer(
            "here", torch.zeros(0), persistent=False
        )  # of networks without weights

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        sigma, k = self.sigma(t), self.orientation(t)
        noisy = x / self.a(t) ** 0.5
        x0 = turn_back(self.denoise(turn(noisy, k), sigma), k)
        return (noisy - x0) / sigma, None

    def denoise(self, noisy: Tensor, sigma: float) -> Tensor:
        """x0 [B, 3, H, W] of a picture with white noise of std `sigma`, [-1, 1] units."""
        assert self.net is not None
        factor = 2 ** max(0, math.ceil(math.log2(sigma / 2 / self.most)))
        factor = min(factor, 2 ** int(math.log2(min(noisy.shape[-2:]))))
        H, W = noisy.shape[-2:]

        # The mean of factor^2 pixels has noise of sigma / factor.
        divisor = factor * int(getattr(self.net, "divisor", 1))
        z = reflect_to_multiple(noisy, divisor)
        small = F.avg_pool2d(z, factor) if factor > 1 else z
        self.pixels += len(z) * small.shape[-2] * small.shape[-1]

        # What cannot be shrunk further is all but noise: back to grey, as far as that says.
        left = sigma / factor
        if left / 2 > self.most:
            small = small * CONTRAST**2 / (CONTRAST**2 + left**2)

        # The network's own type and units.
        dtype = next((p.dtype for p in self.net.parameters()), torch.float32)
        level = min(left / 2, self.most)
        with exact_float32():
            clean = self.net(((small + 1) / 2).to(dtype), level).to(noisy.dtype)
        clean = 2 * clean - 1
        if factor > 1:
            clean = F.interpolate(clean, z.shape[-2:], mode="bicubic", align_corners=False)
        return clean[..., :H, :W]
