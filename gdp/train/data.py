"""Photos for training: found, split, cached, and drawn in an order that is a pure function.

    draw(seed, step, i) = photo, window at random scale, flip, u ~ U[0, 1) (the diffusion time), eps ~ N(0, I)

No draw depends on an earlier one, so a resumed run sees the crops, times and noise that it would have seen, on any number of
threads or devices.
"""

import hashlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

AHEAD = 2  # batches drawn while one is trained on
log = logging.getLogger(__name__)


class Draw(NamedTuple):
    """One training item, channels last: crop uint8 [s, s, 3], noise float32 [s, s, 3], time fraction in [0, 1)."""

    crop: np.ndarray
    eps: np.ndarray
    u: float


class Batch(NamedTuple):
    """Draws as tensors [B, 3, s, s] in channels_last memory, crops in [-1, 1]; u is [B]."""

    x0: Tensor
    eps: Tensor
    u: Tensor

    def to(self, device: torch.device) -> "Batch":
        """The batch on `device`."""
        return Batch(*(part.to(device, non_blocking=True) for part in self))


def collate(draws: Sequence[Draw]) -> Batch:
    """Draws of one size as a batch."""
    crops, eps, u = zip(*draws, strict=True)
    x0 = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return Batch(x0, torch.from_numpy(np.stack(eps)).permute(0, 3, 1, 2), torch.tensor(u))


def find_photos(folder: Path) -> list[Path]:
    """The pictures anywhere under `folder`, by name; files that are none inside are skipped and counted in a warning."""
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; --data needs a folder of photos")
    Image.init()
    suffixes = {suffix for suffix, kind in Image.EXTENSION.items() if kind in Image.OPEN}
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in suffixes and f.is_file())
    with ThreadPoolExecutor() as pool:
        photos = [f for f, fine in zip(files, pool.map(has_header, files), strict=True) if fine]
    if len(photos) < len(files):
        log.warning(
            "%d of %d pictures in %s cannot be read and are skipped",
            len(files) - len(photos),
            len(files),
            folder,
        )
    if not photos:
        raise ValueError(
            f"{folder} has no readable picture ({len(files)} unreadable); --data needs a folder of photos"
        )
    return photos


def has_header(file: Path) -> bool:
    """Whether the file begins like a picture."""
    try:
        with Image.open(file):
            return True
    except Exception:  # PIL's plugins raise whatever damage makes them raise
        return False


def split(folder: Path, photos: Sequence[Path], holdout: int) -> tuple[list[Path], list[Path]]:
    """(to train on, held out): the `holdout` photos whose names hash lowest, so new photos hardly change the choice."""
    if not 0 <= holdout < len(photos):
        raise ValueError(
            f"holdout={holdout} of {len(photos)} photos; it must be 0 to {len(photos) - 1}, to leave some to train on"
        )

    def rank(file: Path) -> str:
        return hashlib.sha256(file.relative_to(folder).as_posix().encode()).hexdigest()

    held = sorted(photos, key=rank)[:holdout]
    return sorted(set(photos) - set(held)), held


