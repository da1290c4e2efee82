"""Light too weak or too strong, and unknown: y = f phi(x) + M, fitted together with x (GDP, Fei et al., CVPR 2023, Section 4.2).

    y = f phi(x) + M,  in [0, 1] and cut at white; of several exposures of one scene each has an f and an M
    phi(x) = v / (1 - v (1 - 1/w)),  v = x^gamma      w >= 1: the brightest light in terms of f;  phi(1) = w, phi'(0) = 1
    f, w     at first from y's own statistics (operators/light/exposure.py)
    f, M     by least squares at every step, u = phi(x0) (operators/light/light_fit.py)

Where y is burnt out it only says "at least so bright". Samplers of linear operators get the tangent at the last x0. The released GDP lets
f and M drift by plain gradient steps, by which M stays practically as it began.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from operators.base import AffineOperator, Operator, SpectralOperator
from operators.light.exposure import BURNT, exposed, merged, trust
from operators.light.light_fit import GRID, fitted
from operators.light.tone import check_positive, decode, encode
from operators.scale import same_at_scale
from operators.tools.units import to_model, to_pixels

FAIR = (0.85, 1.1)  # f of photos that need no mending


class Stacked(SpectralOperator):
    """y_k = w_k x: [B, C, H, W] -> [B, KC, H, W], `weights` [B, KC, H, W] for K exposures; a value's singular value is |w|."""

    weights: Tensor

    def __init__(self, weights: Tensor, exposures: int):
        super().__init__()
        self.exposures = exposures
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.weights[: len(x)].to(x) * torch.cat([x] * self.exposures, 1)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (len(y), self.weights.shape[1] // self.exposures, *y.shape[-2:])

    def adjoint(self, y: Tensor) -> Tensor:
        return (self.weights[: len(y)].to(y) * y).unflatten(1, (self.exposures, -1)).sum(1)

    def power(self, like: Tensor) -> Tensor:
        """A^T A."""
        return self.weights[: len(like)].to(like).square().unflatten(1, (self.exposures, -1)).sum(1)

    def pinv(self, y: Tensor) -> Tensor:
        power = self.power(y)
        return torch.where(power == 0, 0, self.adjoint(y) / torch.where(power == 0, 1, power))

    def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        return f(self.power(x).sqrt()) * x


class Light(AffineOperator):
    """y01 = min(f phi(x01) + M, 1), with an f and an M for each exposure: [B, 3, H, W] -> [B, 3K, H, W] for K exposures of a scene.

    `bind` finds f and M, `factors` are those of a simulated y. `per_channel` fits f for each colour; `mask` False keeps M at 0; `gamma`
    is 1 for pictures, about 2.2 for what a sensor counts. Parameters after `bind`: f [B, 3K, 1, 1], M [B, K, GRID, GRID]. ValueError
    where y is black or white all over.
    """

    white: Tensor
    first: Tensor
    point: Tensor
    burnt: Tensor

    def __init__(
        self,
        factors: Sequence[float] = (0.1,),
        per_channel: bool = False,
        mask: bool = True,
        gamma: float = 1.0,
    ):
        super().__init__()
        if not 1 <= len(factors) <= 7:
            raise ValueError(
                f"operator.factors={list(factors)}; it takes a factor for each picture of a scene, 1 to 7 of them"
            )
        f = torch.tensor([check_positive("factors", value) for value in factors])
        self.per_channel, self.mask, self.gamma = per_channel, mask, check_positive("gamma", gamma)
        self.set(
            f.repeat_interleave(3).view(1, -1, 1, 1),
            torch.zeros(1, len(f), GRID, GRID),
            torch.ones(1, 1, 1, 1),
        )
        self.first, self.burnt, self.point = (
            self.f.data,
            torch.zeros(1, 1, 1, 1, dtype=torch.bool),
            torch.full((1, 3, 1, 1), 0.5),
        )

    @property
    def exposures(self) -> int:
        """K."""
        return self.M.shape[1]

    @property
    def pictured(self) -> list[str]:  # type: ignore[override]
        """A map M of each exposure."""
        return (
            []
            if not self.mask
            else ["mask"]
            if self.exposures == 1
            else [f"mask{k + 1}" for k in range(self.exposures)]
        )

    def set(self, f: Tensor, M: Tensor, white: Tensor) -> None:
        """The parameters, w [B, 1, 1, 1] among them."""
        self.f, self.M = nn.Parameter(f, requires_grad=False), nn.Parameter(M, requires_grad=False)
        self.register_buffer("white", white, persistent=False)

    def bind(self, y: Tensor, init: Operator | None = None) -> "Light":
        """f and w from y's statistics and M = 0, or as `init` found them."""
        A, p = copy.deepcopy(self), to_pixels(y)
        if isinstance(init, Light) and len(init.f) == len(y):
            A.set(init.f.clone(), init.M.clone(), init.white.clone())
        else:
            factors, white = exposed(p, y.shape[1] // 3, self.sigma_y / 2)
            M = y.new_zeros(len(y), y.shape[1] // 3, GRID, GRID)
            A.set(factors.repeat_interleave(3, 1)[..., None, None], M, white[:, None, None, None])
        A.first, A.burnt, A.point = A.f.data.clone(), p >= BURNT, A.developed(p)
        return A

    def developed(self, p: Tensor) -> Tensor:
        """x01 as y01 alone has it, within [0, 1]."""
        u = merged(p - self.map(p), self.f, trust(p))
        v = (u / (1 + u.clamp_min(0) * (1 - 1 / self.white))).clamp(0, 1)
        return encode(v, self.gamma) if self.gamma != 1 else v

    def map(self, like: Tensor) -> Tensor:
        """M at a picture's size, [B, 3K, H, W]."""
        return F.interpolate(
            self.M[: len(like)], like.shape[-2:], mode="bilinear", align_corners=False
        ).repeat_interleave(3, 1)

    def curve(self, p: Tensor) -> Tensor:
        """phi(p); straight on outside [0, 1]."""
        k = (1 - 1 / self.white)[: len(p)]
        v = decode(p, self.gamma) if self.gamma != 1 else p
        bend = 1 / (1 - k * v.clamp(0, 1))
        return bend * v.clamp(0, 1) + bend.square() * (v - v.clamp(0, 1))

    def lit(self, p: Tensor) -> Tensor:
        """f phi(p) + M, not cut at white."""
        u = self.curve(p)
        return self.f[: len(p)] * torch.cat([u] * self.exposures, 1) + self.map(p)

    def forward(self, x: Tensor) -> Tensor:
        return to_model(self.lit(to_pixels(x)).clamp(max=1))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return (len(y), 3, *y.shape[-2:])

    def told(self) -> Tensor:
        """Where y says something at the point: not where it is burnt out and A(point) is too."""
        return ~self.burnt | (self.lit(self.point) < BURNT)

    def slopes(self) -> Tensor:
        """dA/dx at the point."""
        with torch.enable_grad():
            p = torch.cat([self.point] * self.exposures, 1).detach().requires_grad_()
            return self.f * torch.autograd.grad(self.curve(p).sum(), p)[0]

    def linear_part(self) -> Stacked:
        return Stacked(self.told() * self.slopes(), self.exposures)

    def offset(self, y: Tensor) -> Tensor:
        x = torch.cat([to_model(self.point)] * self.exposures, 1)
        return torch.where(self.told(), to_model(self.lit(self.point)) - self.slopes() * x, y)

    def fit(self, x0: Tensor, y: Tensor, sigma: float) -> None:
        self.point = to_pixels(x0)
        u, p = self.curve(self.point), to_pixels(y)
        for k in range(self.exposures):
            c = slice(3 * k, 3 * k + 3)
            counts = (~self.burnt[:, c] & (self.point < BURNT)).to(u)
            f, M = fitted(
                u,
                p[:, c],
                counts,
                self.first[:, c, 0, 0],
                sigma / 2,
                not self.per_channel,
                self.mask,
            )
            self.f[:, c, 0, 0], self.M[:, k] = f, M

    def describe(self, y: Tensor) -> dict[str, Any]:
        """f (of each exposure; of each colour if they differ), w, and M's range."""
        f = self.f[0, :, 0, 0] if self.per_channel else self.f[0, ::3, 0, 0]
        return {
            "f": f.tolist(),
            "white": float(self.white[0]),
            "M": [float(self.M[0].min()), float(self.M[0].max())],
        }

    def remark(self, y: Tensor) -> str:
        f = float(self.f[0].mean())
        return (
            f"its light is good already (f = {f:.2f}), so little changes"
            if self.exposures == 1 and FAIR[0] < f < FAIR[1]
            else ""
        )

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """M of each exposure, its maximum shown white."""
        M = self.map(y)[:1, ::3] / self.M[0].max().clamp_min(1e-6)
        return dict(zip(self.pictured, M.split(1, 1), strict=True)) if self.mask else {}

    def radiance(self, x: Tensor) -> Tensor:
        """The light of a scene [B, 3, H, W], linear and without an upper end: phi(x)^2.2, as pictures are encoded."""
        return self.curve(to_pixels(x)).clamp_min(0) ** (2.2 / self.gamma)

    def at_scale(self, r: int, y: Tensor) -> tuple["Light", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)
