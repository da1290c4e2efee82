"""Light too weak or too strong, and unknown: y = f phi(x) + M, fitted together with x.

GDP (Fei et al., CVPR 2023), Section 4.2.

y      = f phi(x) + M + b  operators/light/light_model.py; b: operators/light/black_level.py
f, w     at first from y's own statistics (operators/light/exposure.py)
f, M     by least squares at every step, u = phi(x0) (operators/light/light_fit.py)

Samplers of linear operators get the tangent at the last x0. The released GDP lets f and M drift by
plain gradient steps, by which M stays practically as it began.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from operators.base import Operator
from operators.light.black_level import black_level, flatness
from operators.light.brightness import ANY, DARK, Goal
from operators.light.developed import DevelopedLight
from operators.light.exposure import BURNT
from operators.light.first_light import Starts, first_light, interval
from operators.light.light_fit import LightFit
from operators.light.light_model import Found
from operators.light.tone import check_positive
from operators.scale import same_at_scale
from operators.tools.units import to_pixels

WHITE = 0.95  # x that is as good as white, in [0, 1]
GOOD = (0.85, 1.1)  # f of photos that need no mending


class Light(DevelopedLight):
    """y01 = min(f phi(x01) + M, 1), with an f and an M for each exposure.

    [B, 3, H, W] -> [B, 3K, H, W] for K exposures of a scene. `bind` finds f and M.

    Args:
        factors: f of each exposure of a simulated y, 1 to 7 of them.
        per_channel: fit an f for each colour.
        mask: fit an M; it stays 0 otherwise.
        gamma: 1 for pictures, about 2.2 for what a sensor counts.
        dark: whether the light is known to have been too weak; else it may be too strong, too.

    Attributes:
        light_fit: finds f and M for a given x0.
        goal: what the scene should look like; None: what `dark` says.
        found: the light, where it is known from another y of the photo.
        first, stray: f and M as they were bound.
    """

    light_fit = LightFit()
    goal: Goal | None = None
    found: Found | None = None
    first: Tensor
    stray: Tensor

    def __init__(
        self,
        factors: Sequence[float] = (0.1,),
        per_channel: bool = False,
        mask: bool = True,
        gamma: float = 1.0,
        dark: bool = True,
    ):
        super().__init__()
        if not 1 <= len(factors) <= 7:
            raise ValueError(
                f"operator.factors={list(factors)}; "
                "it takes a factor for each picture of a scene, 1 to 7 of them"
            )

        f = torch.tensor([check_positive("factors", value) for value in factors])
        self.per_channel, self.mask, self.gamma = per_channel, mask, check_positive("gamma", gamma)
        self.dark, self.spares = dark, not dark

        # What is simulated: an even light, nothing burnt out, the tangent at grey.
        maps = (3 if per_channel else 1) * len(f)
        M = torch.zeros(1, maps, self.light_fit.grid, self.light_fit.grid)
        self.set_light(f.repeat_interleave(3).view(1, -1, 1, 1), M, torch.ones(1, 1, 1, 1))
        self.set_tangent(torch.full((1, 3, 1, 1), 0.5), torch.zeros(1, 1, 1, 1).bool())
        found = {"first": self.f.data, "stray": self.M.data, "starts": None, "photo": None}
        for name, value in found.items():
            self.register_buffer(name, value, persistent=False)
        self.register_module("plain", None)  # a default of the class would hide what is set

    def bind(self, y: Tensor, init: Operator | None = None) -> "Light":
        """A copy with a light of its own.

        Args:
            y: [B, 3K, H, W].
            init: a Light; its f, M, w and b are taken if they are of as many images. Else all
                come from y: first_light.py, black_level.py.

        Raises:
            ValueError: y is black or white all over.
        """
        A, p = copy.deepcopy(self), to_pixels(y)
        known = self.found
        if isinstance(init, Light) and len(init.f) == len(y):
            known = init.light
        if known is not None:
            A.set_found(known, p)
        else:
            goal, sigma = self.goal or (DARK if self.dark else ANY), self.sigma_y / 2
            M = p.new_zeros(len(p), self.M.shape[1], *self.M.shape[-2:])
            flat, black = None, p.new_zeros(1, 1, 1, 1)
            if self.exposures == 1 and self.dark:
                black = black_level(p, sigma)
            elif self.exposures == 1:
                black, flat = flatness(p)
            light, M, starts = first_light(p - black, M, sigma, goal, self.mask, flat)
            f = light.factors.repeat_interleave(3, 1)[..., None, None]
            A.set_light(f, M, light.white[:, None, None, None], black)
            A.starts = torch.stack(starts)

        # The tangent begins at the picture that y alone shows, and is of its size.
        A.any_size = False
        A.first, A.stray, A.photo = A.f.data.clone(), A.M.data.clone(), p
        shown = A.develop(p)
        A.set_tangent(shown.clamp(0, 1), p >= BURNT)
        A.find_noise(shown)
        return A

    def as_found(self, y: Tensor) -> "Light":
        same = self.with_whitening(None)
        same.found, same.findings = self.bind(y).light, ()
        return same

    @property
    def brightens(self) -> bool:
        return self.dark or (self.found is not None and float(self.found.f.mean()) < GOOD[0])

    def fit(self, x0: Tensor, y: Tensor, sigma: float) -> None:
        """f and M of each exposure by least squares; the tangent moves to x0."""
        self.point = to_pixels(x0)
        u, p = self.curve(self.point), to_pixels(y)
        white = self.develop(p) >= BURNT  # x says less than y does

        maps = self.M.shape[1] // self.exposures
        for k in range(self.exposures):
            c, m = slice(3 * k, 3 * k + 3), slice(maps * k, maps * (k + 1))
            counts = (~self.burnt[:, c] & (self.point < BURNT) & ~white).to(u)
            self.f[:, c, 0, 0], self.M[:, m] = self.light_fit(
                u,
                p[:, c] - self.black,
                counts,
                self.first[:, c, 0, 0],
                self.stray[:, m],
                sigma=sigma / 2,
                shared=not self.per_channel,
                mask=self.mask,
                noise=self.sigma_y / 2,
            )

    @property
    def pictured(self) -> list[str]:  # type: ignore[override]
        """A map M of each exposure."""
        if not self.mask:
            return []
        return ["mask"] if self.exposures == 1 else [f"mask{k + 1}" for k in range(self.exposures)]

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """M of each exposure, its maximum shown white."""
        if not self.mask:
            return {}
        M = self.map(y)[:1] / self.M[0].max().clamp_min(1e-6)
        return dict(zip(self.pictured, M.split(3, 1), strict=True))

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """A(x) - y; white says no more than that y is as bright at least."""
        off, white = self(x) - y, to_pixels(x) >= WHITE
        return torch.where(torch.cat([white] * self.exposures, 1), off.clamp_min(0), off)

    def describe(self, y: Tensor) -> dict[str, Any]:
        """f (of each exposure; of each colour if they differ), between what, w, M's range, b; and
        the starts, with M and without.
        """
        f = (self.f[0, :, 0, 0] if self.per_channel else self.f[0, ::3, 0, 0]).tolist()

        # Between what f lies, relative to the start that was taken, however it went on from there.
        low, high, starts = 1.0, 1.0, []
        if self.starts is not None:
            low, high = (v / float(self.starts[0, 0, 0]) for v in interval(Starts(*self.starts)))
            rows = self.starts[:, 0].T.tolist()
            starts = [
                {"M": self.mask and k == 0 and len(rows) > 1, "f": row[0], "evidence": row[2]}
                for k, row in enumerate(rows)
            ]
        return {
            "f": f,
            "f_interval": [[v * low, v * high] for v in f],
            "starts": starts,
            "white": float(self.white[0]),
            "M": [float(self.M[0].min()), float(self.M[0].max())],
            "black": self.black[0].flatten().tolist(),
        }

    def remark(self, y: Tensor) -> str:
        """That the light is good already, if it is."""
        f = float(self.f[0].mean())
        if self.exposures == 1 and GOOD[0] < f < GOOD[1]:
            return f"its light is good already (f = {f:.2f}), so little changes"
        return ""

    def at_scale(self, r: int, y: Tensor) -> tuple["Light", Tensor]:
        """The same at every scale; noise of a small picture is nearly white."""
        A, small = same_at_scale(self, r, y)
        A.whitening = A.plain = None
        return A, small
