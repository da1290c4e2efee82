"""float32 that is float32: without TF32, which keeps 10 of its 23 bits in products on NVIDIA GPUs.

Whoever asks for float32 asks for the reference; what is to be fast takes 16 bits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def exact_float32() -> Iterator[None]:
    """Within it, convolutions and matrix products of float32 on CUDA are computed in float32."""
    places: list[Any] = [torch.backends.cudnn, torch.backends.cuda.matmul]
    try:
        before = [place.allow_tf32 for place in places] if torch.cuda.is_available() else []
    except RuntimeError:  # the caller has set torch's newer switches, which stay as they are
        before = []
    if not before:
        yield
        return
    for place in places:
        place.allow_tf32 = False
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            place.allow_tf32 = value
