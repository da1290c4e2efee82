"""Degradations in a row: A = A_k ... A_1."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from operators.base import LinearOperator, Operator


class Compose(LinearOperator):
    """The first of `ops` sees x, the last gives y. Linear; A^+ and prox are by CG, as a product of pseudo-inverses is none."""

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
