"""Samplers of the library deepinv on our prior and operators, as baselines in the same table.

They need pip install -e '.[bench]'. deepinv_ddrm takes a mask or the identity, deepinv_diffpir a
linear operator, deepinv_dps any. Constants are the library's own defaults.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from gdp.picture import to_image, to_model
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from operators.base import LinearOperator, Operator
from operators.identity import Identity
from operators.missing.mask import Mask, RandomMask
from samplers.base import Restored


class Denoiser(nn.Module):
    """Our prior as deepinv's denoiser: from x [B, 3, H, W] in [0, 1] with noise to an estimate.

    Args:
        prior: the prior.
    """

    def __init__(self, prior: Prior):
        super().__init__()
        self.prior = prior
        self.sigmas = (1 / prior.alpha_bar - 1).sqrt() / 2

    def forward(
        self, x: Tensor, sigma: Any, *_: Any, input_in_minus_one_one: bool = False, **__: Any
    ) -> Tensor:
        """Compute E[x0 | x] for noise of std sigma, at the nearest of the prior's times."""
        std = float(torch.as_tensor(sigma).flatten()[0])
        if input_in_minus_one_one:
            return 2 * self(to_image(x), std / 2) - 1

        t = max(1, int((self.sigmas - std).abs().argmin()))
        return to_image(self.prior(self.prior.a(t) ** 0.5 * to_model(x.float()), t).x0).to(x)


@dataclass(kw_only=True)
class Foreign(ABC):
    """A sampler of deepinv, which is called as ours are; seeds[0] seeds the whole batch.

    Attributes:
        schedule: its `steps` are the number of steps.
    """

    schedule: Schedule = field(default_factory=lambda: Schedule(100))
    needs: ClassVar[tuple[str, ...]] = ()

    def nfe(self, T: int) -> int:
        """Count network calls."""
        return self.schedule.count

    def __call__(
        self,
        prior: Prior,
        operator: Operator,
        y: Tensor,
        seeds: Any,
        init: Any = None,
        on_step: Any = None,
    ) -> Restored:
        """Restore y, as `samplers.base.Sampler` does."""
        self.check(operator)
        torch.manual_seed(seeds[0] + 1)

        # y in [0, 1], as deepinv has it
        white = operator(torch.ones(operator.x_shape(y), dtype=y.dtype, device=y.device))
        with torch.no_grad():
            x = self.model(Denoiser(prior), operator)((y + white) / 2, self.physics(operator, y))

        return Restored(to_model(x.to(y)), operator)

    def check(self, operator: Operator) -> None:
        """Raise a TypeError where the operator does not fit."""
        if not isinstance(operator, LinearOperator):
            raise TypeError(f"{type(self).__name__} takes linear operators here")

    def physics(self, operator: Operator, y: Tensor) -> Any:
        """Make the operator on [0, 1] deepinv's physics."""
        import deepinv

        adjoint = operator.adjoint if operator.offers("adjoint") else None
        physics = deepinv.physics.LinearPhysics(A=operator, A_adjoint=adjoint)
        physics.noise_model = deepinv.physics.GaussianNoise(max(operator.sigma_y / 2, 0.001))
        return physics

    @abstractmethod
    def model(self, denoiser: Denoiser, operator: Operator) -> Any:
        """Build deepinv's restoration model."""


@dataclass(kw_only=True)
class DeepinvDDRM(Foreign):
    """deepinv.sampling.DDRM."""

    def check(self, operator: Operator) -> None:
        if not isinstance(operator, Mask | RandomMask | Identity):
            raise TypeError(
                "deepinv's DDRM needs its own SVD of the operator: a mask or the identity"
            )

    def physics(self, operator: Operator, y: Tensor) -> Any:
        import deepinv

        noise = deepinv.physics.GaussianNoise(max(operator.sigma_y / 2, 0.001))
        if isinstance(operator, Identity):
            return deepinv.physics.Denoising(noise)
        mask = operator(torch.ones_like(y[:1]))
        return deepinv.physics.Inpainting(img_size=tuple(y.shape[1:]), mask=mask, noise_model=noise)

    def model(self, denoiser: Denoiser, operator: Operator) -> Any:
        import deepinv

        return deepinv.sampling.DDRM(denoiser, torch.linspace(1, 0, self.schedule.count).tolist())


@dataclass(kw_only=True)
class DeepinvDiffPIR(Foreign):
    """deepinv.sampling.DiffPIR."""

    def model(self, denoiser: Denoiser, operator: Operator) -> Any:
        import deepinv

        sigma = max(operator.sigma_y / 2, 0.001)
        return deepinv.sampling.DiffPIR(
            denoiser, deepinv.optim.data_fidelity.L2(), sigma, max_iter=self.schedule.count
        )


@dataclass(kw_only=True)
class DeepinvDPS(Foreign):
    """deepinv.sampling.DPS."""

    def model(self, denoiser: Denoiser, operator: Operator) -> Any:
        import deepinv

        return deepinv.sampling.DPS(denoiser, num_steps=self.schedule.count)


FOREIGN: dict[str, Callable[[], Foreign]] = {
    "deepinv_ddrm": DeepinvDDRM,
    "deepinv_diffpir": DeepinvDiffPIR,
    "deepinv_dps": DeepinvDPS,
}
