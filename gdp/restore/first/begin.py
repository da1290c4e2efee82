"""What a restoration starts from, where it is not the first guess that the sampler makes itself."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from gdp.restore.first.holes import patched
from gdp.restore.first.stage_one import First
from gdp.restore.observe import Measurement
from gdp.restore.setup import Setup
from operators.base import Operator


def begun(measurement: Measurement, setup: Setup) -> Measurement:
    """A measurement with the picture that it is started from, unless it has one.

    Raises:
        ValueError: the settings' stage one is of another task.
    """
    if measurement.init is not None or measurement.photo.measured:
        return measurement
    first = begin(measurement.operator, measurement.y, setup, measurement.name)
    if first is None:
        return measurement
    return measurement._replace(init=first.start, first=first, alone=True)


def begin(A: Operator, y: Tensor, setup: Setup, name: str) -> First | None:
    """The picture to start from; None: the sampler's own.

    Args:
        A: the degradation, not bound, with y's noise.
        y: the measurement.
        setup: the settings.
        name: what messages call the photo.

    Raises:
        ValueError: the settings' stage one is of another task.
    """
    if A.leaves:
        return None
    if setup.stage_one is not None:
        return setup.stage_one.begin(A, y, name)
    late = setup.sampler.schedule.start == "auto"  # others begin with noise, as their papers do
    return patched(A, y, setup.config["holes"], name) if late else None


def mixed(pixels: Tensor, first: First | None, config: Mapping[str, Any]) -> Tensor:
    """The share of the restoration in what stage one has drawn that fidelity= says."""
    if first is None or config["fidelity"] == 1:
        return pixels
    return torch.lerp(first.picture.to(pixels), pixels, config["fidelity"])


def told(doubt: str, first: First | None, before: Any) -> dict[str, Any]:
    """What a report says of a doubt about the result, of its start, and of tasks before it."""
    return {
        "doubt": doubt or None,
        "first": None if first is None else first.report,
        "stages": before.reports or None if before else None,
    }
