"""docs/enhancement.md: the tasks that find the degradation themselves, on photos that we degraded.

    python benchmarks/pages/enhance.py [--low-light FILE] [--ablation FILE] [--noise FILE]
        [--blind-blur FILE]

The files are results of benchmarks/measures/low_light.py, noise_level.py and blind_blur.py.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import table
from gdp.compose.configuration import build, compose
from gdp.picture import picture_of, rounded, to_image, to_model
from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.restore.observe import take
from gdp.restore.scores import metrics
from gdp.restore.several.agreement import agree
from operators.blur import Blur
from operators.blur.kernels import motion
from operators.coded.jpeg import JPEG

DOCS = Path(__file__).parents[2] / "docs"
SIDE, STEPS, BAR = 192, 12, 22
ROUNDING = 0.0011  # std of the rounding to 8 bits, [0, 1] units
HEAD = """# Enhancement: what happened to the photo is found, too

Left: what the photo was. Middle: what became of it, by our own operators. Right: `python run.py \
task=... input=...` with {steps} steps of
the bundled prior (its first version), which was told nothing but the task. *found* is from the \
report, *PSNR* in dB, of the
middle and of the right picture against the left one (brightness is not identifiable from one \
photo, so a few dB are a matter of taste).

![](enhancement.jpg)

{results}

What was found lies beside the result: `NAME.json` has f, gains, airlight and sigma_y, and the \
mask M, transmission, scratches and kernel
are pictures. Photos: scikit-image's astronaut (NASA, public domain), coffee (Rachel Michetti, \
CC0), rocket (SpaceX, CC0), chelsea (Stéfan
van der Walt, CC0), camera (Lav Varshney, CC0).

