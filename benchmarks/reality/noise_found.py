"""The noise that is estimated in one photo, against the noise that was put there.

    white_SIGMA           white noise, clipped and rounded to 8 bits
    demosaicked_STRENGTH  a phone's photo before its JPEG
    jpeg_QUALITY          the strong one, as a JPEG of this quality

`true` is the rms of the photo minus what the same chain makes without noise and JPEG; `dark`,
`middle` and `bright` are over the thirds of the pixels by brightness.
"""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from statistics import fmean, median

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from benchmarks.phone import STRENGTHS, develop, jpeg
from benchmarks.reality.arrays import to_pixels
from benchmarks.reality.pairs import Photo
from gdp.picture import rounded
from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel, estimate

WHITE = (0.02, 0.05, 0.1)
QUALITIES = (75, 85, 95)
THIRDS = ("dark", "middle", "bright")

# A photo with noise and the same without, [1, 3, H, W] in [0, 1]
Both = tuple[Tensor, Tensor]


def noise_found(photos: Sequence[Photo]) -> Iterator[dict]:
    """Yield a row for each kind of noise."""
    for case, make in cases().items():
        both = [make(photo.pixels, seed) for seed, photo in enumerate(photos)]
        true = [float((y - clean).square().mean().sqrt()) for y, clean in both]
        models = [estimate(y) for y, _ in both]
        ratios = [m.std / t for m, t in zip(models, true, strict=True)]
        by_light = [by_brightness(m, *b) for m, b in zip(models, both, strict=True)]
        yield {
            "table": "noise",
            "case": case,
            "images": len(photos),
            "true": fmean(true),
            "found": fmean(model.std for model in models),
            "ratio": median(ratios),
            "least": min(ratios),
            "most": max(ratios),
            **{name: median(ratio[i] for ratio in by_light) for i, name in enumerate(THIRDS)},
        }


def by_brightness(model: NoiseModel, y: Tensor, clean: Tensor) -> list[float]:
    """Found / true over the thirds of a photo."""
    squares = (y - clean).square().mean(1, keepdim=True)
    gain = model.gain(y)
    found = model.std**2 * (torch.ones_like(squares) if gain is None else gain.square())

    darkest_first = F.avg_pool2d(clean.mean(1, keepdim=True), 9, 1, 4).flatten().argsort()
    thirds = darkest_first.tensor_split(len(THIRDS))
    return [
        float((found.flatten()[i].mean() / squares.flatten()[i].mean().clamp_min(1e-12)).sqrt())
        for i in thirds
    ]


def cases() -> dict[str, Callable[[Tensor, int], Both]]:
    """How each kind of noise is made of a clean photo and a seed."""
    return {
        **{f"white_{sigma}": partial(with_white, sigma) for sigma in WHITE},
        **{f"demosaicked_{name}": partial(demosaicked, name) for name in STRENGTHS},
        **{f"jpeg_{quality}": partial(compressed, quality) for quality in QUALITIES},
    }


def with_white(sigma: float, x: Tensor, seed: int) -> Both:
    """White noise."""
    return rounded(x + sigma * Noise([seed], "degrade").like(x)), x


def demosaicked(strength: str, x: Tensor, seed: int) -> Both:
    """A phone's photo before its JPEG."""
    y, clean = (develop(x[0], s, seed)[None].float() for s in (STRENGTHS[strength], None))
    return rounded(y), clean


def compressed(quality: int, x: Tensor, seed: int) -> Both:
    """A phone's photo in strong noise."""
    y, clean = demosaicked("strong", x, seed)
    with Image.open(io.BytesIO(jpeg(y[0], quality))) as file:
        return to_pixels(np.asarray(file)), clean
