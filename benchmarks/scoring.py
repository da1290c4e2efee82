"""What a restoration is worth: a task's photos, what became of them, and scores against the truth.

PSNR is over RGB in [0, 1] after clipping and 8-bit rounding. `each` keeps PSNR, SSIM and HaarPSI by
photo and sample, for intervals (benchmarks/intervals.py).
null_energy = ||(I - A^+ A) x|| / ||(I - A^+ A) reference||: 1 is as sharp as the truth, less is
blur.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.classical import CLASSICAL, Case
from gdp.picture import find_photos, read, rounded, to_image, to_model
from gdp.prior.prior import Prior
from gdp.restore.finish import consistency
from gdp.restore.observe import crop, degrade
from gdp.restore.scores.metrics import psnr
from gdp.restore.setup import Setup
from operators.base import Operator

# What is kept photo by photo
EACH = ("psnr", "ssim", "haarpsi")

# A case, its samples, seconds for one of them
Output = tuple[Case, list[Tensor], float]


def crop_square(pixels: Tensor, size: int | None) -> Tensor:
    """Take the centre size x size of a picture; all of it without a size."""
    if size is None:
        return pixels
    H, W = pixels.shape[-2:]
    if min(H, W) < size:
        raise ValueError(f"--size {size} is larger than a {W}x{H} photo; choose a smaller one")

    return pixels[..., (H - size) // 2 :, (W - size) // 2 :][..., :size, :size]


def squares(images: str | Path, limit: int | None, size: int | None, skip: int = 0) -> list[Tensor]:
    """Read the first photos of a folder after some, the centre size x size of each.

    Raises:
        ValueError: there are no more than `skip` photos, or one is smaller than `size`.
    """
    files = find_photos(images)
    if skip >= len(files):
        raise ValueError(f"--skip {skip} leaves none of {len(files)} photos; choose a smaller one")
    return [crop_square(read(file).pixels, size) for file in files[skip:][:limit]]


def same_sized(photos: list[Tensor]) -> list[tuple[Tensor, list[int]]]:
    """Put photos into batches of one size, with the seed of each."""
    sizes = sorted({tuple(p.shape) for p in photos})
    groups = [[i for i, p in enumerate(photos) if tuple(p.shape) == size] for size in sizes]
    return [(torch.cat([photos[i] for i in group]), group) for group in groups]


def case(setup: Setup, photos: Tensor, seeds: list[int], prior: Prior) -> Case:
    """Degrade photos [B, 3, H, W] in [0, 1] by the setup's operator and noise."""
    clean = crop(photos, setup.operator.divisor).to(prior.device)
    operator = setup.operator.to(prior.device)
    y, operator = degrade(clean, operator, setup.config["sigma_y"], seeds)
    return Case(setup._replace(operator=operator), clean, y)


def baselines(cases: list[Case]) -> Iterator[dict]:
    """Score what takes no sampler.

    A^+ y (pinv), y itself where it is of the photo's shape (input), its bicubic enlargement where
    it is a smaller picture (bicubic), and the classical methods of benchmarks/classical.py.
    """
    simple = {"pinv": inverted, "input": unchanged, "bicubic": enlarged}

    for name, make in (simple | CLASSICAL).items():
        outputs = []
        for c in cases:
            began = time.perf_counter()
            x = make(c)
            if x is not None:
                outputs.append((c, [x], time.perf_counter() - began))
        if outputs:
            yield {"sampler": name, "steps": 0, "nfe": 0, **summary(outputs)}


def inverted(c: Case) -> Tensor | None:
    """Return A^+ y, where A has one."""
    A = c.setup.operator
    return to_image(A.pinv(c.y)) if A.offers("pinv") else None


def unchanged(c: Case) -> Tensor | None:
    """Return y, where it is of the photo's shape."""
    return to_image(c.y) if c.y.shape == c.clean.shape else None


def enlarged(c: Case) -> Tensor | None:
    """Return y enlarged by bicubic interpolation, where it is a smaller picture."""
    if c.y.ndim != 4 or c.y.shape[1] != c.clean.shape[1] or c.y.shape[-2:] == c.clean.shape[-2:]:
        return None
    return F.interpolate(to_image(c.y), c.clean.shape[-2:], mode="bicubic", align_corners=False)


def score(cases: list[Case], prior: Prior, samples: int) -> dict:
    """Restore every photo `samples` times, and score the results."""
    outputs, nfe = [], 0

    for c in cases:
        began, drawn = time.perf_counter(), []
        for k in range(samples):
            calls = prior.calls
            seeds = [1000 * k + i for i in range(len(c.y))]
            x, _ = c.setup.sampler(prior, c.setup.operator, c.y, seeds)
            drawn.append(to_image(x))
            nfe = prior.calls - calls
        outputs.append((c, drawn, (time.perf_counter() - began) / samples))

    return {"nfe": nfe, **summary(outputs)}


def summary(outputs: list[Output]) -> dict:
    """Average the scores over photos; over samples too, but for psnr_of_mean."""
    import piq

    values: dict[str, list[float | None]] = {}
    each: dict[str, list[list[float]]] = {name: [] for name in EACH}

    def add(name: str, value: float | None) -> None:
        values.setdefault(name, []).append(value)
        if name in each and value is not None:
            each[name][-1].append(value)

    for c, drawn, _ in outputs:
        A, mean = c.setup.operator, torch.stack(drawn).mean(0)
        for i in range(len(c.clean)):
            truth = c.clean[i : i + 1]
            add("psnr_of_mean", float(psnr(mean[i : i + 1], truth)))
            for photos in each.values():
                photos.append([])

            for x in (d[i : i + 1] for d in drawn):
                a, b = rounded(x), rounded(truth)
                add("psnr", float(psnr(x, truth)))
                add("ssim", float(piq.ssim(a, b, data_range=1.0)))
                add("haarpsi", float(piq.haarpsi(a, b, data_range=1.0)))
                add("null_energy", null_energy(A, x, truth))
                add("consistency", consistency(x, A, c.y[i : i + 1]))

    images, samples = sum(len(c.clean) for c, *_ in outputs), len(outputs[0][1])
    means = {k: mean_or_none(v) for k, v in values.items()}
    seconds = sum(s for *_, s in outputs) / images
    rest = {"seconds_per_image": seconds, "each": each}
    return {"images": images, "samples": samples, **means, **rest}


def mean_or_none(values: list[float | None]) -> float | None:
    """Average values; None where one is missing."""
    known = [v for v in values if v is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def null_energy(A: Operator, x: Tensor, truth: Tensor) -> float | None:
    """Compute ||(I - A^+ A) x|| / ||(I - A^+ A) truth||.

    Returns:
        None where A sees everything, or has no A^+.
    """
    if not A.offers("pinv"):
        return None

    x, truth = to_model(x), to_model(truth)
    unseen = truth - A.pinv(A(truth))
    if float(unseen.norm()) < 1e-4 * float(truth.norm()):
        return None
    return float((x - A.pinv(A(x))).norm() / unseen.norm())
