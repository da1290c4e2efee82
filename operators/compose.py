"""Linear degradations in a row: A = A_k ... A_1; noise may join in between two of them.

y = A_k ... A_{j+1} (A_j ... A_1 x + n)
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from operators.base import LinearOperator, Operator, ProjectionOperator
from operators.contract import AddNoise
from operators.identity import NoiseHere


class Row(Operator):
    """y = A_k(... A_1(x)): the first operator sees x, the last gives y.

    Args:
        ops: A_1 first; a `NoiseHere` says where noise joins in, the end if none.

    Attributes:
        before_noise: how many operators x goes through before noise joins in.
    """

    def __init__(self, ops: Sequence[Operator]):
        super().__init__()
        self.before_noise, parts = without_noise(ops)
        if not parts:
            found = "has nothing but noise" if len(ops) else "is empty"
            raise ValueError(
                f"operator.ops {found}; a composition needs an operator, as in "
                "operator.ops=[blur_gaussian,noise]"
            )
        self.ops = nn.ModuleList(parts)
        self.divisor = math.prod(op.divisor for op in parts)
        self.spreads = any(op.spreads for op in parts)
        self.pace = max(op.pace for op in parts)

    def parts(self) -> Sequence[Operator]:
        """The operators, first to last."""
        return cast(list[Operator], list(self.ops))

    def forward(self, x: Tensor) -> Tensor:
        return through(self.parts(), x)

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        before, after = self.parts()[: self.before_noise], self.parts()[self.before_noise :]
        return through(after, add_noise(through(before, x))), self

    def shapes(self, y: Tensor) -> list[tuple[int, ...]]:
        """The shapes of x and of what each operator gives, that of y the last."""
        shapes = [tuple(y.shape)]
        for op in reversed(self.parts()):
            shapes.insert(0, op.x_shape(torch.empty(shapes[0], device="meta")))
        return shapes

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return self.shapes(y)[0]

    def observe(self, photo: Tensor) -> Tensor:
        """What each operator makes of a photo that is degraded already, in order."""
        for op in self.parts():
            photo = op.observe(photo)
        return photo


def through(ops: Sequence[Operator], x: Tensor) -> Tensor:
    """What operators make of x, one after the other."""
    for op in ops:
        x = op(x)
    return x


class Compose(Row, LinearOperator):
    """A row of linear operators: y = A_k ... A_1 x.

    If all are projections and all but the last are onto (A A^T = s^2 I: block means, grey,
    crops), so is the product, with a closed form. Otherwise A^+ and prox are by conjugate
    gradients, since a product of pseudo-inverses is no pseudo-inverse.

    Only the last operator may be blind: the others see no y of their own.

    Args:
        ops: linear operators, A_1 first; a `NoiseHere` says where noise joins in, the end if none.
    """

    def __new__(cls, ops: Sequence[Operator] = ()) -> "Compose":
        ops = [op for op in ops if not isinstance(op, NoiseHere)]
        projections = all(isinstance(op, ProjectionOperator) for op in ops)
        closed = projections and all(cast(ProjectionOperator, op).onto for op in ops[:-1])
        return super().__new__(ClosedCompose if closed and ops else cls)

    def __init__(self, ops: Sequence[Operator]):
        others = [type(op).__name__ for op in ops if not isinstance(op, LinearOperator)]
        if others:
            raise TypeError(f"Compose takes linear operators, which {', '.join(others)} is not")
        super().__init__(ops)

    def parts(self) -> list[LinearOperator]:
        """The operators, first to last."""
        return cast(list[LinearOperator], list(self.ops))

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        y, _ = super().degrade(x, add_noise)

        # By how much the parts that follow change noise.
        after, same = self.parts()[self.before_noise :], self.with_noise(self.sigma_y)
        if after:
            random, shape = torch.Generator().manual_seed(0), self.shapes(y)[self.before_noise]
            noise = torch.randn(shape, generator=random).to(x)
            gain = through(after, noise).square().mean() / noise.square().mean()
            same.noise_gain = float(gain.sqrt())
        return y, same

    def adjoint(self, y: Tensor) -> Tensor:
        for op in reversed(self.parts()):
            y = op.adjoint(y)
        return y

    @property
    def blind(self) -> bool:
        return self.parts()[-1].blind

    def bind(self, y: Tensor, init: Operator | None = None) -> "Compose":
        *others, last = self.parts()
        first_guess = init.parts()[-1] if isinstance(init, Compose) else None
        bound = last.bind(y, first_guess)
        return self if bound is last else Compose([*others, bound]).with_noise(self.sigma_y)

    @property
    def of_one_photo(self) -> bool:
        return self.parts()[-1].of_one_photo

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The last of them is the one that gave the photo, and may find something in it."""
        *others, last = self.parts()
        found = last.with_noise(self.sigma_y).for_photo(photo, noise)
        if not self.of_one_photo or not isinstance(found, LinearOperator):
            return self
        after = getattr(found, "after", None)
        others = others if after is None else after(others)
        same = Compose([*others, found]).with_noise(found.sigma_y)
        same.findings = found.findings
        return same

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


def without_noise(ops: Sequence[Operator]) -> tuple[int, list[Operator]]:
    """How many operators come before noise joins in, and the operators without that mark.

    Raises:
        ValueError: it is marked twice.
    """
    marks = [k for k, op in enumerate(ops) if isinstance(op, NoiseHere)]
    if len(marks) > 1:
        raise ValueError("operator.ops has noise twice; name it once, where it joins in")
    rest = [op for op in ops if not isinstance(op, NoiseHere)]
    return (marks[0] if marks else len(rest)), rest


class ClosedCompose(Compose, ProjectionOperator):
    """A composition with A A^T = s^2 P; s is the product of its parts' singular values."""

    def __init__(self, ops: Sequence[ProjectionOperator]):
        super().__init__(ops)
        parts = cast(list[ProjectionOperator], self.parts())
        self.s, self.onto = math.prod(op.s for op in parts), parts[-1].onto
