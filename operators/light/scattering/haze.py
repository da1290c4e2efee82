"""Fog and smoke (Koschmieder, 1924): light from the scene fades, and airlight takes its place.

y01 = t x01 + (1 - t) a
y   = t x + (1 - t) (2 a - 1)      in [-1, 1]:  L = diag(t)
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from operators.base import AffineOperator, check_fraction
from operators.light.gains import Scaling
from operators.scale import same_at_scale
from operators.tools.units import to_model


class Haze(AffineOperator):
    """y01 = t x01 + (1 - t) a: [B, 3, H, W] -> the same.

    Args:
        transmission: t, a number, or the file of a picture of any size (white = 1, near).
        airlight: a, the fog's colour in [0, 1].
    """

    airlight: Tensor
    transmission: Tensor

    def __init__(
        self, transmission: float | str = 0.6, airlight: Sequence[float] = (0.9, 0.9, 0.9)
    ):
        super().__init__()
        a = torch.tensor(list(airlight), dtype=torch.float64)
        if a.shape != (3,) or not ((a >= 0) & (a <= 1)).all():
            raise ValueError(
                f"operator.airlight={list(airlight)}; the fog's colour is three numbers from 0 to 1"
            )

        if isinstance(transmission, str):
            t = read_map(transmission)
        else:
            t = torch.tensor([[check_fraction("transmission", transmission)]])

        self.register_buffer("airlight", a.view(1, 3, 1, 1), persistent=False)
        self.register_buffer("transmission", t.double()[None, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        t = self.linear_part().at(x)
        return t * x + (1 - t) * to_model(self.airlight.to(x))

    def linear_part(self) -> Scaling:
        return Scaling(self.transmission)

    def at_scale(self, r: int, y: Tensor) -> tuple["Haze", Tensor]:
        """The same at every scale."""
        return same_at_scale(self, r, y)


def read_map(path: str) -> Tensor:
    """A picture's brightness [h, w] in [0, 1]."""
    from PIL import Image

    if not Path(path).expanduser().is_file():
        raise FileNotFoundError(
            f"no picture at {path}; "
            "operator.transmission= takes a number between 0 and 1, or a picture file"
        )

    try:
        with Image.open(Path(path).expanduser()) as picture:
            return torch.from_numpy(np.asarray(picture.convert("L"), dtype=np.float64) / 255)
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(
            f"{path} cannot be read as a transmission map ({error}); save it as an 8-bit PNG"
        ) from None