class Photos:
    """Photos as uint8 [H, W, 3], decoded once while they fit into `cache_mb`, and crops of them.

    `native` is the share of crops that are not shrunk; `flip` mirrors half of them.
    """

    def __init__(self, files: Sequence[Path], cache_mb: float, native: float, flip: bool):
        self.files, self.native, self.flip = files, native, flip
        self.room = cache_mb * 2**20
        self.cache: dict[int, np.ndarray] = {}
        self.damaged: set[int] = set()
        self.lock = threading.Lock()

    def __getitem__(self, i: int) -> np.ndarray:
        """Photo i, or the next one that can be decoded."""
        for k in range(i, i + len(self.files)):
            photo = self.decoded(k % len(self.files))
            if photo is not None:
                return photo
        raise ValueError(
            f"none of the {len(self.files)} photos can be decoded, {self.files[0]} to begin with; check --data"
        )

    def decoded(self, i: int) -> np.ndarray | None:
        """Photo i from the cache or its file; None, with a warning the first time, where it is damaged."""
        if i in self.cache or i in self.damaged:
            return self.cache.get(i)
        try:
            with Image.open(self.files[i]) as image:
                photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except Exception:  # PIL's plugins raise whatever damage makes them raise
            self.skip(i)
            return None
        with self.lock:
            if i not in self.cache and photo.nbytes <= self.room:
                self.cache[i] = photo
                self.room -= photo.nbytes
        return photo

    def skip(self, i: int) -> None:
        """Remember that photo i is damaged."""
        with self.lock:
            if i not in self.damaged:
                self.damaged.add(i)
                log.warning(
                    "%s is damaged and skipped (%d so far)", self.files[i], len(self.damaged)
                )

    def draw(self, seed: int, step: int, i: int, size: int) -> Draw:
        """Item i of the batch of `step`."""
        rng = np.random.default_rng([seed, step, i])
        return self.crop(int(rng.integers(len(self.files))), rng, size)

    def held_out(self, size: int, buckets: int) -> list[Draw]:
        """One crop of every photo for every bucket of times, always the same; item i is of bucket i % buckets."""
        items = []
        for i in range(len(self.files)):
            for bucket in range(buckets):
                crop, eps, u = self.crop(i, np.random.default_rng([i, bucket]), size)
                items.append(Draw(crop, eps, (bucket + u) / buckets))
        return items

    def crop(self, i: int, rng: np.random.Generator, size: int) -> Draw:
        """A crop of photo i at random scale, a time and noise."""
        photo = self[i]
        side = window_side(min(photo.shape[:2]), size, self.native, rng)
        y, x = (int(rng.integers(n - side + 1)) for n in photo.shape[:2])
        crop = photo[y : y + side, x : x + side]
        if self.flip and rng.random() < 0.5:
            crop = crop[:, ::-1]
        if side != size:
            crop = np.asarray(
                Image.fromarray(np.ascontiguousarray(crop)).resize(
                    (size, size), Image.Resampling.BICUBIC
                )
            )
        return Draw(crop, rng.standard_normal((size, size, 3), np.float32), rng.random())


def window_side(short: int, size: int, native: float, rng: np.random.Generator) -> int:
    """Side of the window that becomes a crop of `size`: native, or log-uniform up to the short side of the photo."""
    share, scale = rng.random(2)
    if short <= size or share < native:
        return min(short, size)
    return round(size * (short / size) ** scale)


class Rung(NamedTuple):
    """A stretch of training at one crop size, up to the fraction `end` of the whole."""

    size: int
    items: int
    end: float


def ladder(text: str, full: int, items: int, divisor: int) -> list[Rung]:
    """Rungs of "size:fraction[:items],..."; a batch has `items` crops at size `full` and as many pixels at the others."""
    rungs, end = [], 0.0
    for part in text.split(","):
        try:
            size, fraction, *given = part.split(":")
            end += float(fraction)
            rung = Rung(
                int(size),
                int(given[0]) if given else max(1, round(items * (full / int(size)) ** 2)),
                end,
            )
        except (ValueError, ZeroDivisionError):
            raise ValueError(
                f"{part!r} in the size ladder; it is size:fraction or size:fraction:batch, such as 32:0.5"
            ) from None
        if rung.size < 1 or rung.size % divisor or rung.items < 1:
            raise ValueError(
                f"{part!r} in the size ladder; sizes must be multiples of {divisor} for this UNet, batches 1 or more"
            )
        rungs.append(rung)
    if abs(end - 1) > 1e-3:
        raise ValueError(
            f"the fractions of the size ladder {text} add up to {end:g}; they must add up to 1"
        )
    return rungs


def batches(
    photos: Photos,
    seed: int,
    first: int,
    plan: Callable[[int], tuple[int, int]],
    rank: int,
    world: int,
    workers: int,
) -> Generator[Batch, None, None]:
    """Batches from step `first` on, prefetched by threads; plan(step) is (crop size, items), of which every `world`th is ours."""
    pool = ThreadPoolExecutor(workers)
    ready: deque[list[Future[Draw]]] = deque()
    try:
        for step in count(first):
            size, items = plan(step)
            ready.append(
                [pool.submit(photos.draw, seed, step, i, size) for i in range(rank, items, world)]
            )
            if len(ready) > AHEAD:
                yield collate([draw.result() for draw in ready.popleft()])
    finally:
        pool.shutdown(cancel_futures=True)
