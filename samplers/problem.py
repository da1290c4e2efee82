"""What a sampler solves: y = A(x) + noise, with an operator that may be learned along with x."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from gdp.prior.prior import Prediction, Prior
from operators.base import AffineOperator, Operator


@dataclass
class Problem:
    """y and its operator, as they came and as a sampler's `step` sees them."""

    bound: Operator  # the operator bound to y; its Parameters are found along with x
    given: Tensor  # y [B, ...] as it came
    A: Operator  # for `step`: `bound`, or its linear part where the sampler needs a linear A
    y: Tensor  # for `step`: `given`, less A(0) where A is that linear part
    blind: bool  # whether `bound` has Parameters

    @classmethod
    def of(cls, bound: Operator, y: Tensor, linear: bool) -> "Problem":
        """The problem of a bound operator; `linear` asks for the linear part of an affine one."""
        problem = cls(bound, y, bound, y, has_unknowns(bound))
        if linear:
            problem.linearise()
        return problem

    def linearise(self) -> None:
        """Have `step` see an affine operator as it is now by its linear part."""
        if isinstance(self.bound, AffineOperator):
            self.A, self.y = self.bound.linear(), self.given - self.bound.offset(self.given)

    @contextmanager
    def learning(self, prior: Prior) -> Iterator[None]:
        """Within it the operator is shown every x0 that the prior gives, as the sampler is."""

        def show(module: nn.Module, args: tuple[Tensor, int], prediction: Prediction) -> None:
            with torch.no_grad():
                x0 = prediction.x0.detach().clamp(-1, 1)
                self.bound.fit(x0, self.given, prior.sigma(args[1]))

        handle = prior.register_forward_hook(show)
        try:
            yield
        finally:
            handle.remove()


def has_unknowns(A: Operator) -> bool:
    """Whether something of A is found along with the picture: whether it has Parameters."""
    return any(True for _ in A.parameters())


def bound_to(operator: Operator, y: Tensor, before: Operator | None = None) -> Operator:
    """The operator as y shows it, all of it where y is; `before`: as another run has found it.

    What is found in y is found on the CPU, the same for every device.
    """
    if operator.blind:
        bound = operator.cpu().bind(y.cpu(), None if before is None else before.cpu())
    else:
        bound = operator.bind(y, before)
    return bound.to(y.device)
