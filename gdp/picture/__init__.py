"""Photos in and out: the only room that knows files of pictures, uint8 and [0, 1]."""

from gdp.picture.image import (
    Photo,
    compare,
    read,
    read_mask,
    read_optional_mask,
    to_image,
    to_model,
    write,
)

__all__ = [
    "Photo",
    "compare",
    "read",
    "read_mask",
    "read_optional_mask",
    "to_image",
    "to_model",
    "write",
]
