"""Values of settings as Python code gives them, as a configuration holds them, as reports do."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor


def config_value(name: str, value: Any) -> Any:
    """The value of a setting as a configuration holds it.

    A tuple becomes a list, a number of an array a number, and text stands for itself.

    Raises:
        TypeError: a value is of no kind that a setting has.
    """
    if isinstance(value, Mapping):
        return {str(key): config_value(f"{name}.{key}", inner) for key, inner in value.items()}
    if isinstance(value, str):
        return value.replace("${", "\\${")
    if isinstance(value, list | tuple):
        return [config_value(name, inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | Path | Tensor):
        return value
    if isinstance(value, np.ndarray) and value.ndim and value.dtype.kind in "buifc":
        return torch.from_numpy(np.array(value))  # a copy: writable, contiguous
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(
        f"{name}= got a {type(value).__name__}; a setting is a number, text, true or false, "
        "or a list of them"
    )


def report_value(value: Any) -> Any:
    """The value of a setting as a report holds it: a path as text, a Tensor by its size."""
    if isinstance(value, Mapping):
        return {str(key): report_value(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [report_value(inner) for inner in value]
    if isinstance(value, Tensor):
        return f"<{value.shape[-1]}x{value.shape[-2]} pixels>"
    return str(value) if isinstance(value, Path) else value


def flatten(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield nested settings by their dotted names."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
