"""Scores of a restored picture, on pixels in [0, 1] as an 8-bit file has them."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gdp.picture import rounded
from gdp.restore.scores import formulas
from gdp.restore.scores.choice import DATA, INPUT, NOTHING, TRUTH, Choice, Score
from gdp.restore.scores.choice import SCORES as SCORES

CROPPED = ("psnr", "ssim", "psnr_y", "ssim_y")  # have a variant without the border


class Subject(NamedTuple):
    """What is scored, and what it is compared with; None where that is not known.

    Attributes:
        pixels: [1, 3, H, W] in [0, 1].
        truth: the same of the truth.
        photo: the same of the photo as it was, at the result's size.
        misfit: A x - y, in [0, 1] units.
    """

    pixels: Tensor
    truth: Tensor | None = None
    photo: Tensor | None = None
    misfit: Tensor | None = None


def scores(
    pixels: Tensor, reference: Tensor, choice: Choice | None = None
) -> dict[str, float | str | None]:
    """Every score of a picture against the truth, both [1, 3, H, W] in [0, 1]; see `score`."""
    return score(Subject(pixels, reference), choice or Choice())


def score(subject: Subject, choice: Choice) -> dict[str, Any]:
    """The scores of a picture, as far as there is what they compare it with.

    One that cannot be given is None, with the reason under `NAME_why_not`.
    """
    picture = formulas.as_file(subject.pixels)
    beside = {
        TRUTH: None if subject.truth is None else formulas.as_file(subject.truth),
        INPUT: None if subject.photo is None else formulas.as_file(subject.photo),
        DATA: None if subject.misfit is None else subject.misfit.cpu(),
    }

    out: dict[str, Any] = {}
    for name, one in chosen(choice):
        other = beside.get(one.needs)
        if one.needs != NOTHING and other is None:
            continue
        given = [picture] if other is None else [picture, other]
        try:
            if name.endswith("_crop"):
                given = [formulas.cropped(z, choice.border) for z in given]
            with torch.no_grad():
                value = one.of(*given, *choice.files(one))
        except (ValueError, AssertionError, RuntimeError, OSError, ImportError) as error:
            out[name], out[f"{name}_why_not"] = None, reason(error)
            continue
        out[name] = value if math.isfinite(value) else None
    return out


def chosen(choice: Choice) -> Iterator[tuple[str, Score]]:
    """The scores of a choice by name, each with its variant without the border."""
    for name in choice.names:
        yield name, SCORES[name]
        if choice.border and name in CROPPED:
            yield f"{name}_crop", SCORES[name]


def reason(error: Exception) -> str:
    """Why there is no score, in a line."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def psnr(pixels: Tensor, reference: Tensor) -> Tensor:
    """Peak signal-to-noise ratio [B] in dB, over RGB, after clipping and 8-bit rounding."""
    error = (rounded(pixels) - rounded(reference)).square().flatten(1).mean(1)
    return -10 * error.clamp_min(1e-10).log10()


def rms(x: Tensor) -> float:
    """Root mean square of all entries."""
    return float(torch.linalg.vector_norm(x.cpu(), dtype=torch.float64)) / x.numel() ** 0.5