This page is made by `python benchmarks/pages/enhance.py`.
"""


# Titles and words of the sections from other benchmarks
SECTIONS = [
    (
        "Blind low light",
        "Photos darkened by f x^gamma + M and noise of 0.015; "
        "PSNR after matching the gain on both sides.",
    ),
    (
        "Losses, one at a time",
        "The same at f = 0.1. A loss that does not help is off in `conf/guidance/quality.yaml`.",
    ),
    (
        "Noise",
        "The std of white noise that was added, and what is estimated; "
        "errors are medians of |estimate / sigma - 1|.",
    ),
    (
        "Unknown blur",
        "Medians over photos blurred by kernels of up to 15 pixels, noise of 0.01. "
        "*ncc*: the kernel's correlation with the truth; *gain*: "
        "PSNR after alignment, in dB above the blurred photo's.",
    ),
]


class Case(NamedTuple):
    """A task, and a photo that it restores.

    Attributes:
        task: its name.
        photo: of scikit-image.
        spoil: degrades pixels [1, 3, H, W] in [0, 1].
        found: the operator's name of what it found.
    """

    task: str
    photo: str
    spoil: Callable[[Tensor], Tensor]
    found: str | None = None


def noisy(y: Tensor, sigma: float) -> Tensor:
    """Add white noise."""
    return y + sigma * Noise([0], "degrade").like(y)


def hazy(x: Tensor) -> Tensor:
    """Add fog that thickens towards the top."""
    t = torch.linspace(0.35, 0.8, x.shape[-2]).view(1, 1, -1, 1)
    return t * x + (1 - t) * 0.85


def scratched(x: Tensor) -> Tensor:
    """Age a photo: grey, faded, noisy, with lines."""
    lines = Image.new("L", (x.shape[-1], x.shape[-2]))
    draw = ImageDraw.Draw(lines)
    draw.line([(10, 40), (180, 90)], 255, 2)
    draw.line([(120, 5), (100, 185)], 255, 2)

    marks = torch.from_numpy(np.asarray(lines) > 0)
    return torch.where(marks, 0.97, noisy(0.1 + 0.7 * x.mean(1, keepdim=True).expand_as(x), 0.03))


CASES = [
    Case("lowlight", "coffee", lambda x: noisy(0.1 * x, 0.015), "f"),
    Case("exposure", "astronaut", lambda x: noisy(1.5 * x, 0.01).clamp(max=1), "f"),
    Case(
        "hdr",
        "rocket",
        lambda x: noisy(torch.cat([2.0 * x, 0.7 * x, 0.25 * x], 1).clamp(max=1), 0.01),
        "f",
    ),
    Case(
        "whitebalance",
        "astronaut",
        lambda x: noisy(x * torch.tensor([1.0, 0.8, 0.55]).view(1, 3, 1, 1), 0.01),
        "gains",
    ),
    Case("dehaze", "astronaut", lambda x: noisy(hazy(x), 0.01), "airlight"),
    Case(
        "deblur_blind",
        "astronaut",
        lambda x: noisy(to_image(Blur(motion(9, 30.0))(to_model(x))), 0.01),
        "kernel_angle",
    ),
    Case("jpeg", "chelsea", lambda x: to_image(JPEG(quality=15)(to_model(x)))),
    Case("oldphoto", "camera", scratched, "scratched"),
    Case("enhance", "chelsea", lambda x: noisy(x, 0.04)),
]


def photo(name: str) -> Tensor:
    """Load the centre of a photo of scikit-image's [1, 3, SIDE, SIDE]."""
    import skimage.data

    pixels = np.atleast_3d(getattr(skimage.data, name)())
    side = min(pixels.shape[:2])
    top, left = ((n - side) // 2 for n in pixels.shape[:2])

    square = torch.from_numpy(pixels[top : top + side, left : left + side].copy())
    square = square.permute(2, 0, 1)[None] / 255
    return F.interpolate(square.expand(1, 3, -1, -1), (SIDE, SIDE), mode="area")


def restore(case: Case, prior: Prior | None) -> tuple[dict, list[Tensor], Prior]:
    """Degrade and restore a case; return a row, the three pictures, and the prior."""
    words = [f"task={case.task}", f"steps={STEPS}"]
    if case.task == "jpeg":
        words += ["operator=jpeg", "operator.quality=15"]
    setup = build(compose(*words))
    prior = prior or setup.load_prior()

    # As a file, then as the program
    x = photo(case.photo)
    spoilt = rounded(case.spoil(x))
    y, A = take(spoilt, setup.operator, setup.config["sigma_y"], ROUNDING)
    result, bound = setup.sampler(prior, A, y, [0])
    pixels = agree(to_image(result), bound, y, ROUNDING)

    # The middle one of several exposures is shown
    shown = spoilt[:, 3:6] if case.task == "hdr" else spoilt
    finding = ""
    if case.found is not None:
        finding = f"{case.found} = {np.round(bound.describe(y)[case.found], 3).tolist()}"
    row = {
        "task": case.task,
        "PSNR before": float(metrics.psnr(shown, x)),
        "PSNR": float(metrics.psnr(pixels, x)),
        "sigma_y": A.sigma_y / 2,
        "found": finding,
    }
    return row, [x, shown, pixels], prior


def sheet(rows: list[dict], pictures: list[list[Tensor]]) -> Image.Image:
    """Draw two cases a line, each its three pictures under its task."""
    gap = 6
    width, height = 3 * (SIDE + 2) + gap, SIDE + BAR
    page = Image.new("RGB", (2 * width - gap, height * -(-len(rows) // 2)), "white")
    draw = ImageDraw.Draw(page)

    for i, (row, three) in enumerate(zip(rows, pictures, strict=True)):
        left, top = i % 2 * width, i // 2 * height
        draw.text((left + 2, top + 6), f"task={row['task']}", "black")
        for k, pixels in enumerate(three):
            page.paste(picture_of(pixels), (left + k * (SIDE + 2), top + BAR))

    return page


def section(file: Path | None, title: str, words: str) -> str:
    """Write a section of the rows in a JSON of another benchmark."""
    if file is None:
        return ""
    data = json.loads(file.read_text())
    rows, command = data["rows"], data["meta"]["command"]
    return f"\n## {title}\n\n{words}\n\n{table(rows, list(rows[0]))}\n\n`{command}`\n"


def main() -> None:
    """Restore, draw, write."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--low-light", "--ablation", "--noise", "--blind-blur"):
        p.add_argument(name, type=Path, metavar="FILE")
    args = p.parse_args()

    # Every case
    prior: Prior | None = None
    rows, pictures = [], []
    for case in CASES:
        row, three, prior = restore(case, prior)
        rows.append(row)
        pictures.append(three)
        print(row, file=sys.stderr, flush=True)
    sheet(rows, pictures).save(DOCS / "enhancement.jpg", quality=90)

    # The page, with the results of other benchmarks
    page = HEAD.format(steps=STEPS, results=table(rows, list(rows[0])))
    files = (args.low_light, args.ablation, args.noise, args.blind_blur)
    for file, (title, words) in zip(files, SECTIONS, strict=True):
        page += section(file, title, words)
    (DOCS / "enhancement.md").write_text(page)


if __name__ == "__main__":
    main()
