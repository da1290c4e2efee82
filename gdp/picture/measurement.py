"""Measurements in files and arrays: numbers of any shape and type, real or complex."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdp.picture.photo import Photo

SUFFIXES = (".npy", ".npz", ".pt", ".pth", ".mat")
NAME = "y"  # of the array that is taken where a file holds several


def is_measurement(file: Path) -> bool:
    """Whether a file's name is that of an array, not of a picture."""
    return file.suffix.lower() in SUFFIXES


def read_measurement(file: Path) -> Photo:
    """Read a measurement.

    Args:
        file: .npy, .npz, .mat (of MATLAB 7 and older), or .pt with plain tensors; of several
            arrays the one called y is taken.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read, or holds no array of numbers, or several.
    """
    chosen = array_of_file(file)
    try:
        return Photo(as_measurement(chosen), rounding=0.0, depth=32, measured=True)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{file}: {error}") from None


def array_of_file(
    file: Path, names: Sequence[str] = (NAME,), what: str = "an array of numbers"
) -> np.ndarray | Tensor:
    """The array in a file of arrays, whatever its kind.

    Args:
        file: see SUFFIXES.
        names: of several arrays the first of these is taken that is there.
        what: what the file is to hold, in messages.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read, or holds no array, or several.
    """
    if not file.is_file():
        raise FileNotFoundError(f"no such file: {file}")
    try:
        content = load(file)
    except Exception as error:  # readers raise whatever damage makes them raise
        if isinstance(error, OSError) and error.strerror:
            raise
        if "HDF" in str(error) or "v7.3" in str(error):
            why = "is a MATLAB 7.3 file; save it with -v7, or as .npy"
        else:
            why = f"cannot be read as {what} ({' '.join(str(error).split())[:120]})"
        raise ValueError(f"{file} {why}") from None

    # One array, or the one that is called so.
    arrays = {name: a for name, a in content.items() if isinstance(a, np.ndarray | Tensor)}
    named = [arrays[name] for name in names if name in arrays]
    if named or len(arrays) == 1:
        return named[0] if named else next(iter(arrays.values()))
    called = " or ".join(names)
    held = ", ".join(arrays) or "nothing"
    raise ValueError(f"{file} holds {held}; it needs one array of numbers, or one called {called}")


def load(file: Path) -> dict[str, Any]:
    """The arrays of a file by name; the only one of a file without names is called y."""
    kind = file.suffix.lower()
    if kind == ".mat":
        from scipy.io import loadmat

        return {k: v for k, v in loadmat(file).items() if not k.startswith("__")}
    if kind in (".npy", ".npz"):
        stored = np.load(file, allow_pickle=False)
        if isinstance(stored, np.ndarray):
            return {NAME: stored}
        with stored:
            return {name: stored[name] for name in stored.files}

    tensors = torch.load(file, map_location="cpu", weights_only=True)
    return dict(tensors) if isinstance(tensors, dict) else {NAME: tensors}


def as_measurement(numbers: Any) -> Tensor:
    """An array or a tensor as float32, or as complex64 where it is complex.

    Raises:
        TypeError: it is neither, or not of numbers.
        ValueError: it is empty, or holds NaN or infinity.
    """
    if isinstance(numbers, np.ndarray):
        if numbers.dtype.kind not in "biufc":
            raise TypeError(f"y is an array of {numbers.dtype}; it holds real or complex numbers")
        plain = numbers.astype(np.complex64 if numbers.dtype.kind == "c" else np.float32)
        y = torch.from_numpy(np.ascontiguousarray(plain))
    elif isinstance(numbers, Tensor):
        y = numbers.detach().resolve_conj().resolve_neg()
        y = y.to(torch.complex64 if y.is_complex() else torch.float32)
    else:
        raise TypeError(f"y is a {type(numbers).__name__}; it is a numpy array or a torch tensor")

    if y.numel() == 0 or y.ndim == 0:
        raise ValueError(f"y has the shape {tuple(y.shape)}; it holds no measurement")
    if not (torch.view_as_real(y) if y.is_complex() else y).isfinite().all():
        raise ValueError("y holds NaN or infinity; leave such values out of A and y")
    return y
