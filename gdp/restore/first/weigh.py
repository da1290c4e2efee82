"""How much of another restorer's picture belongs into ours, where y is a picture with white noise.

    h_w = g + w (f - g)                                      f the restorer's, g the restoration
    SURE(w) = |h_w - y|^2 + 2 sigma_y^2 div h_w - n sigma_y^2      E of it is E |h_w - x|^2
    w = - (<g - y, f - g> + sigma_y^2 (div f - div g)) / |f - g|^2,   0 to 1

SURE (Stein 1981) tells the error of an estimate without the truth. Divergences are those along one
random direction (Ramani, Blu & Unser, IEEE TIP 2008): div h = <b, h(y + e b) - h(y)> / e. Two
networks err differently, so that the mean errs less than either; of one that is far off w is 0.
"""

import logging
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.restore.observe import Measurement
from gdp.restore.setup import Setup
from operators.base import ROUNDED
from operators.identity import Identity

STRIDE = 0.02  # times sigma_y is e: at .1 the divergence is 5 % too large already
BLOCK = 16  # pixels a side of what counts as independent
UNSURE = 0.3  # standard error of w, from which it is not taken: half precision, tiny pictures
FEW = 10  # calls of a restoration that is made twice for it
log = logging.getLogger("gdp")


def weighs(measurement: Measurement, setup: Setup, T: int) -> bool:
    """Whether both pictures are estimates of x by y, a picture with white noise of a known std.

    Args:
        measurement: the photo.
        setup: sampler and stage one; one that takes many of the prior's T steps is not run twice.
        T: the prior's steps.
    """
    A = measurement.operator
    return (
        setup.stage_one is not None
        and measurement.first is not None
        and isinstance(A, Identity)
        and A.whitening is None
        and A.sigma_y > ROUNDED
        and len(setup.seeds) == 1
        and not setup.config["detail"]
        and setup.config["fidelity"] > 0
        and sum(one.calls for one in setup.sampler.expected(T, A, measurement.y)) <= FEW
    )


def weighed(
    measurement: Measurement, x: Tensor, setup: Setup, restore: Callable[[Tensor], Tensor]
) -> Tensor:
    """The restoration with stage one's share in it; its report tells that share.

    Args:
        measurement: for which `weighs` holds.
        x: the restoration [1, 3, H, W] in [-1, 1].
        setup: with stage one.
        restore: makes x of y.
    """
    A, y, first, stage = measurement.operator, measurement.y, measurement.first, setup.stage_one
    assert first is not None
    assert stage is not None
    b = Noise([0], "start").like(y).sign()
    e = STRIDE * A.sigma_y

    # Both at y and beside it.
    with torch.no_grad():
        f, beside = stage.restore(A, y), stage.restore(A, y + e * b)
        g, other = x, restore(y + e * b)
        div = b * ((beside - f) - (other - g)) / e
        apart = f - g
        parts = -((g - y) * apart + A.sigma_y**2 * div)

    w, error = ratio(parts, apart.square())
    w = min(max(w, 0.0), 1.0) if error < UNSURE else 0.0
    first.report["share"] = round(w, 3)
    log.info("%s: its share in the result is %.0f %%", measurement.name, 100 * w)
    return torch.lerp(x, f, w)


def ratio(parts: Tensor, squares: Tensor) -> tuple[float, float]:
    """sum(parts) / sum(squares) of [1, C, H, W], and its standard error by blocks."""
    parts, squares = parts.cpu().double(), squares.cpu().double()
    whole = float(squares.sum())
    if whole == 0:
        return 0.0, 0.0
    w = float(parts.sum()) / whole

    left = (parts - w * squares).sum(1, keepdim=True)
    sums = F.avg_pool2d(left, BLOCK, ceil_mode=True, divisor_override=1)
    return w, float(sums.square().sum().sqrt()) / whole
