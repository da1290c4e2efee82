"""What GDP descends: a weighted sum of terms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from samplers.guide.losses import Degradation, fidelity

Term = Callable[[Tensor, Tensor, Degradation], Tensor]


@dataclass
class Guidance:
    """A loss of x0 that samplers descend.

    Args:
        terms: name -> [weight, term], each term (x0, y, A) -> [B].
        data: the names of those that compare A(x0) with y.
    """

    terms: Mapping[str, Sequence[Any]] = field(
        default_factory=lambda: {"fidelity": [1.0, fidelity]}
    )
    data: Sequence[str] = ("fidelity",)

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

    def quality(self) -> "Guidance | None":
        """The weighted terms that say what a good picture is like; None if there are none.

        They are for samplers that see to y by other means.
        """
        terms = {
            name: pair for name, pair in self.terms.items() if name not in self.data and pair[0]
        }
        return replace(self, terms=terms) if terms else None
