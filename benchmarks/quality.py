"""Restoration quality: tasks x samplers x steps on a folder of clean photos, degraded by the program itself.

    python benchmarks/quality.py --images DIR --tasks sr4,denoise --samplers ddnm,gdp_x0 --steps 20,100

One row per task, sampler and number of steps, with A^+ y (pinv), y itself (input)
and its bicubic enlargement (bicubic) as rows of their own. PSNR is over RGB in [0, 1] after
clipping and 8-bit rounding. null_energy = ||(I - A^+ A) x|| / ||(I - A^+ A) reference||: 1 is as
sharp as the truth, less is blur.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import save, table
from gdp.compose import Setup, build, compose
from gdp.image import find_photos, read, rounded, to_image, to_model
from gdp.metrics import psnr
from gdp.pipeline import consistency, crop, degrade, restore
from gdp.prior import Prior

COLUMNS = ("task sampler steps nfe images samples psnr psnr_of_mean ssim haarpsi null_energy consistency seconds_per_image").split()


class Case(NamedTuple):
    """One task on all photos: what every sampler of it is given, and scored against."""

    task: str
    setup: Setup
    clean: Tensor  # [B, 3, H, W] in [0, 1]
    y: Tensor  # model units


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", required=True, help="folder of clean photos")
    parser.add_argument("--tasks", default="sr4,inpaint_random,denoise,deblur,colorize")
    parser.add_argument("--samplers", default="ddnm")
    parser.add_argument("--steps", default="50", help="numbers of steps, separated by commas")
    parser.add_argument("--samples", type=int, default=1, help="posterior samples of each photo; their mean is scored too")
    parser.add_argument("--limit", type=int, help="the first N photos by name")
    parser.add_argument("--size", type=int, help="centre crops of this size")
    parser.add_argument("--prior", default="photo64")
    parser.add_argument("--override", nargs="*", default=[], metavar="KEY=VALUE", help="any setting of run.py")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    try:
        rows = list(run(args))
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(table(rows, COLUMNS))
    save(rows, args.json)


def run(args: argparse.Namespace) -> Iterator[dict]:
    """The rows, one by one, told on stderr as they come."""
    photos = [crop_square(read(f).pixels, args.size) for f in find_photos(args.images)[: args.limit]]
    prior: Prior | None = None
    for task in args.tasks.split(","):
        for sampler in args.samplers.split(","):
            for steps in args.steps.split(","):
                overrides = (f"task={task}", f"sampler={sampler}", f"steps={steps}", f"prior={args.prior}", *args.override)
                setup = build(compose(*overrides))
                prior = prior or setup.load_prior()
                cases = [case(task, setup, batch, seeds, prior) for batch, seeds in same_sized(photos)]
                if (sampler, steps) == (args.samplers.split(",")[0], args.steps.split(",")[0]):
                    yield from baselines(cases)
                row = {"task": task, "sampler": sampler, "steps": int(steps), **score(cases, prior, args.samples)}
                print(table([row], COLUMNS).splitlines()[-1], file=sys.stderr, flush=True)
                yield row


def crop_square(pixels: Tensor, size: int | None) -> Tensor:
    """The centre size x size of a picture; all of it without a size."""
    if size is None:
        return pixels
    H, W = pixels.shape[-2:]
    if min(H, W) < size:
        raise ValueError(f"--size {size} is larger than a {W}x{H} photo; choose a smaller one")
    return pixels[..., (H - size) // 2 :, (W - size) // 2 :][..., :size, :size]


def same_sized(photos: list[Tensor]) -> list[tuple[Tensor, list[int]]]:
    """Photos in batches of one size, with the seed of each."""
    sizes = sorted({tuple(p.shape) for p in photos})
    groups = [[i for i, p in enumerate(photos) if tuple(p.shape) == size] for size in sizes]
    return [(torch.cat([photos[i] for i in group]), group) for group in groups]


def case(task: str, setup: Setup, photos: Tensor, seeds: list[int], prior: Prior) -> Case:
    """The photos, degraded."""
    clean = crop(photos, setup.operator.divisor).to(prior.device)
    operator = setup.operator.to(prior.device)
    return Case(task, setup, clean, degrade(clean, operator, setup.config["sigma_y"], seeds))


def baselines(cases: list[Case]) -> Iterator[dict]:
    """A^+ y; y itself where it is of the photo's shape, else its bicubic enlargement."""
    for name, make in {"pinv": inverted, "input": unchanged, "bicubic": enlarged}.items():
        outputs = []
        for c in cases:
            began = time.perf_counter()
            x = make(c)
            if x is not None:
                outputs.append((c, [x], time.perf_counter() - began))
        if outputs:
            yield {"task": cases[0].task, "sampler": name, "steps": 0, "nfe": 0, **summary(outputs)}


