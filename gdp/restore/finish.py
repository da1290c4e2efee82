"""What comes after sampling: colours, pixels that are known, strength, scores, the report."""

import logging
from typing import Any, cast

import torch
from torch import Tensor

from gdp.picture import is_grey, rounded, to_image, to_model
from gdp.prior.prior import Prior
from gdp.restore import colourfix, facts
from gdp.restore.first.begin import mixed, told
from gdp.restore.first.holes import evened
from gdp.restore.guard import held, judge
from gdp.restore.noise.doubt.evidence import dark_share
from gdp.restore.noise.doubt.share import mended_noise_share, noise_share
from gdp.restore.observe import Measurement
from gdp.restore.result import Result
from gdp.restore.sample import Cost
from gdp.restore.scores import metrics, terms, truth
from gdp.restore.setup import AUTO, Setup
from gdp.restore.several.agreement import agree, calmed, regained
from operators.base import LinearOperator, Operator
from operators.gain import least_squares
from operators.measured import Measured
from operators.missing.mask import Mask
from samplers.restorer import Restored
from samplers.start import first_guess

log = logging.getLogger("gdp")


def finish(
    measurement: Measurement, restored: Restored, cost: Cost, setup: Setup, prior: Prior
) -> Result[Tensor, Tensor]:
    """Turn a photo's samples into the result that a user gets.

    Args:
        measurement: the photo.
        restored: its samples [S, 3, H, W] in [-1, 1], and the operator as bound.
        cost: what sampling took.
        setup: settings, for what is to be done and for the report.
        prior: the prior, for the report.
    """
    config, A, x, claim = setup.config, restored.operator, restored.x, cost.claim
    measurement = measurement._replace(noise=claim.noise) if claim else measurement
    if (tint := measurement.tint) is not None:  # what was put into y goes, see noise/choose.py
        measurement, x = measurement._replace(y=tint.y), tint.off(cast(LinearOperator, A), x)
    y, pixels, data = measurement.y, to_image(x), isinstance(A, Measured)

    # Colours of the input, pixels that it holds, nothing that it does not bear, and a share of it.
    remarks, guidance = [A.remark(y)], terms.guidance_of(setup.sampler)
    remarks += [] if guidance is None else [terms.remark(guidance, A, y, x[:1])]
    if config["colourfix"] != "none":
        pixels = colourfix.fix(config["colourfix"], pixels, A, y)
    if y.shape[1] == 3 and is_grey(measurement.photo.pixels):
        pixels = pixels.mean(1, keepdim=True).expand_as(pixels)  # a grey photo stays grey
    doubtful = doubt(pixels, A, y) if data or config["degrade"] else ""
    remarks.append(doubtful)
    if not (data or config["degrade"]):
        pixels = regained(agree(pixels, A, y, measurement.photo.rounding), A, y)
        pixels, remark = held(pixels, A, y)
        remarks.append(remark)
        verdict = judge(pixels, A, y)
        if not verdict.passed:
            pixels = untouched(A, y).expand_as(pixels)
            remarks.append(f"the photo is left as it is, for the result {verdict.why}")
        elif measurement.shown is not None and A.offers("brought_out"):
            mended = mended_noise_share(pixels, A, y, measurement.shown)
            pixels = torch.lerp(A.developed(y).clamp(0, 1).to(pixels), pixels, mended)
        elif measurement.noise is not None and setup.doubts(measurement.noise.is_flat):
            least, noise = claim.share if claim else 0.0, measurement.noise
            share = dark_share(A, noise) * max(least, noise_share(pixels, A, y, noise))
            if share < 1:
                pixels = torch.lerp(untouched(A, y).to(pixels), pixels, share)
            if share < A.takes:
                remarks.append(
                    f"what was found as noise is texture rather: {1 - share:.0%} of it stays"
                )
        elif isinstance(A, Mask):
            pixels = evened(pixels, A, setup)
            pixels = A.blend(pixels, measurement.photo.pixels.to(pixels))
    explains = None  # y, better than the result does, where something is mended in the end
    if measurement.mending is not None:
        explains, pixels = pixels, measurement.mending(pixels)
    pixels = mixed(pixels, measurement.first, config)
    pixels = pixels if measurement.past is None else calmed(pixels, measurement, A)
    given = measurement.given
    if config["strength"] < 1:
        pixels = torch.lerp(untouched(A, given), pixels, config["strength"])

    for remark in filter(None, remarks):
        log.warning("%s: %s", measurement.name, remark)
    extra = told(doubtful, measurement.first, measurement.before)
    explains = pixels if explains is None else explains
    report = report_on(pixels, explains, measurement, A, cost, setup, prior) | extra
    return Result(
        pixels=as_x(pixels, A)[None],
        y=A.given(y) if isinstance(A, Measured) else to_image(given),
        photos=[measurement.photo],
        reference=measurement.reference,
        maps=A.pictures(y) | (measurement.before.pictures if measurement.before else {}),
        radiance=A.radiance(to_model(pixels[:1])) if config["scene"] else None,
        reports=[report],
        plain=as_x(to_image(least_squares(A, y)), A) if isinstance(A, Measured) else None,
    )


