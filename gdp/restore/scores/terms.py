"""What the terms of the guidance came to: for the report, and a word where one fights y."""

from typing import Any

import torch
from torch import Tensor

from operators.base import Operator
from samplers.guide.guidance import Guidance
from samplers.restorer import Restorer
from samplers.start import first_guess

MISFIT = 1.5  # times y's noise, and ...
SLACK = 0.01  # ... [-1, 1] units more: how far A x may be from y
AGAINST = -0.2  # cosine of two gradients from which a term pulls away from y


def guidance_of(sampler: Restorer) -> Guidance | None:
    """The guidance of a sampler, or of the one inside a wrapper, if it has terms besides y's."""
    sampler = getattr(sampler, "sampler", sampler)
    found = getattr(sampler, "guidance", None)
    return found if isinstance(found, Guidance) and found.quality() is not None else None


def describe(guidance: Guidance, A: Operator, y: Tensor, x: Tensor) -> dict[str, Any]:
    """Each term's weight, and its value at the start and at the end.

    Args:
        guidance: the terms.
        A: the operator as bound.
        y: the measurement of one photo, [1, ...] in [-1, 1].
        x: the result [1, 3, H, W] in [-1, 1].

    Returns:
        name -> weight, start (of the first guess) and end (of the result), a pixel.
    """
    start, end = guidance.values(first_guess(A, y), y, A), guidance.values(x, y, A)
    return {
        name: {"weight": float(guidance.terms[name][0]), "start": start[name], "end": end[name]}
        for name in end
    }


def remark(guidance: Guidance, A: Operator, y: Tensor, x: Tensor) -> str:
    """Which terms pull x away from y, where A x is further from y than y's noise; arguments are
    those of `describe`.
    """
    quality = guidance.quality()
    with torch.no_grad():
        misfit = float((A(x) - y).square().mean().sqrt())
    if quality is None or misfit < MISFIT * A.sigma_y + SLACK:
        return ""

    to_y = Guidance().gradient(x, y, A)
    fighting = []
    for name, (weight, term) in quality.terms.items():
        pull = Guidance({name: [weight, term]}).gradient(x, y, A)
        if float(torch.cosine_similarity(pull.flatten(), to_y.flatten(), dim=0)) < AGAINST:
            fighting.append(f"{name} (weight {weight:g})")
    if not fighting:
        return ""
    return (
        f"{' and '.join(fighting)} {'fights' if len(fighting) == 1 else 'fight'} the photo: the "
        f"result, degraded again, is {misfit / 2:.3f} away from it; try a smaller "
        f"guidance.terms.{fighting[0].split()[0]}.0"
    )