def inverted(c: Case) -> Tensor | None:
    """A^+ y, where A has one."""
    A: Any = c.setup.operator
    return to_image(A.pinv(c.y)) if hasattr(A, "pinv") else None


def unchanged(c: Case) -> Tensor | None:
    """y, where it is of the photo's shape."""
    return to_image(c.y) if c.y.shape == c.clean.shape else None


def enlarged(c: Case) -> Tensor | None:
    """y enlarged by bicubic interpolation, where it is smaller than the photo."""
    if c.y.shape[-2:] == c.clean.shape[-2:]:
        return None
    return F.interpolate(to_image(c.y), c.clean.shape[-2:], mode="bicubic", align_corners=False)


def score(cases: list[Case], prior: Prior, samples: int) -> dict:
    """Restore every photo `samples` times."""
    outputs, nfe = [], 0
    for c in cases:
        began, drawn = time.perf_counter(), []
        for k in range(samples):
            outcome = restore(prior, c.setup.operator, c.setup.sampler, c.y, [1000 * k + i for i in range(len(c.y))])
            drawn.append(outcome.pixels)
            nfe = outcome.nfe
        outputs.append((c, drawn, (time.perf_counter() - began) / samples))
    return {"nfe": nfe, **summary(outputs)}


def summary(outputs: list[tuple[Case, list[Tensor], float]]) -> dict:
    """Means over photos; over samples too, but for psnr_of_mean."""
    import piq

    values: dict[str, list[float | None]] = {}
    images = sum(len(c.clean) for c, *_ in outputs)
    for c, drawn, _ in outputs:
        A, mean = c.setup.operator, torch.stack(drawn).mean(0)
        for i in range(len(c.clean)):
            truth = c.clean[i : i + 1]
            values.setdefault("psnr_of_mean", []).append(float(psnr(mean[i : i + 1], truth)))
            for x in (d[i : i + 1] for d in drawn):
                a, b = rounded(x), rounded(truth)
                values.setdefault("psnr", []).append(float(psnr(x, truth)))
                values.setdefault("ssim", []).append(float(piq.ssim(a, b, data_range=1.0)))
                values.setdefault("haarpsi", []).append(float(piq.haarpsi(a, b, data_range=1.0)))
                values.setdefault("null_energy", []).append(null_energy(A, x, truth))
                values.setdefault("consistency", []).append(consistency(x, A, c.y[i : i + 1]))
    means = {k: mean_or_none(v) for k, v in values.items()}
    seconds = sum(s for *_, s in outputs) / images
    return {"images": images, "samples": len(outputs[0][1]), **means, "seconds_per_image": seconds}


def mean_or_none(values: list[float | None]) -> float | None:
    """The mean; None where a value is missing."""
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def null_energy(A: Any, x: Tensor, truth: Tensor) -> float | None:
    """||(I - A^+ A) x|| / ||(I - A^+ A) truth||; None where A sees everything, or has no A^+."""
    if not hasattr(A, "pinv"):
        return None
    x, truth = to_model(x), to_model(truth)
    unseen = truth - A.pinv(A(truth))
    if float(unseen.norm()) < 1e-4 * float(truth.norm()):
        return None
    return float((x - A.pinv(A(x))).norm() / unseen.norm())


if __name__ == "__main__":
    with torch.no_grad():
        main()
