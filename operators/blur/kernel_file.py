"""Blur kernels from files and from other code: pictures, .npy, .npz, .mat, .pt, arrays, lists.

A picture's kernel is its brightness, upright as its EXIF says; what is transparent is dark. All
numbers are scaled to the sum 1 (`normalise`), so that 8 bits, 16 bits and floats mean the same.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from operators.blur.kernel_shape import normalise

NAMES = (
    "kernel",
    "psf",
    "k",
    "h",
    "f",
)  # of the matrix in a file of several, the first that is there
REAL = 1e-6  # what imaginary parts may be of the largest number
REMEDY = "give a picture, .npy or .mat file of numbers"
READABLE = ("PNG", "JPEG", "MPO", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM")  # run no programs


def from_file(path: str | Path) -> Tensor:
    """The kernel in a file, scaled to the sum 1; even sides get a row or column of zeros.

    Args:
        path: a picture, whose brightness counts, an .npy or .npz array, a tensor in a .pt file, or
            a .mat file, of which the matrix called kernel, psf, k, h or f counts, else the largest.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it cannot be read as a kernel.
    """
    try:
        file = Path(path).expanduser()
    except RuntimeError:  # no such user
        file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(
            f"no kernel file at {path}; operator.kernel= takes a picture, .npy or .mat file"
        )

    try:
        return kernel_of(values_of(file))
    except Exception as error:  # readers raise whatever damage makes them raise
        if isinstance(error, OSError) and error.strerror:
            raise
        reason = " ".join(str(error).split())[:200].replace(str(file), "it")
        raise ValueError(
            f"{path} cannot be read as a kernel ({reason or type(error).__name__}); {REMEDY}"
        ) from None


def kernel_of(what: Any) -> Tensor:
    """A kernel [h, w] of sum 1 from a tensor, an array, or a list of rows.

    Raises:
        ValueError: it is no 2-D array of finite, real numbers.
        TypeError: it is of another kind.
    """
    if isinstance(what, str | Path):
        return from_file(what)
    if not isinstance(what, Tensor | np.ndarray | list | tuple):
        raise TypeError(
            f"operator.kernel is a {type(what).__name__}; it can be a file, a numpy array, a torch "
            "tensor or a list of rows"
        )
    array = what.detach().cpu().resolve_conj().numpy() if isinstance(what, Tensor) else what
    array = np.asarray(array)

    if array.dtype.kind == "c":
        largest, imaginary = float(np.abs(array).max(initial=0)), np.abs(array.imag).max(initial=0)
        if imaginary > REAL * largest:
            raise ValueError("its numbers are complex; a blur kernel is real")
        array = array.real
    if array.dtype.kind not in "buif":
        raise ValueError(f"it holds {array.dtype}, not numbers")

    # Dimensions of one are wrapping.
    values = torch.from_numpy(np.array(array, dtype=np.float64))
    while values.ndim > 2 and 1 in values.shape:
        values = values.squeeze(values.shape.index(1))
    return normalise(values)


def values_of(file: Path) -> Any:
    """The numbers in a file, whatever its kind; readers raise what they do."""
    with file.open("rb") as stream:
        head = stream.read(128)
    if not head:
        raise ValueError("it is empty")
    suffix = file.suffix.lower()

    if head.startswith(b"\x93NUMPY"):
        return np.load(file, allow_pickle=False)
    if suffix == ".npz":
        with np.load(file, allow_pickle=False) as arrays:
            return chosen({name: arrays[name] for name in arrays.files})
    if head[124:128] in (b"\0\2IM", b"\2\0MI") or head.startswith(b"\x89HDF"):
        return from_hdf5(file)
    if suffix == ".mat":
        from scipy.io import loadmat

        return chosen(loadmat(file))
    if suffix in (".pt", ".pth"):
        loaded = torch.load(file, map_location="cpu", weights_only=True)
        return chosen(loaded) if isinstance(loaded, dict) else loaded
    return picture(file)


def chosen(arrays: dict[str, Any]) -> Any:
    """The kernel among named arrays: the first of the usual names, else the largest matrix."""
    matrices = {
        name: array
        for name, array in arrays.items()
        if isinstance(array, np.ndarray | Tensor) and array.ndim == 2 and not name.startswith("__")
    }
    for name in NAMES:
        for own, matrix in matrices.items():
            if own.lower() == name:
                return matrix
    if not matrices:
        raise ValueError("no matrix of numbers inside")
    return max(matrices.values(), key=lambda matrix: int(np.prod(matrix.shape)))


def from_hdf5(file: Path) -> Any:
    """The kernel in a .mat file of version 7.3, which is HDF5 and has its matrices transposed."""
    try:
        import h5py
    except ImportError:
        raise ValueError(
            "it is of Matlab's version 7.3, which needs the package h5py; save it with -v7"
        ) from None

    with h5py.File(file, "r") as stored:
        return chosen({name: np.array(item).T for name, item in stored.items()})


def picture(file: Path) -> np.ndarray:
    """The brightness of a picture [h, w], upright, dark where it is transparent."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(file, formats=[name for name in READABLE if name in known()]) as opened:
            count = getattr(opened, "n_frames", 1)
            if count > 1 and opened.format != "MPO":
                raise ValueError(f"it has {count} pictures; a kernel is one")
            image = ImageOps.exif_transpose(opened)
    except UnidentifiedImageError:
        from tifffile import TiffFileError, imread

        try:
            return flat(imread(file))
        except TiffFileError:
            raise ValueError("it is no picture") from None

    # Grey of more than 8 bits has numbers of its own.
    deep = image.mode == "F" or image.mode.startswith("I")
    if deep and not image.has_transparency_data:
        return np.asarray(image, dtype=np.float64)
    if image.mode == "La":
        image = image.convert("LA")
    return flat(np.asarray(image.convert("RGBA"), dtype=np.float64) / 255)


def known() -> dict[str, Any]:
    """PIL's readers."""
    from PIL import Image

    Image.init()
    return Image.OPEN


def flat(values: np.ndarray) -> np.ndarray:
    """[h, w] of [h, w] or [h, w, C]: the mean of three colours, times what a fourth one shows."""
    if values.ndim != 3 or values.shape[-1] not in (1, 2, 3, 4):
        return values
    colours = values.shape[-1] - (values.shape[-1] % 2 == 0)
    weights = (0.299, 0.587, 0.114) if colours == 3 else (1.0,)
    grey = (values[..., :colours] * np.array(weights)).sum(-1)
    return grey * values[..., -1] if colours < values.shape[-1] else grey
