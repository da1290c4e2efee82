"""Degradations in a row: A = A_k ... A_1."""

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from operators.base import LinearOperator, Operator, ProjectionOperator


class Compose(LinearOperator):
    """y = A_k ... A_1 x: the first operator sees x, the last gives y.

    If all are projections and all but the last are onto (A A^T = s^2 I: block means, grey,
    crops), so is the product, with a closed form. Otherwise A^+ and prox are by conjugate
    gradients, since a product of pseudo-inverses is no pseudo-inverse.

    Only the last operator may be blind: the others see no y of their own.

    Args:
        ops: linear operators, A_1 first.
    """

    def __new__(cls, ops: Sequence[Operator] = ()) -> "Compose":
        projections = all(isinstance(op, ProjectionOperator) for op in ops)
        closed = projections and all(cast(ProjectionOperator, op).onto for op in ops[:-1])
        return super().__new__(ClosedCompose if closed and ops else cls)

    def __init__(self, ops: Sequence[Operator]):
        super().__init__()
        if not ops:
            raise ValueError("operator.ops is empty; a composition needs at least one operator")
        others = [type(op).__name__ for op in ops if not isinstance(op, LinearOperator)]
        if others:
            raise TypeError(f"Compose takes linear operators, which {', '.join(others)} is not")
        self.ops = nn.ModuleList(ops)
        self.divisor = math.prod(op.divisor for op in ops)
        self.spreads = any(op.spreads for op in ops)

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

    def shapes(self, y: Tensor) -> list[tuple[int, ...]]:
        """The shapes of x and of what each operator gives, that of y the last."""
        shapes = [tuple(y.shape)]
        for op in reversed(self.parts()):
            shapes.insert(0, op.x_shape(torch.empty(shapes[0], device="meta")))
        return shapes

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return self.shapes(y)[0]

    @property
    def blind(self) -> bool:
        return self.parts()[-1].blind

    def bind(self, y: Tensor, init: Operator | None = None) -> "Compose":
        *others, last = self.parts()
        first_guess = init.parts()[-1] if isinstance(init, Compose) else None
        bound = last.bind(y, first_guess)
        return self if bound is last else Compose([*others, bound]).with_noise(self.sigma_y)

    def observe(self, photo: Tensor) -> Tensor:
        """What each operator makes of a photo that is degraded already, in order."""
        for op in self.parts():
            photo = op.observe(photo)
        return photo

    @property
    def pictured(self) -> list[str]:  # type: ignore[override]
        return [name for op in self.parts() for name in op.pictured]

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        return self.parts()[-1].pictures(y)

    def describe(self, y: Tensor) -> dict[str, Any]:
        return self.parts()[-1].describe(y)

    def remark(self, y: Tensor) -> str:
        return self.parts()[-1].remark(y)

    @property
    def at_scale(self) -> Callable[[int, Tensor], tuple["Compose", Tensor]]:
        """`at_scale(r, y)`, which a composition offers where every part of it does."""
        if not all(op.offers("at_scale") for op in self.parts()):
            raise AttributeError("at_scale")
        return self._parts_at_scale

    def _parts_at_scale(self, r: int, y: Tensor) -> tuple["Compose", Tensor]:
        """Each operator at the scale that those before it leave; y's noise is that of the last."""
        *others, last = self.parts()
        ops = [*others, last.with_noise(self.sigma_y)]
        between = [y.new_zeros(shape) for shape in self.shapes(y)[1:-1]]

        small, left = [], r
        for op, out in zip(ops, [*between, y], strict=True):
            part, y_small = op.at_scale(left, out)
            small.append(part)
            left = round(out.shape[-1] / y_small.shape[-1])
        return Compose(small).with_noise(small[-1].sigma_y), y_small


class ClosedCompose(Compose, ProjectionOperator):
    """A composition with A A^T = s^2 P; s is the product of its parts' singular values."""

    def __init__(self, ops: Sequence[ProjectionOperator]):
        super().__init__(ops)
        self.s, self.onto = math.prod(op.s for op in ops), ops[-1].onto
