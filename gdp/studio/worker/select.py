"""What a click on a photo means: what is alike around it, or the thing it lies on, as a mask."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gdp.picture import picture_of, read
from gdp.storage.files import atomic
from gdp.studio.worker import sam

SIDE = 640  # pixels of the longer side at which a thing is looked for
ROUNDS, NEAR, FAR = 3, 0.02, 0.35  # of GrabCut; shares of the side that are surely in, and out
Mask = NDArray[np.uint8]


def select(request: dict[str, Any]) -> dict[str, Any]:
    """Find what a click selects, and write it as a picture, white where it is.

    Args:
        request: "file", the picture; "x", "y", shares of its width and height; "how": alike or
            thing; "tolerance", differences in CIELAB that count as alike; "out", the mask's file.

    Raises:
        ValueError: OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise ValueError(
            "a click selects by OpenCV, which is not here; pip install 'gdp-restore[studio]'"
        ) from None
    picture = np.asarray(picture_of(read(request["file"]).pixels).convert("RGB"))
    height, width = picture.shape[:2]
    x = min(width - 1, max(0, int(request["x"] * width)))
    y = min(height - 1, max(0, int(request["y"] * height)))

    if request["how"] == "alike":
        mask = alike(cv2, picture, x, y, float(request["tolerance"]))
    elif sam.weights() is not None:
        mask = sam.select(picture, x, y)
    else:
        mask = thing(cv2, picture, x, y)
    with atomic(Path(request["out"])) as temporary:
        Image.fromarray(mask).save(temporary, format="PNG")
    return {"share": float((mask > 0).mean())}


def alike(cv2: Any, picture: Mask, x: int, y: int, tolerance: float) -> Mask:
    """What is connected with a pixel and differs from it by no more, 255 there, [H, W]."""
    lab = cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    mask = np.zeros((picture.shape[0] + 2, picture.shape[1] + 2), np.uint8)
    flags = 4 | (255 << 8) | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE
    cv2.floodFill(lab, mask, (x, y), 0, (tolerance,) * 3, (tolerance,) * 3, flags)
    return np.ascontiguousarray(mask[1:-1, 1:-1])


def thing(cv2: Any, picture: Mask, x: int, y: int) -> Mask:
    """The thing at a pixel by GrabCut (Rother et al., SIGGRAPH 2004), 255 there, [H, W].

    What lies near the click is surely of it, and what is alike around probably; what is far is not.
    """
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    h, w = small.shape[:2]
    at = (min(w - 1, int(x * scale)), min(h - 1, int(y * scale)))

    rows, columns = np.mgrid[:h, :w]
    distance = np.hypot(columns - at[0], rows - at[1]) / max(h, w)
    seeds = np.full((h, w), cv2.GC_PR_BGD, np.uint8)
    seeds[alike(cv2, small, *at, tolerance=12.0) > 0] = cv2.GC_PR_FGD
    seeds[distance > FAR] = cv2.GC_BGD
    seeds[distance < NEAR] = cv2.GC_FGD

    cv2.setRNGSeed(0)
    cv2.grabCut(small, seeds, None, *np.zeros((2, 1, 65)), ROUNDS, cv2.GC_INIT_WITH_MASK)
    inside = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)

    # The piece with the click in it.
    _, pieces = cv2.connectedComponents(inside)
    mask = np.where(pieces == pieces[at[1], at[0]], 255, 0).astype(np.uint8) * inside
    return np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST))
