"""All cases: what benchmarks/fuzz.py and the tests feed the program with."""

from collections.abc import Iterator

import numpy as np

from benchmarks.odd_files.broken import bombs, impossible
from benchmarks.odd_files.files import REFUSED, RESTORED, Case
from benchmarks.odd_files.readable import several, sound

# Where files are cut off, as shares of their length
CUT_SHARES = (0.02, 0.2, 0.4, 0.6, 0.8, 0.97)
FLIPPED_COPIES = 8


def corpus() -> Iterator[Case]:
    """Make every case.

    Sound but odd files, files under wrong names, bombs, no pictures at all, files that are cut off,
    and files with flipped bits.
    """
    files = sound()
    for name, data in files.items():
        yield Case(name, data, RESTORED)

    for name, data in several().items():
        yield Case(name, data, REFUSED)

    # Sound files under wrong names
    renamed = {
        "rgb.jpg": "png",
        "rgb.png": "jpg",
        "deep.png": "tif",
        "deep.tif": "png",
        "palette.gif": "webp",
    }
    for name, suffix in renamed.items():
        yield Case(f"{name}.{suffix}", files[name], RESTORED)

    yield from bombs()
    yield from impossible()

    # Usual files, damaged
    usual = list(files)[:14] + (["rgb.avif"] if "rgb.avif" in files else [])
    for number, name in enumerate(usual):
        yield from damage(name, files[name], number)


def damage(name: str, data: bytes, seed: int) -> Iterator[Case]:
    """Cut a file off, and flip bits of it."""
    for share in CUT_SHARES:
        yield Case(f"cut{round(share * 100)}_{name}", data[: int(len(data) * share)])

    rng = np.random.default_rng(seed)
    for k in range(FLIPPED_COPIES):
        copy = np.frombuffer(data, np.uint8).copy()
        places = rng.integers(0, len(data), 1 + 3 * k)
        copy[places] ^= np.uint8(1) << rng.integers(0, 8, dtype=np.uint8)
        yield Case(f"flip{k}_{name}", copy.tobytes())
