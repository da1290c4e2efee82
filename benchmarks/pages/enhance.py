"""docs/enhancement.md: the tasks that find the degradation themselves, on photos that we degraded.

    python benchmarks/pages/enhance.py [--low-light FILE] [--ablation FILE] [--noise FILE]
        [--blind-blur FILE]

The files are results of benchmarks/measures/low_light.py, noise_level.py and blind_blur.py;
sections of which none is given stay as the page has them.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from PIL import ExifTags, Image, ImageDraw
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

import gdp
from benchmarks.common import meta, table
from benchmarks.pages.spoilt import BRACKET, CASES, SIDE, Case, photo
from gdp.picture import picture_of, rounded
from gdp.restore.scores import metrics
from gdp.restore.scores.truth import matched_psnr

DOCS = Path(__file__).parents[2] / "docs"
BAR, NEXT = 22, "\n## "
HEAD = """# Enhancement: what happened to the photo is found, too

Left: what the photo was. Middle: what became of it, by our own operators, in 8 bits. Right: \
`python run.py task=... input=...`,
which was told nothing but the task. *found* is from the report, *PSNR* in dB, of the middle and \
of the right picture against the left one,
and *matched* after the one gain that brings them nearest: brightness is not identifiable from one \
photo, nor is it from exposures of a scene, which
a dusk shows best; whoever knows it says it (`guidance.terms.exposure`). Light is changed before a \
camera's curve, as cameras do.

![](enhancement.jpg)

{results}

What was found lies beside the result: `NAME.json` has f, gains, airlight and sigma_y, and the \
mask M, transmission, scratches and kernel
are pictures. Photos: scikit-image's astronaut (NASA, public domain), coffee (Rachel Michetti, \
CC0), rocket (SpaceX, CC0), chelsea (Stéfan
van der Walt, CC0), camera (Lav Varshney, CC0).

This page is made by `python benchmarks/pages/enhance.py` (commit {commit}).
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


def restore(case: Case) -> tuple[dict, list[Tensor]]:
    """Degrade and restore a case; return a row, and the three pictures."""
    x = photo(case.photo)
    spoilt = rounded(case.spoil(x))
    exposures = [picture_of(one) for one in spoilt.split(3, 1)]
    given: Any = exposures[0]
    with TemporaryDirectory() as folder:
        if case.task == "hdr":
            given = [
                with_time(picture, seconds, Path(folder, f"{k}.png"))
                for k, (picture, seconds) in enumerate(zip(exposures, BRACKET, strict=True))
            ]
        if case.quality is not None:
            file = Path(folder, "photo.jpg")
            given.save(file, quality=case.quality)
            with Image.open(file) as picture:
                spoilt = pixels_of(picture)
            given = str(file)
        result = gdp.restore(given, task=case.task)
    pixels, report = pixels_of(result.image), result.report

    # The middle one of several exposures is shown
    shown = spoilt[:, 3:6] if case.task == "hdr" else spoilt
    finding = ""
    if case.found is not None:
        finding = f"{case.found} = {np.round(report['operator'][case.found], 3).tolist()}"
    row = {
        "task": case.task,
        "PSNR before": float(metrics.psnr(shown, x)),
        "PSNR": float(metrics.psnr(pixels, x)),
        "matched before": matched_psnr(shown, x),
        "matched": matched_psnr(pixels, x),
        "sigma_y": report["sigma_y"],
        "calls": report["nfe"],
        "found": finding,
    }
    return row, [x, shown, pixels]


def with_time(picture: Image.Image, seconds: float, file: Path) -> str:
    """Write a picture with the exposure time that its camera noted."""
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ExposureTime] = seconds
    picture.save(file, exif=exif.tobytes())
    return str(file)


def pixels_of(picture: Image.Image) -> Tensor:
    """A picture's pixels [1, 3, H, W] in [0, 1]."""
    pixels = np.array(picture.convert("RGB"))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


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


def sections(before: str, files: list[Path | None]) -> str:
    """The sections of the page, those anew of which there are results; the others as they were."""
    known = {part.partition("\n")[0]: part for part in before.split(NEXT)[1:]}
    for file, (title, words) in zip(files, SECTIONS, strict=True):
        if file is not None:
            data = json.loads(file.read_text())
            rows, command = data["rows"], data["meta"]["command"]
            known[title] = f"{title}\n\n{words}\n\n{table(rows, list(rows[0]))}\n\n`{command}`\n"
    return "".join(f"{NEXT}{part.rstrip()}\n" for part in known.values())


def main() -> None:
    """Restore, draw, write."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--low-light", "--ablation", "--noise", "--blind-blur"):
        p.add_argument(name, type=Path, metavar="FILE")
    p.add_argument("--docs", type=Path, default=DOCS, help="folder of the page and its picture")
    args = p.parse_args()

    # Every case
    rows, pictures = [], []
    for case in CASES:
        row, three = restore(case)
        rows.append(row)
        pictures.append(three)
        print(row, file=sys.stderr, flush=True)
    sheet(rows, pictures).save(args.docs / "enhancement.jpg", quality=90)

    # The page, with the results of other benchmarks
    file = args.docs / "enhancement.md"
    before = file.read_text() if file.is_file() else ""
    page = HEAD.format(results=table(rows, list(rows[0])), commit=meta()["commit"])
    files = [args.low_light, args.ablation, args.noise, args.blind_blur]
    page += sections(before, files)
    file.write_text(page)


if __name__ == "__main__":
    main()
