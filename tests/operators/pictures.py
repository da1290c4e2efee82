"""Random pictures that operators are tried on, and what they are compared by."""

import numpy as np
import torch

CAT = "gdp/picture/samples/cat.png"
RAMP = np.linspace(0, 255, 12 * 9).reshape(12, 9).astype(np.uint8)  # from black to white


def pixels(*shape, dtype=torch.float32):
    """Random images inside the range of pixels."""
    return 1.8 * torch.rand(*shape, dtype=dtype) - 0.9


def image_for(op, B=2, dtype=torch.float32):
    """x whose y is 31 x 41, odd on purpose, or as near to that as the operator takes."""
    sides = op.x_shape(torch.empty(1, 3, 31, 41))[-2:]
    return torch.randn(B, 3, *(-(-n // op.divisor) * op.divisor for n in sides), dtype=dtype)


def dot(p, q):
    """The scalar product of two tensors, in float64."""
    return float((p.double() * q.double()).sum())