def as_x(pixels: Tensor, A: Operator) -> Tensor:
    """Pixels [S, C, H, W] of the state that samplers work on as those of x."""
    return A.picture(pixels) if isinstance(A, Measured) else pixels


def doubt(pixels: Tensor, A: Operator, y: Tensor) -> str:
    """A warning where a result is much farther from y than y's noise is; else nothing."""
    verdict = judge(pixels, A, y, detail=False)
    if verdict.passed:
        return ""
    return (
        f"the result does not explain y: it {verdict.why.replace('from it', 'from y')}; "
        "A, sigma_y= or the units of y may be wrong, or the steps too few"
    )


def untouched(A: Operator, y: Tensor) -> Tensor:
    """The photo as it is, [1, 3, H, W] in [0, 1], or a first guess where x has another size."""
    same = y.shape == A.x_shape(y) and y.shape[1] == 3
    return to_image(y if same else first_guess(A, y))


def consistency(pixels: Tensor, A: Operator, y: Tensor) -> float:
    """RMS of A x - y in the caller's units, of pixels [B, C, H, W] in [0, 1]."""
    return metrics.rms(misfit_of(pixels, A, y))


def misfit_of(pixels: Tensor, A: Operator, y: Tensor) -> Tensor:
    """A x - y in the caller's units, of pixels [B, C, H, W] in [0, 1]."""
    with torch.no_grad():
        return (A(to_model(pixels).to(y)) - y) * A.unit


def report_on(
    pixels: Tensor,
    explains: Tensor,
    measurement: Measurement,
    A: Operator,
    cost: Cost,
    setup: Setup,
    prior: Prior,
) -> dict[str, Any]:
    """What NAME.json says of a result [S, 3, H, W] in [0, 1], but where its files are.

    `explains` is the result as y shows it, where light or colours were mended afterwards.
    """
    config, y, reference = setup.config, measurement.y, measurement.reference
    result, guidance = pixels[:1], terms.guidance_of(setup.sampler)

    # Against the truth, beside the photo as it was.
    scores: dict[str, Any] | None
    before = None if isinstance(A, Measured) else truth.as_seen(measurement.given, result)
    choice = setup.scores
    misfit = misfit_of(explains[:1], A, y)
    if reference is not None:
        likest = as_x(A.likest(result, reference.to(result)), A)  # up to what y cannot tell
        scores, scores_of_input = truth.scores(
            measurement.name, likest, before, reference, choice, misfit
        )
    else:
        scores, scores_of_input = truth.scores_without(as_x(result, A), before, choice, misfit)

    # How much samples differ, and how good their mean is.
    spread = None
    if len(pixels) > 1:
        std = pixels.std(0).mean(0)
        mean = pixels.mean(0, keepdim=True)
        spread = {
            "count": len(pixels),
            "std": float(std.mean()),
            "std_at_white": max(float(std.max()), 1e-6),
            "scores_of_mean": None
            if reference is None
            else metrics.scores(as_x(mean, A), reference, setup.scores),
        }

    return {
        "size": [result.shape[-1], result.shape[-2]],
        "seed": config["seed"],
        "sigma_y": measurement.sigma_y * measurement.operator.unit,
        "sigma_y_estimated": config["sigma_y"] == AUTO,
        "noise": None if measurement.noise is None else measurement.noise.describe(),
        "found": list(measurement.findings),
        "nfe": cost.calls,
        "seconds": cost.seconds,
        "seconds_per_nfe": cost.seconds / max(cost.calls, 1),
        "peak_memory_mb": facts.peak_memory_mb(prior.device),
        "consistency": metrics.rms(misfit),
        "consistency_saved": consistency(rounded(explains[:1]), A, y),
        "scores": scores,
        "scores_of_input": scores_of_input,
        "samples": spread,
        "guidance": guidance and terms.describe(guidance, A, y, to_model(result)),
        "operator": A.describe(y),
        "prior": prior.source,
        "hardware": facts.hardware(prior.device),
        "versions": facts.versions(),
        "choices": setup.choices,
        "overrides": setup.overrides,
        "config": config,
    }
