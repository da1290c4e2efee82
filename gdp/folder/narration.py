"""A line a step, for verbose=true: where a restoration is, for files of messages."""

import logging
from collections.abc import Callable
from time import perf_counter

from torch import Tensor

from gdp.picture import to_image
from gdp.prior.prior import Prior
from gdp.restore.finish import consistency
from operators.base import Operator
from samplers.restorer import OnStep

log = logging.getLogger("gdp")


def narrated(follow: OnStep, name: str, prior: Prior, A: Operator, y: Tensor) -> OnStep:
    """What follows every step as `follow` does, and says a line of it.

    Args:
        follow: on_step(t, x, x0).
        name: of the photo.
        prior: the prior, which counts its calls.
        A: the operator; of a blind one, as bound by the sampler alone, no misfit is told.
        y: the measurement.
    """
    began, before = perf_counter(), prior.calls
    misfit: Callable[[Tensor], float | None] = (
        (lambda x0: None) if A.blind else lambda x0: consistency(to_image(x0[:1]), A, y[:1])
    )

    def step(t: int, x: Tensor, x0: Tensor) -> None:
        follow(t, x, x0)
        data = {
            "photo": name,
            "t": t,
            "calls": prior.calls - before,
            "seconds": round(perf_counter() - began, 3),
            "consistency": misfit(x0) if x0.shape[-2:] == A.x_shape(y)[-2:] else None,
        }
        shown = data["consistency"]
        log.info(
            "%s: t=%d, call %d, %.1f s%s",
            name,
            t,
            data["calls"],
            data["seconds"],
            "" if shown is None else f", |Ax-y| {shown:.4f}",
            extra={"data": data},
        )

    return step
