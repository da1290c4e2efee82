"""Several exposures of one scene as one photo: [1, 3K, H, W], the first picture's channels first."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from gdp.picture.image import Photo, read

MOST = 7
DRIFT = 2  # pixels by which exposures may be shifted
SURE = (
    8.0  # height of the correlation's peak from which a shift is believed, by the std of its values
)


def read_scene(files: Sequence[Path]) -> Photo:
    """The exposures in `files`; see `scene`."""
    counted(len(files))
    return scene([read(file) for file in files], [file.name for file in files])


def counted(count: int) -> None:
    """ValueError where `count` exposures are too few or too many."""
    if not 2 <= count <= MOST:
        raise ValueError(
            f"{count} pictures of the scene; give 2 to {MOST} exposures of one view, as input=[a.jpg,b.jpg,c.jpg]"
        )


def scene(photos: Sequence[Photo], names: Sequence[str]) -> Photo:
    """Several exposures as one. ValueError where they are too few, too many, of different sizes, or not of the same view."""
    counted(len(photos))
    sizes = {f"{p.pixels.shape[-1]}x{p.pixels.shape[-2]}" for p in photos}
    if len(sizes) > 1:
        raise ValueError(
            f"the exposures have different sizes ({', '.join(sorted(sizes))}); crop or resize them alike"
        )
    for name, before, photo in zip(names[1:], photos, photos[1:], strict=False):
        down, right = shift(before.pixels, photo.pixels)
        if max(abs(down), abs(right)) > DRIFT:
            raise ValueError(
                f"{name} is shifted by {right} pixels to the right and {down} down; align the exposures first"
            )
    pixels = torch.cat([p.pixels for p in photos], 1)
    return photos[0]._replace(pixels=pixels, rounding=max(p.rounding for p in photos), alpha=None)


def shift(a: Tensor, b: Tensor) -> tuple[int, int]:
    """How far b lies below and right of a, in pixels; 0 where they have too little in common to tell. Phase correlation of edges."""
    spectra = [torch.fft.rfft2(edges(p)) for p in (a, b)]
    cross = spectra[1] * spectra[0].conj()
    peaks = torch.fft.irfft2(cross / cross.abs().clamp_min(1e-9), edges(a).shape)
    if peaks.max() < SURE * peaks.std(correction=0):
        return 0, 0
    H, W = peaks.shape
    down, right = divmod(int(peaks.argmax()), W)
    return (down - H if down > H // 2 else down), (right - W if right > W // 2 else right)


def edges(pixels: Tensor) -> Tensor:
    """Differences of log brightness [H - 1, W - 1], the same at any exposure, faded out at the border."""
    grey = (pixels[0].mean(0).clamp(0.02, 0.98)).log()
    e = (grey.diff(dim=0)[:, :-1].square() + grey.diff(dim=1)[:-1].square()).sqrt()
    rows, columns = (torch.hann_window(n + 2)[1:-1] for n in e.shape)
    return (e - e.mean()) * rows[:, None] * columns
