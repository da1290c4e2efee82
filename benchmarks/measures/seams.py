"""What tiles leave in a picture, against the same restoration in one piece: scores, and seams.

    python benchmarks/measures/seams.py --images DIR [--tasks sr4,inpaint_random,denoise]
        [--crop 384x256] [--tile 128] [--steps 20]
    python benchmarks/measures/seams.py --images DIR --one-call

seams = energy of the gradients across the lines on which tiles met at the last step, over that of
the whole picture's restoration on the same lines; elsewhere = the same ratio on all other lines,
which is what a change of context alone does. 1 is no difference. --one-call: the mean squared error
of one prediction of the noise, whole and in tiles of several sizes.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from benchmarks.scoring import case
from gdp.compose.configuration import build, compose
from gdp.picture import find_photos, read, to_image, to_model, write
from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.prior.tiles import Span
from gdp.prior.tiling import PLASTIC, TiledPrior
from gdp.restore.scores.metrics import psnr

COLUMNS = "photo task tiling psnr psnr_whole difference seams elsewhere pixels_per_pixel".split()
MODES = ("none", "windows", "shifted")
SIDES, TIMES = (256, 128, 64), (50, 200, 500, 800)  # of tiles, and times, for --one-call


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True, help="folder of clean photos, or one")
    parser.add_argument("--tasks", default="sr4,inpaint_random,denoise")
    parser.add_argument("--crop", help="WIDTHxHEIGHT at the centre")
    parser.add_argument("--tile", type=int, help="pixels a side; left out, the tiling's own")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--prior", default="photo64")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="keep the pictures")
    parser.add_argument("--one-call", action="store_true", help="one prediction, by tiles' size")
    args = parser.parse_args()
    if args.one_call:
        rows = one_call(args)
        print(table(rows, list(rows[0])))
        save(rows, args.json)
        return

    rows = []
    for row in run(args):
        rows.append(row)
        print(table([row], COLUMNS).splitlines()[-1], file=sys.stderr, flush=True)

    print(table(rows, COLUMNS))
    save(rows, args.json)


def run(args: argparse.Namespace) -> Iterator[dict]:
    """Yield a row for every photo, task and mode."""
    for file in find_photos(args.images):
        photo = cropped(read(file).pixels, args.crop)
        for task in args.tasks.split(","):
            whole: Tensor | None = None
            for mode in MODES:
                x, truth, prior, t = restore(photo, task, mode, args)
                score = float(psnr(x, truth))
                row = {"photo": file.stem, "task": task, "tiling": mode, "psnr": score}
                row["pixels_per_pixel"] = cost(prior, x)
                if args.out:
                    args.out.mkdir(parents=True, exist_ok=True)
                    write(x, args.out / f"{file.stem}.{task}.{mode}.png")

                # Tiles against the whole picture, which comes first
                whole = x if whole is None else whole
                if isinstance(prior, TiledPrior):
                    row["psnr_whole"] = float(psnr(whole, truth))
                    row["difference"] = score - row["psnr_whole"]
                    row["seams"], row["elsewhere"] = seam_energy(x, whole, prior, t)
                yield row


def one_call(args: argparse.Namespace) -> list[dict]:
    """The mean squared error of eps over all photos, a row for every time."""
    prior = build(compose(f"prior={args.prior}", "tiling=none")).load_prior()
    tilings = {
        "whole": prior,
        **{str(side): TiledPrior(prior, side, min(16, side // 4)) for side in SIDES},
    }
    photos = [to_model(cropped(read(file).pixels, args.crop)) for file in find_photos(args.images)]
    rows = []
    for t in TIMES:
        errors = dict.fromkeys(tilings, 0.0)
        for k, x0 in enumerate(photos):
            eps = Noise([k]).like(x0)
            x = prior.a(t) ** 0.5 * x0 + (1 - prior.a(t)) ** 0.5 * eps
            for name, one in tilings.items():
                found = one.predict(x, t)[0]
                errors[name] += float((found - eps).square().mean()) / len(photos)
        rows.append({"t": t, **errors})

    pixels = {name: one.pixels for name, one in tilings.items() if isinstance(one, TiledPrior)}
    whole = len(TIMES) * sum(x0[:, 0].numel() for x0 in photos)
    return [*rows, {"t": "pixels", "whole": 1.0, **{n: p / whole for n, p in pixels.items()}}]


def restore(
    photo: Tensor, task: str, mode: str, args: argparse.Namespace
) -> tuple[Tensor, Tensor, Prior, int]:
    """Degrade and restore a photo.

    Returns:
        (restoration, truth, prior, the last time at which the prior predicted).
    """
    words = [f"task={task}", f"tiling={mode}", f"prior={args.prior}", f"steps={args.steps}"]
    words.append("lowres=none")
    if mode != "none" and args.tile is not None:
        overlap = args.tile // 4 if mode == "windows" else min(16, args.tile // 4)
        words += [f"tiling.tile={args.tile}", f"tiling.overlap={overlap}"]

    setup = build(compose(*words))
    prior, times = setup.load_prior(), []
    c = case(setup, photo, [0], prior)
    operator = c.setup.operator
    x = setup.sampler(prior, operator, c.y, [0], on_step=lambda t, x, x0: times.append(t)).x
    return to_image(x), c.clean, prior, times[-1]


def cropped(pixels: Tensor, size: str | None) -> Tensor:
    """Take the centre of a picture, WIDTHxHEIGHT; all of it without a size."""
    if size is None:
        return pixels
    W, H = map(int, size.split("x"))
    top, left = (pixels.shape[-2] - H) // 2, (pixels.shape[-1] - W) // 2
    return pixels[..., top : top + H, left : left + W]


def cost(prior: Prior, x: Tensor) -> float:
    """Count the pixels that the network evaluated, a prediction and a pixel."""
    return prior.pixels / (prior.calls * x.shape[-2] * x.shape[-1])


def seam_energy(x: Tensor, whole: Tensor, prior: TiledPrior, t: int) -> tuple[float, float]:
    """Compare x's gradients with those of `whole`: on the seams, and on other lines."""
    on, off = torch.zeros(2), torch.zeros(2)
    for axis, k in ((-2, PLASTIC[0]), (-1, PLASTIC[1])):
        lines = seams(prior.spans(x.shape[axis], t, k, x), x.shape[axis])
        for i, picture in enumerate((x, whole)):
            energy = picture.diff(dim=axis).square().movedim(axis, 0).flatten(1).sum(1)
            on[i] += energy[lines].sum()
            off[i] += energy[~lines].sum()

    return float(on[0] / on[1]), float(off[0] / off[1])


def seams(spans: list[Span], n: int) -> Tensor:
    """Tell which of the n - 1 differences between neighbours lie where two tiles are blended."""
    blended = torch.zeros(n, dtype=torch.bool)
    for span in spans:
        blended[span.start : span.stop] |= (span.weight > 0) & (span.weight < 1)
    return blended[:-1] | blended[1:]


if __name__ == "__main__":
    with torch.no_grad():
        main()
