"""What guidance descends: a weighted sum of terms, those that compare with y and those that do not.

Samplers take from x0 to x0_hat the terms that compare with y by a line search, whose step has no
unit (descent.py). The others are minus log-probabilities Q, and y's own pull meets theirs as
Bayes has it: at noise sigma an estimate x0 is wrong by

    r(sigma) = min(ERROR_SHARE sigma, WIDEST)                 the prior's own uncertainty

and a step from sigma_t to sigma_s, in which r^2 of it becomes known, moves x0 along

    dx / dv = - grad Q(x)      for v from 0 to r(sigma_t)^2 - r(sigma_s)^2

which is the drift that conditioning on exp(-Q) gives to E[x0 | x_t]. The steps add up to r^2 of the
first, however many there are. No step goes further than r, so a weight that is far too large makes
a poor picture and not a blank one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from samplers.guide.checks import check_terms
from samplers.guide.descent import flow
from samplers.guide.losses import Degradation, fidelity
from samplers.mixing import ERROR_SHARE

Term = Callable[[Tensor, Tensor, Degradation], Tensor]

WIDEST = 0.5  # std of photos, [-1, 1] units: no estimate is worse
DATA = ("fidelity", "fidelity_l1", "fidelity_ssim", "perceptual", "mse")


@dataclass
class Guidance:
    """A loss of x0 that samplers descend.

    Args:
        terms: name -> [weight, term], each term (x0, y, A) -> [B].
        data: the names of those that compare A(x0) with y.

    Raises:
        ValueError: a weight is no number of 0 or more, a term is given what it cannot do with,
            or one with a weight lacks what it needs.
    """

    terms: Mapping[str, Sequence[Any]] = field(
        default_factory=lambda: {"fidelity": [1.0, fidelity]}
    )
    data: Sequence[str] = DATA

    def __post_init__(self) -> None:
        check_terms(self.terms)
        for weight, term in self.terms.values():
            if weight and hasattr(term, "check"):
                term.check()

    def __call__(self, x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
        """The weighted sum [B]."""
        parts = [weight * term(x0, y, A) for weight, term in self.terms.values() if weight]
        if not parts:
            raise ValueError("guidance has no term with a weight; give at least fidelity")
        return torch.stack(parts).sum(0)

    def gradient(self, x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
        """Its gradient in x0 [B, C, H, W]; the network is not involved."""
        with torch.enable_grad():
            x0 = x0.detach().requires_grad_()
            total = self(x0, y, A).sum() + 0 * x0.sum()  # a term may know nothing of x0
            return torch.autograd.grad(total, x0)[0]

    def fidelity(self) -> "Guidance":
        """The terms that compare with y.

        Raises:
            ValueError: none of them has a weight.
        """
        terms = {name: pair for name, pair in self.terms.items() if name in self.data and pair[0]}
        if not terms:
            raise ValueError(
                f"guidance has no term with a weight that compares with y ({', '.join(self.data)})"
                "; give at least fidelity, or name yours in guidance.data"
            )
        return replace(self, terms=terms)

    def quality(self) -> "Guidance | None":
        """The weighted terms that say what a good picture is like; None if there are none."""
        terms = {
            name: pair for name, pair in self.terms.items() if name not in self.data and pair[0]
        }
        return replace(self, terms=terms) if terms else None

    def steer(self, x0: Tensor, y: Tensor, A: Degradation, now: float, then: float = 0.0) -> Tensor:
        """x0 moved by the terms that do not compare with y.

        Args:
            x0: an estimate [B, C, H, W].
            y, A: as for terms.
            now: the noise that it was made from, sqrt((1 - a) / a).
            then: the noise of the next estimate.
        """
        quality = self.quality()
        if quality is None:
            return x0

        r, r_next = (min(ERROR_SHARE * sigma, WIDEST) for sigma in (now, then))
        moved = flow(lambda x: quality.gradient(x, y, A), x0, max(r**2 - r_next**2, 0.0))
        change = moved - x0
        length = change.square().flatten(1).mean(1).sqrt().view(-1, 1, 1, 1)
        return x0 + change * (r / length.clamp_min(1e-12)).clamp(max=1)

    def values(self, x0: Tensor, y: Tensor, A: Degradation) -> dict[str, float]:
        """Each term with a weight, a pixel of the first image, its weight left out."""
        pixels = x0.shape[-2] * x0.shape[-1]
        with torch.no_grad():
            return {
                name: float(term(x0, y, A)[0]) / pixels
                for name, (weight, term) in self.terms.items()
                if weight
            }
