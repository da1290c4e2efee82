"""Rows of the parity table, and the fixtures that they are read from."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

Rows = Iterator[dict]
Fixture = Mapping[str, Tensor]


def compare(name: str, got: object, want: object, tolerance: float = 2e-5) -> dict:
    """Compare numbers with the reference's.

    Args:
        name: of the row.
        got: ours.
        want: the reference's.
        tolerance: the largest max |difference| over max |array| that is ok.

    Returns:
        The row; another number of values, or NaN, is a fail.
    """
    g, w = (torch.as_tensor(v, dtype=torch.float64).flatten() for v in (got, want))
    error = float((g - w).abs().max() / (w.abs().max() or 1)) if g.shape == w.shape else math.inf

    finite = math.isfinite(error)
    status = "ok" if finite and error <= tolerance else "fail"
    return {
        "name": name,
        "max_error": error if finite else None,
        "tolerance": tolerance,
        "status": status,
    }


def not_built(*names: str) -> Rows:
    """Yield rows for what the product has no code for."""
    for name in names:
        yield {"name": name, "max_error": None, "tolerance": None, "status": "not_built"}


def load(file: Path) -> Fixture:
    """Read the arrays of a fixture."""
    with np.load(file, allow_pickle=False) as arrays:
        return {k: torch.from_numpy(np.atleast_1d(arrays[k])) for k in arrays.files}
