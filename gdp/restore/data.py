"""Measurements that a caller hands over in place of photos, and how results become arrays again."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gdp.picture import read, to_model
from gdp.picture.arrays import Source, source_of
from gdp.picture.measurement import as_measurement, is_measurement, read_measurement
from gdp.picture.photo import Photo
from gdp.restore.measure import check, check_photo, fitted, foreign
from operators.base import Operator


def is_data(what: Any, A: Operator) -> bool:
    """Whether something is a measurement and no photo: complex, of another shape, or a file of it.

    What could be either is a photo, unless A, one of the caller's own, fits the measurement alone.
    """
    if isinstance(what, str | Path):
        return is_measurement(Path(what))
    if not isinstance(what, np.ndarray | Tensor):
        return False
    if np.iscomplexobj(what) if isinstance(what, np.ndarray) else what.is_complex():
        return True
    return foreign(A) and not photo_fits(what, A) and data_fits(what, A)


def photo_fits(what: np.ndarray | Tensor, A: Operator) -> bool:
    """Whether an array has a photo's shape, and A makes photos of that shape."""
    shape = tuple(what.shape)
    if isinstance(what, Tensor):
        photo = len(shape) in (3, 4) and shape[-3] == 3
        size = (*shape[-2:],)
    else:
        photo = len(shape) == 2 or (len(shape) == 3 and shape[-1] in (1, 3, 4))
        size = shape[:2]
    if not photo:
        return False
    try:
        check(A, torch.ones(1, 3, *size))
    except ValueError as error:
        return "is declared linear" in str(error)
    return True


def data_fits(what: np.ndarray | Tensor, A: Operator) -> bool:
    """Whether A makes measurements of this shape."""
    try:
        fitted(as_measurement(what), A)
    except (ValueError, TypeError):
        return False
    return True


def measurement_source(what: Any, A: Operator) -> Source:
    """What was measured, one image by one, and how results become of its kind.

    Raises:
        ValueError, TypeError, OSError: it cannot be read, or A does not make such of any x.
    """
    file = Path(what).expanduser() if isinstance(what, str | Path) else None
    numbers = as_measurement(what) if file is None else read_measurement(file).pixels
    whole = fitted(numbers, A)
    batch = whole.ndim == numbers.ndim
    photos = [Photo(one, rounding=0.0, depth=32, measured=True) for one in whole.split(1)]

    def back(pixels: Tensor) -> Any:
        out = pixels.float() if batch else pixels[0].float()
        return out.to(what.device) if isinstance(what, Tensor) else out.cpu().numpy()

    name = "measurement" if file is None else file.name
    return Source(photos, lambda pixels: back(pixels.clamp(0, 1)), back, name, file)


def read_any(file: Path, A: Operator, page: int | None = None) -> Photo:
    """Read a photo, or a measurement; an array of pixels for one of the program's own operators.

    Raises:
        OSError, ValueError: it cannot be read.
    """
    if not is_measurement(file):
        return read(file, page)
    data = read_measurement(file)
    if foreign(A) or data.pixels.is_complex():
        return data

    # What is a photo by its shape: [H, W], [H, W, 3], [3, H, W], in [0, 1]
    numbers = data.pixels
    channels_first = numbers.ndim in (3, 4) and numbers.shape[-3] == 3
    try:
        source = source_of(numbers if channels_first else numbers.numpy(), file.name)
    except (ValueError, TypeError):
        return data
    return source.photos[0] if len(source.photos) == 1 else data


def refuse_misfit(photo: Photo, A: Operator, degrade: bool) -> None:
    """Raise ValueError where a photo or a measurement does not fit A, before the weights load."""
    if photo.measured:
        fitted(photo.pixels, A)
    elif not degrade:
        check_photo(A, to_model(photo.pixels))
