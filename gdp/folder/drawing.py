"""Pictures that a prior draws by itself, a file each, and a sheet of them."""

import json
import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import torch
from PIL import Image
from torch import Tensor

from gdp.picture import save, write
from gdp.prior.prior import Prior
from gdp.restore.setup import AUTO, PIXELS_ON_CPU, PIXELS_ON_CUDA
from gdp.storage import fingerprint
from gdp.storage.files import atomic
from gdp.train.samples import sample, sheet

FOLDER, SHEET, NOTE = "samples", "sheet.png", "sample.json"
SHOWN = 100  # pictures of the sheet, at most
CLASSES_BY = 2**31  # what a seed is taken modulo of, for a class at random
log = logging.getLogger("gdp")


class Drawing(NamedTuple):
    """A picture to draw.

    Attributes:
        seed: of its noise; the same seed, the same picture.
        label: the class that is drawn; None of a prior without classes.
    """

    seed: int
    label: int | None

    @property
    def name(self) -> str:
        """Its file's name without suffix: the seed, after the class if there is one."""
        return f"{self.seed:06d}" if self.label is None else f"{self.label:04d}_{self.seed:06d}"


def plan(
    seed: int, count: int, label: int | Sequence[int] | None, classes: int | None
) -> list[Drawing]:
    """The pictures to draw.

    Args:
        seed: of the first.
        count: how many.
        label: a class, or several that take turns; left out, each picture another one at random.
        classes: how many the prior has; None for none.

    Raises:
        ValueError: there is no such class.
    """
    seeds = range(seed, seed + count)
    if classes is None:
        if label is not None:
            raise ValueError(f"label={label}, but this prior has no classes; leave label= out")
        return [Drawing(one, None) for one in seeds]

    known = [label] if isinstance(label, int) else list(label or [])
    for one in known:
        if not 0 <= one < classes:
            raise ValueError(f"label={one}; this prior has the classes 0..{classes - 1}")
    if known:
        return [Drawing(one, known[k % len(known)]) for k, one in enumerate(seeds)]
    chance = [torch.Generator().manual_seed(one % CLASSES_BY) for one in seeds]
    labels = [int(torch.randint(classes, (), generator=one)) for one in chance]
    return [Drawing(one, of) for one, of in zip(seeds, labels, strict=True)]


def draw(
    prior: Prior,
    drawings: Sequence[Drawing],
    folder: Path,
    settings: dict[str, Any],
    most: int = 1,
    overwrite: bool = False,
) -> Iterator[Path]:
    """Draw pictures into FOLDER/samples, and a sheet of them; those that are there stay.

    Args:
        prior: what draws.
        drawings: the pictures.
        folder: where they go.
        settings: size, steps and eta of the sampler, and what else the note is to hold.
        most: how many go through the network together.
        overwrite: whether pictures of other settings are replaced.

    Yields:
        Each file as it is written.

    Raises:
        ValueError: pictures of other settings are there.
    """
    note, pictures = folder / NOTE, folder / FOLDER
    known = fingerprint.digest([settings, prior.source])
    old = read_note(note)
    if old not in (None, known) and not overwrite:
        raise ValueError(
            f"{pictures} holds pictures of other settings; choose another output=, or allow "
            "overwrite=true"
        )
    pictures.mkdir(parents=True, exist_ok=True)

    # What is missing, in batches of one class each.
    missing = [
        one for one in drawings if old != known or not (pictures / f"{one.name}.png").is_file()
    ]
    for batch in batches(missing, most):
        for one, x in zip(batch, sample_batch(prior, batch, settings), strict=True):
            file = pictures / f"{one.name}.png"
            write((x[None] + 1) / 2, file)
            yield file
        with atomic(note) as temporary:
            temporary.write_text(json.dumps({"fingerprint": known, **settings}, indent=1))

    shown = [pictures / f"{one.name}.png" for one in drawings[:SHOWN]]
    save(sheet(torch.stack([as_tensor(file) for file in shown])), folder / SHEET)
    yield folder / SHEET


def at_once(batch: int | str, side: int, prior: Prior) -> int:
    """How many pictures of a side may go through the network together, by batch=."""
    pixels = PIXELS_ON_CUDA if prior.device.type == "cuda" else PIXELS_ON_CPU
    return max(1, pixels // side**2) if batch == AUTO else int(batch)


def sample_batch(prior: Prior, batch: Sequence[Drawing], settings: dict[str, Any]) -> Tensor:
    """Draw pictures of one class, [B, 3, H, W] in [-1, 1]."""
    seeds = [one.seed for one in batch]
    prior.label = batch[0].label
    size, eta, steps = (settings[name] for name in ("size", "eta", "steps"))
    return sample(prior, len(seeds), size, eta, steps, seeds).clamp(-1, 1).float().cpu()


def batches(drawings: Sequence[Drawing], most: int) -> Iterator[list[Drawing]]:
    """The pictures class by class, at most so many at once."""
    ordered = sorted(drawings, key=lambda one: (one.label or 0, one.seed))
    for _, group in groupby(ordered, key=lambda one: one.label):
        same = list(group)
        for k in range(0, len(same), most):
            yield same[k : k + most]


def read_note(file: Path) -> str | None:
    """The fingerprint of the settings that pictures were drawn with; None where none are."""
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["fingerprint"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def as_tensor(file: Path) -> Tensor:
    """A picture [3, H, W] in [-1, 1]."""
    import numpy as np

    with Image.open(file) as picture:
        pixels = torch.from_numpy(np.array(picture.convert("RGB")))
    return pixels.permute(2, 0, 1).float() / 127.5 - 1
