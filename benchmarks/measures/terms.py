"""What each term of guidance=quality does to real photos, where y leaves it something to decide.

    python benchmarks/measures/terms.py --images FOLDER [--picture FILE] [--json FILE] [OVERRIDE]

Rows: a term off and at its weight, in a task that it is for, by one sampler: PSNR, and the term's
own value a pixel (docs/guidance.md says in what unit). --picture draws one photo each way.
"""

import sys
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from PIL import Image, ImageDraw
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import measure_parser, save, table
from benchmarks.scoring import squares
from gdp.compose.configuration import build, compose
from gdp.picture import picture_of, to_image, to_model
from gdp.prior.prior import Prior
from gdp.restore.observe import degrade
from gdp.restore.scores.metrics import psnr
from gdp.restore.scores.terms import guidance_of
from operators.base import Operator
from samplers.restorer import Run

# A term, its settings, and a task in which y leaves it something to decide
BOX = ["operator=mask_box", "operator.height=0.6", "operator.width=0.6"]
OVER = ["task=exposure", "operator.factors=[1.8]"]
CASES = [
    ("total_variation", [], ["task=sr4"]),
    ("exposure", ["target=0.2"], BOX),
    ("exposure", ["target=0.7"], BOX),
    ("colour_constancy", [], ["task=colorize"]),
    ("spatial_consistency", [], ["task=lowlight"]),
    ("saturation", [], OVER),
]
ALL = ["total_variation", "exposure", "colour_constancy", "spatial_consistency", "saturation"]
SIGMA = 0.01  # noise of y where the task finds it
LINE = 14  # pixels of a line of text


def words(case: tuple[str, list[str], list[str]], weight: float) -> list[str]:
    """Overrides of a case: its term alone, at a weight."""
    name, options, task = case
    off = [f"guidance.terms.{other}.0=0" for other in ALL if other != name]
    set_ = [f"guidance.terms.{name}.1.{option}" for option in options]
    return [*task, "guidance=quality", *off, *set_, f"guidance.terms.{name}.0={weight:g}"]


def restore(x: Tensor, prior: Prior, overrides: list[str]) -> tuple[Tensor, Operator, Tensor]:
    """A photo [1, 3, H, W] in [0, 1], degraded and restored, with the operator as bound and y."""
    setup = build(compose(*overrides))
    sigma_y = setup.config["sigma_y"]
    y, A = degrade(x, setup.operator, SIGMA if sigma_y == "auto" else sigma_y, [0])
    result, bound = setup.sampler.restore(prior, A, y, Run([0]))
    return result, bound, y


def row(
    photos: list[Tensor],
    prior: Prior,
    case: tuple[str, list[str], list[str]],
    weight: float,
    extra: list[str],
) -> dict[str, Any]:
    """One term at one weight, on all photos."""
    name, options, task = case
    guidance = guidance_of(build(compose(*words(case, 1.0), *extra)).sampler)
    assert guidance is not None
    scores, values, means = [], [], []
    for x in photos:
        result, A, y = restore(x, prior, [*words(case, weight), *extra])
        scores.append(float(psnr(to_image(result), x)))
        values.append(guidance.values(result, y, A)[name])
        means.append(float(to_image(result).mean()))
    return {
        "term": " ".join([name, *options]),
        "in": task[0],
        "weight": weight,
        "psnr": fmean(scores),
        "value": fmean(values),
        "brightness": fmean(means),
    }


def draw(x: Tensor, prior: Prior, extra: list[str], file: Path) -> None:
    """Each case, off above and on below, with its name."""
    H, W = x.shape[-2:]
    page = Image.new("RGB", (W * len(CASES), 2 * H + LINE), "white")
    for k, case in enumerate(CASES):
        label = " ".join([case[0], *case[1]]).replace("_", " ")
        ImageDraw.Draw(page).text((W * k + 3, 1), label, fill="black")
        for below, weight in enumerate((0.0, 1.0)):
            result = restore(x, prior, [*words(case, weight), *extra])[0]
            page.paste(picture_of(to_image(result)), (W * k, LINE + H * below))
    page.save(file, quality=88)


def main() -> None:
    """Parse, run, print, save."""
    p = measure_parser(__doc__, "--images", 96)
    p.add_argument("--picture", type=Path)
    args = p.parse_args()

    photos = squares(args.images, args.limit, args.size)
    extra = ["sampler=gdp_x0", *args.override]
    prior = build(compose(*words(CASES[0], 1.0), *extra)).load_prior()

    with torch.no_grad():
        if args.picture:
            draw(to_image(to_model(photos[0])), prior, extra, args.picture)
            return
        rows = []
        for case in CASES:
            for weight in (0.0, 1.0):
                rows.append(row(photos, prior, case, weight, extra))
                print(rows[-1], file=sys.stderr, flush=True)
    print(table(rows, list(rows[0])))
    save(rows, args.json)


if __name__ == "__main__":
    main()
