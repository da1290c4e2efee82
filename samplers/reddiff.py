"""RED-diff (Mardani et al., ICLR 2024), Algorithm 1: a variational estimate mu, moved by Adam.

    x_t = sqrt(a_t) mu + sqrt(1 - a_t) z
    g   = A^T (A mu - y) + lam sqrt((1 - a_t) / a_t) (eps(x_t, t) - z)      weight 1 / SNR, Sec. 3.3
    mu  = Adam(mu, g)                                                       betas 0.9, 0.99

x is mu throughout. The prior's part is lam (mu - x0), x0 the network's; terms of guidance that do
not compare with y steer that x0 (samplers/guide/guidance.py).
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor

from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from operators.base import Operator
from samplers.base import Sampler
from samplers.guide.guidance import Guidance
from samplers.start import first_guess


@dataclass(kw_only=True)
class REDdiff(Sampler):
    """Starts from the first guess, and needs no more than a differentiable A.

    Args:
        guidance: the loss that holds mu to y.
        lam: weight of the prior, 0.25 as in the paper.
        lr: Adam's rate, 0.1 as in the paper.
    """

    whitens: ClassVar = False
    guidance: Guidance = field(default_factory=Guidance)
    lam: float = 0.25
    lr: float = 0.1

    def __post_init__(self) -> None:
        self.fidelity = self.guidance.fidelity()

    def start(self, prior: Prior, A: Operator, y: Tensor, noise: Noise) -> Tensor:
        """The first mu."""
        return first_guess(A, y)

    def noised(self, prior: Prior, A: Operator, x: Tensor, t: int, noise: Noise) -> Tensor:
        """A first picture is mu itself."""
        return x

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
        a, z = prior.a(t), noise.like(x)
        eps, x0, _ = prior(a**0.5 * x + (1 - a) ** 0.5 * z, t)
        pull = (1 / a - 1) ** 0.5 * (eps - z)
        if self.guidance.quality() is not None:
            pull = pull + x0 - self.guidance.steer(x0, y, A, prior.sigma(t))
        g = self.fidelity.gradient(x, y, A) / 2 + self.lam * pull

        # Adam
        k = memory["k"] = memory.get("k", 0) + 1
        m = memory["m"] = 0.9 * memory.get("m", 0) + 0.1 * g
        v = memory["v"] = 0.99 * memory.get("v", 0) + 0.01 * g**2
        return x - self.lr * (m / (1 - 0.9**k)) / ((v / (1 - 0.99**k)).sqrt() + 1e-8), x0
