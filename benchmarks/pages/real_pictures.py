"""The pictures of docs/real.md: the simulated phone at 1:1, on photos of scikit-image."""

import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from torch import Tensor

import gdp
from benchmarks.reality.others import FAMILIES
from benchmarks.reality.others_noise import NLM_STRENGTHS
from benchmarks.reality.ours import exists, restore
from benchmarks.reality.pairs import Crops, Pair
from benchmarks.reality.simulated import clean_photos, simulate
from gdp.picture import picture_of
from gdp.prior.prior import Prior
from gdp.restore.scores.metrics import psnr

SIDE, BAR, GAP = 160, 16, 2  # pixels of a picture, of the line above it, between two
SETS = ("phone_strong", "phone_mild")
QUALITY = 92
PICTURES = """
## The simulated phone at 1:1

![](real.jpg)

Every line: the JPEG of the phone, {columns}, the truth; PSNR in dB. Photos of scikit-image, at \
half their size: astronaut (NASA, public
domain), chelsea (Stéfan van der Walt, CC0), coffee (Rachel Michetti, CC0), rocket (SpaceX, CC0).
"""


def drawn(page: Path) -> str:
    """What the page says of its pictures, which are drawn beside it."""
    return PICTURES.format(columns=", ".join(draw(page.with_name("real.jpg"))))


def pictures_of(before: str) -> str:
    """What a page says of its pictures.

    Raises:
        ValueError: it has none.
    """
    heading = PICTURES.lstrip().partition("\n")[0]
    _, found, after = before.partition(heading)
    if not found:
        raise ValueError(f"the page has no pictures below {heading!r}; leave out --same-pictures")
    return f"\n{heading}{after.partition(chr(10) + '## ')[0]}"


def draw(file: Path) -> list[str]:
    """Draw the sheet.

    Returns:
        What stands between photo and truth.
    """
    task = "auto" if exists("auto") else "denoise:sigma_y=auto"
    prior, lines = gdp.load_prior(), []
    with tempfile.TemporaryDirectory() as work:
        photos = clean_photos(None, Crops(Path(work), SIDE))
        for name in SETS:
            lines += [panels(pair, task, prior) for pair in simulate(name, photos, Path(work))]

    sheet(lines).save(file, quality=QUALITY)
    between = [f"OpenCV's non-local means at its best strength by the truth, ours (`task={task}`)"]
    return between if FAMILIES["noise"]["opencv_nlm_3"].here else [f"ours (`task={task}`)"]


def panels(pair: Pair, task: str, prior: Prior) -> list[tuple[str, Tensor]]:
    """The labelled pictures of one line."""
    found = [("input", pair.photo)]
    if FAMILIES["noise"]["opencv_nlm_3"].here:
        results = [FAMILIES["noise"][f"opencv_nlm_{h}"].run(pair) for h in NLM_STRENGTHS]
        there = [pixels for pixels in results if pixels is not None]
        found.append(("NLM", max(there, key=lambda x: float(psnr(x, pair.truth)))))

    ours = restore(task, pair, prior, [])
    if ours is None:
        raise ValueError(f"task={task} has nothing to do in a photo of a phone")
    found.append(("ours", ours.pixels))
    scored = [(f"{label} {float(psnr(x, pair.truth)):.1f}", x) for label, x in found]
    return [*scored, (f"truth ({pair.set})", pair.truth)]


def sheet(lines: list[list[tuple[str, Tensor]]]) -> Image.Image:
    """One line under the other."""
    columns = max(len(line) for line in lines)
    page = Image.new("RGB", (columns * (SIDE + GAP) - GAP, len(lines) * (SIDE + BAR)), "white")
    pen = ImageDraw.Draw(page)
    for i, line in enumerate(lines):
        for k, (label, pixels) in enumerate(line):
            left, top = k * (SIDE + GAP), i * (SIDE + BAR)
            pen.text((left + 2, top + 2), label, "black")
            page.paste(picture_of(pixels), (left, top + BAR))
    return page
