"""Holes: those larger than the prior can fill are filled with patches first, even ones smoothly.

The bundled prior has seen pictures of 64 pixels, and the mean of all that may be in a large hole is
a blur. Patches of the photo itself (patches.py) are one of these things, with the photo's texture;
the prior heals their seams. In a sky or on a wall it may draw what is not there: where what lies
about a hole tells it well enough (even.py), that counts in place of the prior's.
"""

import logging

import torch
from torch import Tensor

from gdp.picture import to_image
from gdp.restore.first.even import even_fill
from gdp.restore.first.patches import fill, radius
from gdp.restore.first.stage_one import SEAMS, First
from gdp.restore.setup import Setup
from operators.base import LinearOperator, Operator

LARGE = 12.0  # pixels of radius that the prior fills well
NOISY = 0.1  # std of y's noise, [-1, 1] units, above which patches would copy it
AUTO, PATCHES, SMOOTH = "auto", "patches", "smooth"  # holes=
log = logging.getLogger("gdp")


def evened(pixels: Tensor, A: Operator, setup: Setup) -> Tensor:
    """Results with holes as their surroundings tell them, as far as these do.

    Args:
        pixels: [S, 3, H, W] in [0, 1].
        A: the degradation.
        setup: the settings: who asks for a sampler's own drawing, or another's, gets that.
    """
    known, config = A.known(pixels[:1]), setup.config
    drawn = config["detail"] or setup.sampler.schedule.start != AUTO or config["holes"] != AUTO
    if known is None or drawn or setup.stage_one is not None:
        return pixels
    fill = even_fill(pixels[:1], known[0, 0])
    return pixels if fill is None else torch.lerp(pixels, fill.picture, fill.share)


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
