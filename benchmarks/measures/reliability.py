"""Does the map of where samples differ tell how wrong their mean is? On photos, by a curve.

    python benchmarks/measures/reliability.py --images DIR [--prior photo64] [--samplers auto,ddrm]
        [--tasks "denoise sigma_y=0.1;sr4"] [--samples 8] [--size 64] [--count 4] [--png FILE]
        [--json FILE]

Photos are degraded and restored `samples` times. Were the truth one more draw, the error of the
mean of K samples would have a std of sqrt(1 + 1 / K) times the map's, pixel by pixel.

    error, std  rms of the mean's error, and of the map so scaled, in [0, 1] units
    ratio       error / std: 1 is right, more is too sure
    within_2    share of pixels whose error is below twice the std: 0.95 is right
    rank        Spearman's correlation of |error| and std: whether the map shows where
    curve       the same for tenths of the pixels, from least std to most: [std, error] each
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

import gdp
from benchmarks.common import save, table
from gdp.picture import find_photos, read

COLUMNS = "task sampler photos error std ratio within_2 rank".split()
PARTS = 10  # of the curve


def main(arguments: list[str] | None = None) -> None:
    """Parse, restore, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True, metavar="DIR")
    parser.add_argument("--prior", default="photo64")
    parser.add_argument("--samplers", default="auto,ddrm")
    parser.add_argument("--tasks", default="denoise sigma_y=0.1;sr4;inpaint_random")
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--size", type=int, default=64, help="side of the photo's middle")
    parser.add_argument("--count", type=int, default=4, help="photos, evenly chosen")
    parser.add_argument("--steps", type=int, help="of samplers that have a number of them")
    parser.add_argument("--png", type=Path, help="where the curves are drawn; needs matplotlib")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args(arguments)

    files = find_photos(args.images)
    files = files[:: max(1, len(files) // args.count)][: args.count]
    photos = [middle(read(file).pixels, args.size)[0] for file in files]
    rows = []
    for task in args.tasks.split(";"):
        for sampler in args.samplers.split(","):
            rows.append(row(photos, task, sampler, args.prior, args.samples, args.steps))
    print(table(rows, COLUMNS))
    save(rows, args.json)
    if args.png:
        draw(rows, args.png)


def middle(pixels: Tensor, side: int) -> Tensor:
    """The middle square of a photo [1, 3, H, W], or as much of it as there is."""
    top, left = (max(0, (n - side) // 2) for n in pixels.shape[-2:])
    return pixels[..., top : top + side, left : left + side]


def row(
    photos: list[Tensor], task: str, sampler: str, prior: str, samples: int, steps: int | None
) -> dict[str, Any]:
    """Restore all photos, and compare their maps with their errors."""
    name, *words = task.split()
    settings: dict[str, Any] = {"task": name, "sampler": sampler, "prior": prior}
    for word in words:
        key, _, value = word.partition("=")
        settings[key] = float(value)
    if steps is not None and sampler not in ("auto", "anchored"):
        settings["steps"] = steps

    errors, stds = [], []
    for photo in photos:
        result = gdp.restore(photo, degrade=True, samples=samples, scores="none", **settings)
        assert result.reference is not None
        drawn = result.pixels[0]
        errors.append((drawn.mean(0) - result.reference[0]).flatten())
        stds.append(drawn.std(0).flatten() * (1 + 1 / samples) ** 0.5)
    head = {"task": task, "sampler": sampler, "photos": len(photos), "samples": samples}
    return head | reliability(torch.cat(errors), torch.cat(stds))


def reliability(error: Tensor, std: Tensor) -> dict[str, Any]:
    """What a map says of errors, both flat and of one size."""
    order, differ = std.argsort(), bool(std.max() > std.min())
    parts = [(std[i], error[i]) for i in order.tensor_split(PARTS)]
    return {
        "error": rms(error),
        "std": rms(std),
        "ratio": rms(error) / rms(std) if std.any() else None,
        "within_2": float((error.abs() <= 2 * std).double().mean()),
        "rank": correlation(ranks(error.abs()), ranks(std)) if differ else None,
        "curve": [[rms(s), rms(e)] for s, e in parts],
    }


def rms(x: Tensor) -> float:
    """Root mean square."""
    return float(x.double().square().mean().sqrt())


def ranks(x: Tensor) -> Tensor:
    """The place of each value in their order."""
    return x.argsort().argsort().double()


def correlation(a: Tensor, b: Tensor) -> float:
    """Pearson's correlation of two sets of numbers."""
    return float(torch.corrcoef(torch.stack([a, b]))[0, 1])


def draw(rows: list[dict[str, Any]], file: Path) -> None:
    """Draw the curves: right ones lie on the diagonal."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 5))
    for one in rows:
        x, y = zip(*one["curve"], strict=True)
        axes.plot(x, y, marker=".", label=f"{one['task']}, {one['sampler']}")
    most = max(max(point) for one in rows for point in one["curve"])
    axes.plot([0, most], [0, most], color="gray", linestyle=":")
    axes.set(xlabel="std of the samples", ylabel="rms error of their mean")
    axes.legend(fontsize=7)
    figure.savefig(file, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


if __name__ == "__main__":
    main()
