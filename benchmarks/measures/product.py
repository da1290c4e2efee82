"""Every sampler with every task: does it end above its input?

    python benchmarks/measures/product.py --images FOLDER [--samplers NAMES]
        [--tasks NAMES] [--limit 2] [--size 32] [--json FILE] [OVERRIDE]

Each sampler runs as it does by default (an override such as steps=100 changes that), on whole
photos, small, that are degraded as the task has it. Above its input: a higher PSNR than the photo
as it came; or, degraded again, nearer to y, or as near as y's noise lets it. What ends below on
most photos belongs in samplers/below.py, by which a run refuses.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from benchmarks.scoring import squares
from gdp.compose.configuration import build, compose
from gdp.compose.refusal import choices_of
from gdp.picture import to_image, to_model
from gdp.prior.prior import Prior
from gdp.restore.observe import degrade
from gdp.restore.sample import draw
from operators.base import Operator
from samplers.restorer import Restorer, Run

# Settings that a task cannot do without, and tasks that restore nothing.
NEEDS = {"outpaint": ["operator.margins=4"]}
NO_TASKS = ("doctor", "sample")

# Noise where it is to be estimated; how much further than y's noise, [-1, 1] units, is near.
UNKNOWN_NOISE, NEAR, SLACK = 0.02, 1.5, 0.02


class Outcome(NamedTuple):
    """What a restoration came to: PSNR to the truth in dB, RMS of A(x) - y in [-1, 1] units."""

    psnr_in: float
    psnr: float
    misfit_in: float
    misfit: float
    sigma_y: float

    @property
    def above(self) -> bool:
        """Whether it ends above its input."""
        near = self.misfit < NEAR * self.sigma_y + SLACK
        return self.psnr > self.psnr_in or self.misfit < self.misfit_in or near


def problem(task: str, mask: Path, x: Tensor) -> tuple[Tensor, Operator]:
    """y and the operator of a task, for a photo x [1, 3, H, W] in [-1, 1]."""
    setup = build(compose(f"task={task}", f"mask={mask}", "device=cpu", *NEEDS.get(task, [])))
    sigma_y = setup.config["sigma_y"]
    return degrade(
        to_image(x), setup.operator, UNKNOWN_NOISE if sigma_y == "auto" else sigma_y, [0]
    )


def naive(A: Operator, y: Tensor) -> Tensor:
    """y as a picture of x's size: as it is, enlarged, one colour for three; else grey."""
    shape = A.x_shape(y)
    if y.ndim != 4 or y.shape[1] not in (1, 3) or y.shape[-1] > shape[-1]:
        return y.new_zeros(shape)
    return F.interpolate(y, shape[-2:]).expand(shape)


def outcome(sampler: Restorer, prior: Prior, x: Tensor, y: Tensor, A: Operator) -> Outcome | str:
    """What the sampler makes of y, as a run has it do so; or why it refuses."""
    try:
        sampler.check(A)
    except TypeError as error:
        return str(error)
    (drawn,), _ = draw(sampler, prior, A, y, Run([0]))

    # Both as they would be saved
    pictures = [z.clamp(-1, 1) for z in (naive(A, y), drawn.x)]
    with torch.no_grad():
        misfits = [float((drawn.operator(z) - y).square().mean().sqrt()) for z in pictures]
    psnrs = [float(-10 * ((z - x) / 2).square().mean().clamp_min(1e-12).log10()) for z in pictures]
    return Outcome(psnrs[0], psnrs[1], misfits[0], misfits[1], A.sigma_y)


def main() -> None:
    """Parse, run, print, save."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--samplers", help="names with commas (all)")
    p.add_argument("--tasks", help="names with commas (all)")
    p.add_argument("--images", type=Path, required=True)
    p.add_argument("--limit", type=int, default=2)
    p.add_argument("--size", type=int, default=32)
    p.add_argument("--json", metavar="FILE")
    p.add_argument("override", nargs="*")
    args = p.parse_args()

    samplers = args.samplers.split(",") if args.samplers else choices_of("sampler")
    tasks = args.tasks.split(",") if args.tasks else choices_of("task")
    whole = squares(args.images, args.limit, None)
    photos = [to_model(F.adaptive_avg_pool2d(x, args.size)) for x in whole]
    with tempfile.TemporaryDirectory() as work:
        mask = Path(work) / "mask.png"
        picture = Image.new("L", (32, 32))
        ImageDraw.Draw(picture).rectangle((8, 8, 16, 20), fill=255)
        picture.save(mask)
        rows = measure(samplers, [t for t in tasks if t not in NO_TASKS], photos, mask, args)

    print(table(rows, list(rows[0])))
    save(rows, args.json)


def measure(
    samplers: list[str],
    tasks: list[str],
    photos: list[Tensor],
    mask: Path,
    args: argparse.Namespace,
) -> list[dict]:
    """A row for each sampler and task: means over photos, and on how many it ends above."""
    prior, rows = build(compose("task=sr4", "device=cpu")).load_prior(), []
    for task in tasks:
        problems = [(x, *problem(task, mask, x)) for x in photos]
        for name in samplers:
            sampler = build(compose("task=sr4", f"sampler={name}", *args.override)).sampler
            sampler = sampler.for_operator(problems[0][2])
            found = [outcome(sampler, prior, *one) for one in problems]
            ran = [one for one in found if isinstance(one, Outcome)]
            mean = Outcome(*(sum(v) / len(ran) for v in zip(*ran, strict=True))) if ran else None
            rows.append(
                {
                    "sampler": name,
                    "task": task,
                    **(mean._asdict() if mean else dict.fromkeys(Outcome._fields)),
                    "above": f"{sum(one.above for one in ran)}/{len(ran)}" if ran else "refuses",
                }
            )
            print(rows[-1], file=sys.stderr, flush=True)
    return rows


if __name__ == "__main__":
    main()
