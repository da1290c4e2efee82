"""What low resolution first is worth: network calls against PSNR, and colours across a sky.

    python benchmarks/measures/low_res_first.py --image FILE [--crop 256x256]
        [--tasks sr4,denoise] [--modes none:20,none:10,first:20,ladder:20]
    python benchmarks/measures/low_res_first.py --sky docs/low_res_first.png

A mode is a file of conf/lowres and a number of steps. full_calls are those at full size, cost
counts all in units of them. The sky is a picture of two slowly changing colours whose middle is
lost; drift is the largest difference between the errors of its four corners.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from benchmarks.measures.seams import cropped
from benchmarks.scoring import case
from gdp.compose.configuration import build, compose
from gdp.picture import compare, read, to_image, to_model
from gdp.prior.prior import Prior
from gdp.prior.tiling import TiledPrior
from gdp.restore.scores.metrics import psnr

COLUMNS = "task lowres steps psnr full_calls cost".split()
SKY_COLUMNS = "restoration drift rms_of_means cost".split()

# The sky: pixels a side of the picture, of a tile, and of a corner that is measured
SIDE, TILE, CORNER = 192, 64, 48

# The sky's hole
HOLE = (
    "task=inpaint_box",
    "operator.top=0.03",
    "operator.left=0.03",
    "operator.height=0.94",
    "operator.width=0.94",
)


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--image", help="a clean photo")
    parser.add_argument("--crop", help="WIDTHxHEIGHT at the centre")
    parser.add_argument("--tasks", default="sr4,inpaint_random,denoise,inpaint_box,deblur")
    parser.add_argument("--modes", default="none:20,none:10,first:20,ladder:20")
    parser.add_argument("--sky", type=Path, metavar="FILE", help="the picture to write")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()

    prior = build(compose("tiling=none")).load_prior()
    rows = list(photos(args, prior)) if args.image else []
    skies = list(sky(args.sky, prior)) if args.sky else []

    for part, columns in ((rows, COLUMNS), (skies, SKY_COLUMNS)):
        if part:
            print(table(part, columns), end="\n\n")
    save(rows + skies, args.json)


def photos(args: argparse.Namespace, prior: Prior) -> Iterator[dict]:
    """Restore a photo, and yield a row for each task and mode."""
    photo = cropped(read(args.image).pixels, args.crop)
    for task in args.tasks.split(","):
        for mode in args.modes.split(","):
            lowres, steps = mode.split(":")
            setup = build(compose(f"task={task}", f"lowres={lowres}", f"steps={steps}"))
            c = case(setup, photo, [0], prior)

            before, widths = prior.pixels, Widths()
            x = to_image(setup.sampler(prior, c.setup.operator, c.y, [0], on_step=widths.step).x)

            yield {
                "task": task,
                "lowres": lowres,
                "steps": int(steps),
                "psnr": float(psnr(x, c.clean)),
                "full_calls": widths.count(x.shape[-1]),
                "cost": (prior.pixels - before) / (x.shape[-2] * x.shape[-1]),
            }


class Widths(list[int]):
    """The width of the picture at each step."""

    def step(self, t: int, x: Tensor, x0: Tensor) -> None:
        """Note the width at a step."""
        self.append(x.shape[-1])


def sky(file: Path, prior: Prior) -> Iterator[dict]:
    """Fill the hole in several ways, yield a row for each, and draw all."""
    down = torch.linspace(0, 1, SIDE)[:, None].expand(SIDE, SIDE)
    truth = torch.stack([0.35 + 0.25 * down, 0.55 + 0.2 * down, 0.85 + 0.05 * down])[None]

    panels = []
    ways = [
        ("tiles", "none", True),
        ("whole", "none", False),
        ("low resolution first, tiles", "ladder", True),
    ]
    for name, lowres, tiled in ways:
        setup = build(compose(*HOLE, f"lowres={lowres}"))
        y = setup.operator(to_model(truth))
        before = prior.pixels
        used = TiledPrior(prior, TILE) if tiled else prior
        x = to_image(setup.sampler(used, setup.operator, y, [0]).x)
        panels.append((name, x))

        means = F.avg_pool2d(x - truth, CORNER)
        cost = (prior.pixels - before) / SIDE**2
        yield {
            "restoration": name,
            "drift": drift(x - truth),
            "rms_of_means": float(means.square().mean().sqrt()),
            "cost": cost,
        }

    compare(panels, file)


def drift(error: Tensor) -> float:
    """Find the largest difference, in a channel, between the mean errors in two of the corners."""
    near, far = slice(8, 8 + CORNER), slice(-8 - CORNER, -8)
    means = [error[0, :, i, j].mean((1, 2)) for i in (near, far) for j in (near, far)]
    corners = torch.stack(means)
    return float((corners.amax(0) - corners.amin(0)).max())


if __name__ == "__main__":
    with torch.no_grad():
        main()
