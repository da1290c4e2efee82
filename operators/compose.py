"""Degradations in a row: A = A_k ... A_1."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from operators.base import LinearOperator, Operator, ProjectionOperator


class Compose(LinearOperator):
    """The first of `ops` sees x, the last gives y.

    If all are projections and all but the last are onto (A A^T = s^2 I: block means, grey, crops), so is the product, with a closed
    form. Otherwise A^+ and prox are by conjugate gradients, since a product of pseudo-inverses is no pseudo-inverse.
    """

    def __new__(cls, ops: Sequence[Operator]) -> "Compose":
        closed = all(isinstance(op, ProjectionOperator) for op in ops) and all(op.onto for op in ops[:-1])
        return super().__new__(ClosedCompose if closed and ops else cls)

    def __init__(self, ops: Sequence[Operator]):
        super().__init__()
        if not ops:
            raise ValueError("operator.ops is empty; a composition needs at least one operator")
        odd = [type(op).__name__ for op in ops if not isinstance(op, LinearOperator)]
        if odd:
            raise TypeError(f"Compose takes linear operators, which {', '.join(odd)} is not")
        self.ops = nn.ModuleList(ops)
        self.divisor = math.prod(op.divisor for op in ops)

    def parts(self) -> list[LinearOperator]:
        """The operators, first to last."""
        return cast(list[LinearOperator], list(self.ops))

    def forward(self, x: Tensor) -> Tensor:
        for op in self.parts():
            x = op(x)
        return x

    def adjoint(self, y: Tensor) -> Tensor:
        for op in reversed(self.parts()):
            y = op.adjoint(y)
        return y

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        for op in reversed(self.parts()):
            y = torch.empty(op.x_shape(y), device="meta")
        return tuple(y.shape)


class ClosedCompose(Compose, ProjectionOperator):
    """A composition with A A^T = s^2 P: its one non-zero singular value is the product of its parts'."""

    def __init__(self, ops: Sequence[ProjectionOperator]):
        super().__init__(ops)
        self.s, self.onto = math.prod(op.s for op in ops), ops[-1].onto
