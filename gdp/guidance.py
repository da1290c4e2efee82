"""What GDP descends: a weighted sum of terms."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from gdp.losses import Degradation, fidelity

Term = Callable[[Tensor, Tensor, Degradation], Tensor]


@dataclass
class Guidance:
    """`terms`: name -> [weight, term], each term (x0, y, A) -> [B]."""

    terms: Mapping[str, Sequence[Any]] = field(default_factory=lambda: {"fidelity": [1.0, fidelity]})

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
            return torch.autograd.grad(self(x0, y, A).sum(), x0)[0]
