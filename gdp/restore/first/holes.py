"""Holes that are larger than the prior can fill: found, told of, and filled with patches first.

The bundled prior has seen pictures of 64 pixels, and the mean of all that may be in a large hole is
a blur. Patches of the photo itself (patches.py) are one of these things, with the photo's texture;
the prior heals their seams.
"""

import logging

import torch
from torch import Tensor

from gdp.picture import to_image
from gdp.restore.first.patches import fill, radius
from gdp.restore.first.stage_one import SEAMS, First
from operators.base import LinearOperator, Operator

LARGE = 12.0  # pixels of radius that the prior fills well
NOISY = 0.1  # std of y's noise, [-1, 1] units, above which patches would copy it
AUTO, PATCHES, SMOOTH = "auto", "patches", "smooth"  # holes=
log = logging.getLogger("gdp")


def patched(A: Operator, y: Tensor, how: str, name: str) -> First | None:
    """A first picture with patches in its holes; None where there are no large ones.

    Args:
        A: the degradation.
        y: the measurement.
        how: auto, where a hole is large; patches, at any size; or smooth, never.
        name: what messages call the photo.
    """
    if how == SMOOTH or not isinstance(A, LinearOperator) or A.measured or A.sigma_y > NOISY:
        return None
    known = A.known(y)
    if known is None or bool(known.all()):
        return None
    here = known[0, 0].cpu()
    if not bool(here.any()):
        return None
    size = radius(here)
    if how == AUTO and size <= LARGE:
        return None

    with torch.no_grad():
        filled = fill(A.pinv(y).float().cpu(), here)  # by indices of integers, as scipy's
    if filled is None:
        return None
    filled = filled.to(y)
    if size > LARGE:
        log.warning(
            "%s: what is to be filled is up to %d pixels from what is known, more than the prior "
            "can fill by itself; patches of the photo go first (holes=smooth leaves them out; "
            "stage_one= with weights of LaMa invents more)",
            name,
            round(size),
        )
    picture, report = to_image(filled), {"kind": PATCHES, "reach": round(size)}
    return First(picture, picture, SEAMS, report)
