"""A photo looked at: what task=auto finds in it, as facts that the page puts into words."""

import re
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from gdp.picture import Photo, is_grey, read, size_of, to_model
from gdp.restore.observe import observe
from gdp.studio.worker.restore import setup_of
from gdp.studio.worker.view import shown_photo
from operators.blur.soft import SoftBlur
from operators.coded.tables import standard_tables
from operators.coded.traces import BEGINNING
from operators.identity import Identity
from operators.light.light import Light

LOOKED_AT = 2048  # pixels a side of the middle that is looked at; what is sought is local
TASKS = re.compile(r"task=(\w+)")


def look(request: dict[str, Any]) -> dict[str, Any]:
    """Look at a photo, and make its pictures for the page.

    Args:
        request: "file"; "view", the folder for the pictures; "most", the pixels that a photo may
            have.

    Raises:
        ValueError: it is no picture, or too large.
    """
    file = Path(request["file"])
    try:
        check_size(file, request["most"])
        photo = read(file)
        size = shown_photo(photo, Path(request["view"]), file.stem)
    except (ValueError, OSError) as error:
        raise ValueError(str(error).replace(f"{file.parent}/", "")) from None
    return {"looked": {"size": size, **facts(photo, file)}}


def check_size(file: Path, most: int) -> None:
    """Raise ValueError where a photo has more pixels than that, before they are read."""
    size = size_of(file)
    if size is not None and size[0] * size[1] > most:
        height, width = size
        raise ValueError(
            f"{file.name} is {width}x{height}, and this studio takes {most / 1e6:.3g} million "
            "pixels; shrink or crop it, or start the studio with --megapixels"
        )


def facts(photo: Photo, file: Path) -> dict[str, Any]:
    """What is known of a photo: its noise, softness, compression and light."""
    middle = cut(photo)
    setup = setup_of(["task=auto", "jpeg=auto"])
    measurement = observe(middle, setup, torch.device("cpu"), file.stem, file)
    A, model = measurement.operator, measurement.noise
    inner = [part for part in A.modules() if isinstance(part, Light | SoftBlur | Identity)]

    findings = " ".join(A.findings)
    return {
        "grey": bool(photo.grey) or is_grey(to_model(middle.pixels)),
        "noise": 0.0 if model is None else model.std,
        "coloured": model is not None and not model.is_white,
        "jpeg": jpeg_quality(file),
        "dark": any(isinstance(part, Light) for part in inner),
        "soft": next((part.found for part in inner if isinstance(part, SoftBlur)), None),
        "good": "nothing to do" in findings,
        "also": TASKS.findall(findings),
        "depth": photo.depth,
        "said": list(A.findings),
    }


def cut(photo: Photo) -> Photo:
    """The middle of a large photo."""
    height, width = photo.pixels.shape[-2:]
    top, left = max(0, (height - LOOKED_AT) // 2), max(0, (width - LOOKED_AT) // 2)
    top, left = top - top % 16, left - left % 16  # the blocks of a JPEG stay where they are
    middle = photo.pixels[..., top : top + LOOKED_AT, left : left + LOOKED_AT]
    return photo._replace(pixels=middle, alpha=None)


def jpeg_quality(file: Path) -> int | None:
    """The quality, 1 to 100, whose tables are the nearest to a JPEG file's; None of others."""
    with file.open("rb") as stream:
        if stream.read(len(BEGINNING)) != BEGINNING:
            return None
    Image.init()
    try:
        with Image.open(file, formats=["JPEG"]) as picture:
            table = getattr(picture, "quantization", {})[0]
    except (OSError, ValueError, SyntaxError, KeyError):
        return None
    mean = sum(table) / len(table)
    means = {q: float(standard_tables(q)[0].double().mean()) for q in range(1, 101)}
    return min(means, key=lambda q: abs(means[q] - mean))
