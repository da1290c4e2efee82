"""Several exposures of one scene as one photo [1, 3K, H, W], the first picture's channels first."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from gdp.picture.codec.exif import exposure
from gdp.picture.codec.read import read
from gdp.picture.photo import Photo

MOST = 7  # exposures
DRIFT = 2  # pixels by which exposures may be shifted
PEAK = 8.0  # height from which a correlation's peak is a shift, in stds of the correlation


def read_scene(files: Sequence[Path]) -> Photo:
    """Read exposures of one scene from files; see `scene`."""
    check_count(len(files))
    return scene([read(file) for file in files], [file.name for file in files])


def check_count(count: int) -> None:
    """Raise ValueError where `count` exposures are too few or too many."""
    if not 2 <= count <= MOST:
        raise ValueError(
            f"{count} pictures of the scene; give 2 to {MOST} exposures of one view, "
            "as input=[a.jpg,b.jpg,c.jpg]"
        )


def scene(photos: Sequence[Photo], names: Sequence[str]) -> Photo:
    """Join several exposures of one scene into one photo.

    Args:
        photos: 2 to 7 exposures, each [1, 3, H, W].
        names: what to call them in errors.

    Returns:
        A photo of pixels [1, 3K, H, W] without transparency, and its exposures where all files
        tell theirs; the rest is the first exposure's.

    Raises:
        ValueError: they are too few or too many, or of different sizes, or one is shifted.
    """
    check_count(len(photos))
    sizes = {f"{p.pixels.shape[-1]}x{p.pixels.shape[-2]}" for p in photos}
    if len(sizes) > 1:
        raise ValueError(
            f"the exposures have different sizes ({', '.join(sorted(sizes))}); "
            "crop or resize them alike"
        )

    # Each is compared with the one before it.
    for name, before, photo in zip(names[1:], photos, photos[1:], strict=False):
        down, right = shift(before.pixels, photo.pixels)
        if max(abs(down), abs(right)) > DRIFT:
            raise ValueError(
                f"{name} is shifted by {right} pixels to the right and {down} down; "
                "align the exposures first"
            )

    pixels = torch.cat([p.pixels for p in photos], 1)
    told = [exposure(p.exif) for p in photos]
    stops = tuple(e for e in told if e is not None)
    return photos[0]._replace(
        pixels=pixels,
        rounding=max(p.rounding for p in photos),
        alpha=None,
        stops=stops if len(stops) == len(photos) else None,
    )


def shift(a: Tensor, b: Tensor) -> tuple[int, int]:
    """Measure how far b lies below and right of a, by phase correlation of their edges.

    Args:
        a: pixels [1, 3, H, W] in [0, 1], at any exposure.
        b: pixels of the same shape.

    Returns:
        Pixels down and right; 0, 0 where they have too little in common to tell.
    """
    spectra = [torch.fft.rfft2(edges(p)) for p in (a, b)]
    cross = spectra[1] * spectra[0].conj()
    peaks = torch.fft.irfft2(cross / cross.abs().clamp_min(1e-9), edges(a).shape)
    if peaks.max() < PEAK * peaks.std(correction=0):
        return 0, 0

    # Shifts of more than half the picture are negative ones, wrapped around.
    H, W = peaks.shape
    down, right = divmod(int(peaks.argmax()), W)
    return (down - H if down > H // 2 else down), (right - W if right > W // 2 else right)


def edges(pixels: Tensor) -> Tensor:
    """Edges of log brightness [H - 1, W - 1], alike at any exposure, faded out at the border."""
    grey = (pixels[0].mean(0).clamp(0.02, 0.98)).log()
    e = (grey.diff(dim=0)[:, :-1].square() + grey.diff(dim=1)[:-1].square()).sqrt()

    rows, columns = (torch.hann_window(n + 2)[1:-1] for n in e.shape)
    return (e - e.mean()) * rows[:, None] * columns
