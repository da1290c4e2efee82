"""GDP's released code (Fei et al., CVPR 2023) in its four variants: for parity and comparison.

    x0    = clip((x_t - sqrt(1 - a_t) eps(x_t, t)) / sqrt(a_t))
    L     = mean (A x - y)^2 in [0, 1] units, its gradient g taken at
            x0                                        GDP-x0, GDP-x0-v1 (Algorithm 2)
            x_t, which is noisy and y is not          GDP-xt, GDP-xt-v1 (Algorithm 1)

    x_s   = mu(x_t, x0) - scale g + std z             GDP-x0, GDP-xt
    x_s   = mu(x_t, x0_hat) + std z                   v1 (supplement): g corrects eps
    eps_hat = eps + sqrt(1 - a_t) scale g,   x0_hat = (x_t - sqrt(1 - a_t) eps_hat) / sqrt(a_t)

In the first two the gradient is added without a variance factor, so 100 steps get a tenth of the
guidance of 1000. v1, the score's own correction (Song et al., 2021), carries that variance. The
mean over pixels makes all scales depend on the size of the image: they are those of 256 x 256.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import Operator
from samplers.base import Sampler
from samplers.guide.checks import check_scale
from samplers.guide.guidance import Guidance
from samplers.guide.losses import mean_squared_error

# What the released scales are for, and how many times another pull is worth a word.
SIZE, STEPS, FAR = 256, 1000, 3.0


@dataclass(kw_only=True)
class GDPx0Paper(Sampler):
    """GDP-x0 as released.

    Args:
        guidance: the loss L.
        scale: 2000 for super-resolution, 4000 for inpainting, 6000 for deblurring and colour, at
            1000 steps.

    Raises:
        ValueError: scale is below 0.
    """

    whitens: ClassVar = False
    summed: ClassVar = True  # over the steps, without their variance
    guidance: Guidance = field(default_factory=lambda: Guidance({"mse": [1.0, mean_squared_error]}))
    scale: float = 2000.0

    def __post_init__(self) -> None:
        check_scale(self.scale)

    def warning(self, shape: tuple[int, ...], steps: int) -> str:
        """That the scale is for another size, or another number of steps."""
        pull = SIZE**2 / (shape[-2] * shape[-1]) * (steps / STEPS if self.summed else 1.0)
        if 1 / FAR < pull < FAR:
            return ""
        return (
            f"is made for {SIZE}x{SIZE} pixels and {STEPS} steps; here it pulls {pull:.2g} times "
            "as much, which sampler.scale may mend"
        )

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: Operator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        _, x0, v = prior(x, t)
        x0 = x0.clamp(-1, 1)
        x_s = prior.ancestral(x, x0, t, s, v, noise)
        return x_s - self.scale * self.guidance.gradient(self.gradient_point(x, x0), y, A), x0

    def gradient_point(self, x: Tensor, x0: Tensor) -> Tensor:
        """The image at which the gradient is taken."""
        return x0


@dataclass(kw_only=True)
class GDPxt(GDPx0Paper):
    """GDP-xt as released.

    Args:
        scale: 2000 for super-resolution, 6000 for deblurring and colour, at 1000 steps.
    """

    def gradient_point(self, x: Tensor, x0: Tensor) -> Tensor:
        """x_t itself."""
        return x


@dataclass(kw_only=True)
class GDPx0V1(GDPx0Paper):
    """GDP-x0-v1.

    Args:
        scale: 250000 for super-resolution, 300000 for deblurring, 30000 for colour.
    """

    summed: ClassVar = False
    scale: float = 250000.0

    def step(
        self,
        x: Tensor,
        t: int,
        s: int,
        prior: Prior,
        A: Operator,
        y: Tensor,
        noise: Noise,
        memory: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        _, x0, v = prior(x, t)
        x0 = x0.clamp(-1, 1)

        # The correction of eps, as one of x0.
        a, g = prior.a(t), self.guidance.gradient(self.gradient_point(x, x0), y, A)
        x0_hat = x0 - (1 - a) / a**0.5 * self.scale * g
        return prior.ancestral(x, x0_hat, t, s, v, noise), x0


@dataclass(kw_only=True)
class GDPxtV1(GDPx0V1):
    """GDP-xt-v1.

    Args:
        scale: as in GDP-x0-v1.
    """

    def gradient_point(self, x: Tensor, x0: Tensor) -> Tensor:
        """x_t itself."""
        return x
