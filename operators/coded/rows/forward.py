"""Any degradations in a row: a forward model, for samplers that descend."""

from pathlib import Path
from typing import Any

from torch import Tensor

from operators.base import Operator
from operators.compose import Row
from operators.identity import NoiseHere


class Chain(Row):
    """A row of any operators: differentiable where they are."""

    def for_file(self, file: Path) -> Operator:
        """The same, with what a photo's file tells each of its parts."""
        parts: list[Operator] = [op.for_file(file) for op in self.parts()]
        parts.insert(self.before_noise, NoiseHere())
        return type(self)(parts).with_noise(self.sigma_y)

    def describe(self, y: Tensor) -> dict[str, Any]:
        """What its parts have to say; they see y, though only the last gives it."""
        return {key: value for op in self.parts() for key, value in op.describe(y).items()}
