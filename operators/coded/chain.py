"""Any degradations in a row, such as a small picture's: blur, shrinking, noise, JPEG.

chain([A_1 ... A_k])                        what it is
all linear                                  Compose: closed forms where its parts have them
linear ones, then JPEG                      LinearThenJPEG: JPEG's rounding is noise of the rest
linear ones and some that round             Rounded: all rounding is noise of the rest
some that can be undone, such as clipping   Undone: from the last to the first
any other                                   Chain: a forward model for samplers that descend

A NoiseHere among them says where noise joins in; without it that is the end, or before JPEG.
"""

import math
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

from operators.base import LinearOperator, Operator
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.coded.rows.forward import Chain as Chain
from operators.coded.rows.parts import can_be_undone
from operators.coded.rows.rounded import Rounded, rounded
from operators.coded.rows.undone import Undone
from operators.compose import Compose, without_noise
from operators.contract import AddNoise
from operators.tools.rms import rms_of


def chain(ops: Sequence[Operator]) -> Operator:
    """The operator of degradations in a row, with the best forms that its parts allow.

    Args:
        ops: the first works on the picture, the last gives y.

    Raises:
        ValueError: there are none, noise joins in twice, or a JPEG would see no three channels.
        TypeError: a part is no operator.
    """
    _, parts = without_noise(ops)
    others = [type(op).__name__ for op in parts if not isinstance(op, Operator)]
    if others:
        raise TypeError(f"operator.ops takes operators, which {', '.join(others)} is not")
    check_channels(parts)
    if len(parts) > 1 and isinstance(parts[-1], JPEG) and linear(parts[:-1]):
        return LinearThenJPEG(Compose(before_jpeg(ops)), parts[-1])
    if linear(parts):
        return Compose(ops)
    if rounded(parts):
        return Rounded(ops)
    return Undone(ops) if all(map(can_be_undone, parts)) else Chain(ops)


def linear(ops: Sequence[Operator]) -> bool:
    """Whether every one of them is linear."""
    return all(isinstance(op, LinearOperator) for op in ops)


def check_channels(ops: Sequence[Operator]) -> None:
    """Raise ValueError where a JPEG comes after what leaves other than three channels."""
    if not any(isinstance(op, JPEG) for op in ops[1:]):
        return
    z = torch.zeros(1, 3, *[16 * math.lcm(*(op.divisor for op in ops))] * 2)
    for before, op in pairwise(ops):
        with suppress(Exception):  # what does not take a picture of this size says so in time
            z = before(z)
        if isinstance(op, JPEG) and z.ndim == 4 and z.shape[1] != 3:
            raise ValueError(
                f"operator.ops has a JPEG after {type(before).__name__}, whose pictures have "
                f"{z.shape[1]} channels, and it takes 3; put the JPEG before, or leave it out"
            )


def before_jpeg(ops: Sequence[Operator]) -> list[Operator]:
    """What comes before the JPEG at the end; noise after it is JPEG's, whose rounding hides it."""
    return [op for op in ops if not isinstance(op, JPEG)]


class LinearThenJPEG(Operator):
    """y = J(A x + n): linear degradations, then the compression that y went through.

    `for_photo` makes J's rounding noise of y = A x, so that linear samplers keep their forms.

    Args:
        A: the linear part, whose y is [B, 3, H, W].
        jpeg: J; with tables=input those of the photo's own file.
    """

    def __init__(self, A: LinearOperator, jpeg: JPEG):
        super().__init__()
        self.A, self.jpeg, self.divisor = A, jpeg, A.divisor

    @property
    def of_one_photo(self) -> bool:
        return True

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.jpeg(self.A(x)))

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, Operator]:
        y, A = self.A.degrade(x, add_noise)
        same = self.with_noise(self.sigma_y)
        same.noise_gain = A.noise_gain
        return self.jpeg(y), same

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return self.A.x_shape(y)

    def observe(self, photo: Tensor) -> Tensor:
        return self.A.observe(photo)

    def for_file(self, file: Path) -> "LinearThenJPEG":
        """The same, with the tables of the photo's file where J asks for them."""
        return LinearThenJPEG(self.A, self.jpeg.for_file(file)).with_noise(self.sigma_y)

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The linear part, whose y is as wrong as the compression made it, and as noise did."""
        level = rms_of(noise)
        A = self.A.with_noise(level).for_photo(photo, noise)

        # A part that asked the photo may doubt it more than by its noise.
        jpeg = self.jpeg.to(photo.device)
        further = torch.full((3, 8, 8), A.sigma_y, dtype=torch.float64, device=photo.device)
        return Compressed(cast(LinearOperator, A), jpeg, jpeg.error(photo), further)

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin ||A x - y||^2 + rho ||x - v||^2, of the linear part alone."""
        return self.A.prox(v, y, rho)
