"""Photos for training: found, split, decoded once, and cropped at random.

    draw(seed, step, i) = photo, window at random scale, flip, u ~ U[0, 1) (the diffusion time),
                          eps ~ N(0, I)

A draw is a pure function of (seed, step, i): no draw depends on an earlier one, so a resumed run
sees the crops, times and noise that it would have seen, on any number of threads or devices.
"""

import hashlib
import logging
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

log = logging.getLogger(__name__)


def find_photos(folder: Path) -> list[Path]:
    """List the pictures anywhere under a folder, by name.

    Files with a picture's suffix that are none inside are skipped, and counted in a warning.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds no readable picture.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"no folder {folder}; --data needs a folder of photos")

    # Every suffix that PIL can open
    Image.init()
    suffixes = {suffix for suffix, kind in Image.EXTENSION.items() if kind in Image.OPEN}
    files = sorted(f for f in folder.rglob("*") if f.suffix.lower() in suffixes and f.is_file())

    # Headers tell pictures from junk
    with ThreadPoolExecutor() as pool:
        photos = [f for f, fine in zip(files, pool.map(has_header, files), strict=True) if fine]
    if junk := len(files) - len(photos):
        message = "%d of %d pictures in %s cannot be read and are skipped"
        log.warning(message, junk, len(files), folder)

    if not photos:
        raise ValueError(
            f"{folder} has no readable picture ({len(files)} unreadable); "
            "--data needs a folder of photos"
        )
    return photos


def has_header(file: Path) -> bool:
    """Tell whether a file begins like a picture."""
    try:
        with Image.open(file):
            return True
    except Exception:  # PIL's plugins raise whatever damage makes them raise
        return False


def split(folder: Path, photos: Sequence[Path], holdout: int) -> tuple[list[Path], list[Path]]:
    """Split photos into those to train on, and `holdout` others to measure with.

    Held out are those whose names hash lowest, so that new photos hardly change the choice.

    Returns:
        (to train on, held out).

    Raises:
        ValueError: no photo would be left to train on.
    """
    if not 0 <= holdout < len(photos):
        raise ValueError(
            f"holdout={holdout} of {len(photos)} photos; "
            f"it must be 0 to {len(photos) - 1}, to leave some to train on"
        )

    def rank(file: Path) -> str:
        return hashlib.sha256(file.relative_to(folder).as_posix().encode()).hexdigest()

    held_out = sorted(photos, key=rank)[:holdout]
    return sorted(set(photos) - set(held_out)), held_out


class Draw(NamedTuple):
    """One training item, channels last.

    Attributes:
        crop: pixels, uint8 [s, s, 3].
        eps: noise, float32 [s, s, 3].
        u: fraction of the diffusion time, in [0, 1).
    """

    crop: np.ndarray
    eps: np.ndarray
    u: float


class Photos:
    """Photos as uint8 [H, W, 3], decoded once while they fit into memory, and crops of them.

    Args:
        files: the pictures.
        cache_mb: memory for decoded photos, in MB.
        native: share of crops that are not shrunk.
        flip: mirror half of the crops.
    """

    def __init__(self, files: Sequence[Path], cache_mb: float, native: float, flip: bool):
        self.files, self.native, self.flip = files, native, flip
        self.room = cache_mb * 2**20
        self.cache: dict[int, np.ndarray] = {}
        self.damaged: set[int] = set()
        self.lock = threading.Lock()

    def draw(self, seed: int, step: int, i: int, size: int) -> Draw:
        """Draw item i of the batch of a step, a crop of size x size pixels."""
        rng = np.random.default_rng([seed, step, i])
        return self.crop(int(rng.integers(len(self.files))), rng, size)

    def held_out(self, size: int, buckets: int) -> list[Draw]:
        """Draw a crop of each photo for each bucket of times in turn, always the same."""
        items = []
        for i in range(len(self.files)):
            for bucket in range(buckets):
                crop, eps, u = self.crop(i, np.random.default_rng([i, bucket]), size)
                items.append(Draw(crop, eps, (bucket + u) / buckets))
        return items

    def crop(self, i: int, rng: np.random.Generator, size: int) -> Draw:
        """Draw a crop of photo i at random scale, a time, and noise."""
        photo = self[i]

        # A square window somewhere, mirrored or not
        side = window_side(min(photo.shape[:2]), size, self.native, rng)
        y, x = (int(rng.integers(n - side + 1)) for n in photo.shape[:2])
        crop = photo[y : y + side, x : x + side]
        if self.flip and rng.random() < 0.5:
            crop = crop[:, ::-1]

        # Resized to the size of the batch
        if side != size:
            window = Image.fromarray(np.ascontiguousarray(crop))
            crop = np.asarray(window.resize((size, size), Image.Resampling.BICUBIC))

        return Draw(crop, rng.standard_normal((size, size, 3), np.float32), rng.random())

    def __getitem__(self, i: int) -> np.ndarray:
        """Decode photo i, or the next one that can be decoded.

        Raises:
            ValueError: no photo can.
        """
        for k in range(i, i + len(self.files)):
            photo = self.decode(k % len(self.files))
            if photo is not None:
                return photo

        raise ValueError(
            f"none of the {len(self.files)} photos can be decoded, {self.files[0]} to begin with; "
            "check --data"
        )

    def decode(self, i: int) -> np.ndarray | None:
        """Take photo i from the cache or its file; None, with one warning, if it is damaged."""
        if i in self.cache or i in self.damaged:
            return self.cache.get(i)

        try:
            with Image.open(self.files[i]) as image:
                photo = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
        except Exception:  # PIL's plugins raise whatever damage makes them raise
            with self.lock:
                if i not in self.damaged:
                    self.damaged.add(i)
                    skipped = len(self.damaged)
                    log.warning("%s is damaged and skipped (%d so far)", self.files[i], skipped)
            return None

        # Other threads may have been faster
        with self.lock:
            if i not in self.cache and photo.nbytes <= self.room:
                self.cache[i] = photo
                self.room -= photo.nbytes
        return photo


def window_side(short: int, size: int, native: float, rng: np.random.Generator) -> int:
    """Choose the side of the window that becomes a crop of `size`, in pixels of the photo.

    It is `size` itself in a share `native` of draws, else log-uniform up to the photo's short side.
    """
    share, scale = rng.random(2)
    if short <= size or share < native:
        return min(short, size)
    return round(size * (short / size) ** scale)
