"""How bright a picture is to be where its light is unknown: what the exposure term says.

y = f phi(x) + M holds for a bright x in weak light as for a dark one in strong light, so that y
pulls x0 back to the brightness of the f that was found first, however a term pulls. Here f itself
goes to where the term is least on what y alone shows:

x'  = r x / (1 + (r - 1) b x)       operators/light/developed.py
r   = argmin of weight term(x', y, A), by refined rows of r
"""

from typing import Protocol, cast

import torch
from torch import Tensor

from operators.base import Operator
from operators.tools.units import to_model
from samplers.guide.guidance import Guidance

# The terms that say how bright, log of r at most, values in a row, and rows.
TERMS = ("exposure",)
WIDEST, VALUES, ROWS = 5.0, 21, 3


class Relit(Protocol):
    """A light that can be made stronger."""

    def calm(self, y: Tensor) -> Tensor:
        """What y alone shows, without much of its noise, [0, 1] units."""

    def relit(self, x: Tensor, r: Tensor) -> Tensor:
        """x [B, 3, H, W] in [0, 1] in r [B] times the light."""

    def relight(self, r: Tensor) -> None:
        """Be the light of an x that is r [B] times as bright."""


def relight(A: Operator, y: Tensor, guidance: Guidance | None) -> None:
    """Set the light of a bound operator to what the exposure term of a guidance asks for.

    Args:
        A: as bound; of others than lights nothing is changed.
        y: the measurement [B, ...] in [-1, 1].
        guidance: the terms; without a weight on exposure nothing is changed.
    """
    asked = {} if guidance is None else {k: v for k, v in guidance.terms.items() if k in TERMS}
    if not any(pair[0] for pair in asked.values()) or not A.offers("relit"):
        return
    light, loss = cast(Relit, A), Guidance(asked)
    shown = light.calm(y)

    # Rows of r about the best one of the row before, each image by itself.
    best, width = y.new_zeros(len(y)), WIDEST
    for _ in range(ROWS):
        rows = best + width * torch.linspace(-1, 1, VALUES).to(y)[:, None]
        costs = [loss(to_model(light.relit(shown, row.exp())), y, A) for row in rows]
        best = rows.gather(0, torch.stack(costs).argmin(0)[None])[0]
        width = 2 * width / (VALUES - 1)
    light.relight(best.exp())
