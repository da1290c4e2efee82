"""Blind deblurring: how well the kernel and the photo are found, for kernels of every kind.

    python benchmarks/measures/blind_blur.py --images DIR [--size 128] [--count 4]
        [--kernels gaussian2,motion15] [--sigma 0.01] [--steps 20] [--json FILE]

Each row is a kernel, medians over photos. `ncc` is the largest normalised correlation of the kernel
with the truth over all shifts, `width_error` that of the kernel's std (over both axes), `gain` the
PSNR of the result minus that of the blurred photo, both without a margin of half a kernel, each
shifted (to a quarter of a pixel) to where it agrees best with the truth: photo and kernel are known
up to a common shift.
"""

import argparse
import sys
import time
from pathlib import Path
from statistics import median

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from benchmarks.scoring import crop_square
from gdp.compose.configuration import build, compose
from gdp.picture import find_photos, read, to_image
from gdp.prior.prior import Prior
from gdp.restore.observe import degrade
from gdp.restore.scores.metrics import psnr
from gdp.restore.setup import Setup
from operators.blur import Blur, kernels
from operators.blur.blind.blind_blur import BlindBlur
from operators.blur.kernel_shape import likeness

KERNELS = {
    "sharp": kernels.gaussian(3, 0.2),
    "gaussian1": kernels.gaussian(15, 1.0),
    "gaussian2": kernels.gaussian(15, 2.0),
    "gaussian2.8": kernels.gaussian(15, 2.8),
    "anisotropic": kernels.anisotropic(15, 3.0, 1.0, 30.0),
    "motion7": kernels.motion(7, 165.0),
    "motion9": kernels.motion(9, 30.0),
    "motion13": kernels.motion(13, 10.0),
    "motion15": kernels.motion(15, 120.0),
    "disk3": kernels.disk(3.0),
    "shake15": kernels.shake(15, 0.5, 3),
}
COLUMNS = "kernel ncc ncc_least width_error psnr_input psnr gain seconds".split()

# Whole pixels of a shift, and steps within one
REACH, FRACTION = 3, 4


def main() -> None:
    """Parse, restore, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True, metavar="DIR")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--count", type=int, help="so many photos, evenly chosen")
    parser.add_argument("--kernels", default=",".join(KERNELS))
    sigma = "std of the noise, in [0, 1] units; known to the restoration"
    parser.add_argument("--sigma", type=float, default=0.01, help=sigma)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument(
        "--override", nargs="*", default=[], metavar="KEY=VALUE", help="any setting of run.py"
    )
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()

    # Photos and setup
    files = find_photos(args.images)
    files = files[:: max(1, len(files) // args.count)][: args.count] if args.count else files
    photos = [crop_square(read(f).pixels, args.size) for f in files]
    words = ("task=deblur_blind", f"sigma_y={args.sigma}", f"steps={args.steps}", *args.override)
    setup = build(compose(*words))
    prior = setup.load_prior()

    # Every kernel on every photo
    results, names = [], args.kernels.split(",")
    for name in names:
        for file, photo in zip(files, photos, strict=True):
            scores = result(setup, prior, photo, KERNELS[name])
            results.append({"kernel": name, "photo": file.stem, **scores})

    rows = [summary(name, [r for r in results if r["kernel"] == name]) for name in names]
    rows.append(summary("all but sharp", [r for r in results if r["kernel"] != "sharp"]))
    print(f"{len(photos)} photos\n\n{table(rows, COLUMNS)}")
    save(rows, args.json)


def summary(name: str, results: list[dict]) -> dict:
    """Take medians over photos."""
    if not results:
        return {"kernel": name}
    names = ("ncc", "psnr_input", "psnr", "gain", "seconds")
    return {
        "kernel": name,
        **{k: median(r[k] for r in results) for k in names},
        "ncc_least": min(r["ncc"] for r in results),
        "width_error": median(abs(r["width_error"]) for r in results),
    }


def result(setup: Setup, prior: Prior, clean: Tensor, kernel: Tensor) -> dict:
    """Blur and restore one photo [1, 3, H, W] in [0, 1]."""
    y, known = degrade(clean, Blur(kernel), setup.config["sigma_y"], [0])
    operator = setup.operator.with_noise(known.sigma_y)

    began = time.perf_counter()
    with torch.no_grad():
        x, bound = setup.sampler(prior, operator, y, [0])
    assert isinstance(bound, BlindBlur)
    found = bound.kernel[0, 0].cpu()

    before, after = (aligned_psnr(p, clean, len(kernel) // 2) for p in (to_image(y), to_image(x)))
    scores = {
        "psnr_input": before,
        "psnr": after,
        "gain": after - before,
        "seconds": time.perf_counter() - began,
    }
    return {
        "ncc": likeness(found, kernel),
        "width_error": width(found) / max(width(kernel), 0.3) - 1,
        **scores,
    }


def width(kernel: Tensor) -> float:
    """Compute the std of a kernel over both axes, in pixels."""
    along, across, _ = kernels.principal_axes(kernel)
    return (along**2 + across**2) ** 0.5


def aligned_psnr(pixels: Tensor, truth: Tensor, margin: int) -> float:
    """Compute the PSNR where the picture is shifted as suits it best, coarse to fine.

    Args:
        pixels: the picture.
        truth: what it should be.
        margin: pixels at the border that do not count, besides those of the largest shift.
    """
    edge = margin + REACH + 1
    inner = (..., slice(edge, -edge), slice(edge, -edge))

    def score(shift: tuple[float, float]) -> float:
        return float(psnr(shifted(pixels, shift)[inner], truth[inner]))

    # Half the step where no neighbour is better
    best, step = (0.0, 0.0), 1.0
    while step >= 1 / FRACTION:
        around = [(best[0] + i * step, best[1] + j * step) for i in (-1, 0, 1) for j in (-1, 0, 1)]
        better = max((s for s in around if max(map(abs, s)) <= REACH), key=score)
        best, step = better, step / 2 if better == best else step
    return score(best)


def shifted(pixels: Tensor, shift: tuple[float, float]) -> Tensor:
    """Move the picture by (down, right) pixels, by Fourier; borders wrap."""
    waves = [
        torch.fft.fftfreq(n).to(pixels) * s for n, s in zip(pixels.shape[-2:], shift, strict=True)
    ]
    turn = torch.exp(-2j * torch.pi * (waves[0][:, None] + waves[1]))
    return torch.fft.ifft2(torch.fft.fft2(pixels) * turn).real


if __name__ == "__main__":
    main()
