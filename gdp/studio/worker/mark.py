"""Masks and kernels that come from a page: read as hostile pictures, kept as grey PNG."""

from pathlib import Path
from typing import Any

import torch.nn.functional as F
from PIL import Image

from gdp.picture import picture_of, read
from gdp.storage.files import atomic
from gdp.studio.worker.look import check_size

WHITE = 0.5 / 255  # a mask without anything above this is none


def mark(request: dict[str, Any]) -> dict[str, Any]:
    """Keep a mask or a kernel, white on black.

    Args:
        request: "file", the picture; "out", where it is kept; "size", width and height to bring it
            to, or None for its own; "most", its pixels at most.

    Raises:
        ValueError: it is no picture, or too large.
    """
    file, out = Path(request["file"]), Path(request["out"])
    try:
        check_size(file, request["most"])
        photo = read(file)
    except (ValueError, OSError) as error:
        raise ValueError(str(error).replace(str(file), "this file")) from None
    grey = photo.pixels.mean(1, keepdim=True)
    if photo.alpha is not None:
        grey = grey * photo.alpha
    if float(grey.max()) <= WHITE:
        out.unlink(missing_ok=True)
        return {"white": False}

    if request["size"] is not None:
        width, height = request["size"]
        if grey.shape[-2:] != (height, width):
            grey = F.interpolate(grey, (height, width), mode="bilinear", align_corners=False)
    picture: Image.Image = picture_of(grey.expand(-1, 3, -1, -1)).convert("L")
    with atomic(out) as temporary:
        picture.save(temporary, format="PNG")
    return {"white": True}
