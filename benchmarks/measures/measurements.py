"""Other people's data: k-space, sinograms, spectra, a single pixel; simulated and restored.

    python benchmarks/measures/measurements.py [--side 96] [--out docs/measurements.png]

PSNR of x against the classical method of the field, and a picture of both, on scikit-image's
pictures, which are in the public domain. TV is the picture of least variation that agrees with y,
at the best of four weights, chosen by the truth, after 1000 iterations.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import gdp
from benchmarks.classical import EDGES
from benchmarks.common import table
from benchmarks.measures.measuring import Coils, FilterMosaic, Radon, SinglePixel
from gdp.picture import compare
from gdp.picture.panels import bands
from operators.base import LinearOperator
from operators.measured import MeasuredLinear, measured
from samplers.start import least_variation


def scene(name: str, n: int) -> Tensor:
    """A picture [1, 1 or 3, n, n] in [0, 1]."""
    from skimage import data, transform

    picture = getattr(data, name)()
    H, W = picture.shape[:2]
    side, top, left = min(H, W), (H - min(H, W)) // 2, (W - min(H, W)) // 2
    square = picture[top : top + side, left : left + side] / max(1, picture.max())
    small = transform.resize(square, (n, n), anti_aliasing=True)
    return torch.from_numpy(small).float().reshape(1, n, n, -1).permute(0, 3, 1, 2).contiguous()


def spectrum(n: int, bands: int = 16) -> Tensor:
    """Bands between blue and red, blended from a photo's colours: [1, bands, n, n]."""
    rgb, at = scene("astronaut", n), torch.linspace(0, 1, bands)
    weights = torch.stack([torch.exp(-(((at - c) / 0.28) ** 2)) for c in (1.0, 0.5, 0.0)])
    return torch.einsum("ck,bchw->bkhw", weights / weights.sum(0), rgb)


def psnr(x: Tensor, truth: Tensor) -> float:
    """In dB, of pixels in [0, 1], clipped."""
    return float(-10 * (x.clamp(0, 1) - truth).square().mean().log10())


def noisy(A: LinearOperator, x: Tensor, sigma: float) -> Tensor:
    """A(x) with noise of std sigma, in each part where it is complex."""
    y, random = A(2 * x - 1), torch.Generator().manual_seed(1)
    parts = torch.view_as_real(y) if y.is_complex() else y
    parts = parts + sigma * torch.randn(parts.shape, generator=random)
    return torch.view_as_complex(parts) if y.is_complex() else parts


def zero_filled(A: LinearOperator, y: Tensor) -> Tensor:
    """A^T y in pixels."""
    return (A.adjoint(y).real + 1) / 2


def least_total_variation(A: LinearOperator, y: Tensor, sigma: float, truth: Tensor) -> float:
    """PSNR of TV at the best of several weights, chosen by the truth."""
    found = []
    with torch.no_grad():
        view, flat = measured(A.with_noise(sigma), y)
        assert isinstance(view, MeasuredLinear)
        for edge in EDGES:
            x = least_variation(view, flat, edge, rounds=1000)
            found.append(psnr((view.picture(x) + 1) / 2, truth))
    return max(found)


def main() -> None:
    """Print the table, and save the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=96, help="pixels")
    parser.add_argument("--out", type=Path, help="PNG of all of them")
    args = parser.parse_args()
    n = args.side

    phantom, photo = scene("shepp_logan_phantom", n), scene("camera", n)
    radon = Radon(n)

    one, four = Coils(n), Coils(n, coils=4)
    pixel = SinglePixel(n // 2)
    cases = [
        ("MRI, one coil", one, phantom, 0.02, "zero-filled", lambda y: zero_filled(one, y)),
        ("MRI, four coils", four, photo, 0.02, "zero-filled", lambda y: zero_filled(four, y)),
        ("tomography, 30 angles", radon, phantom, 0.5, "FBP", radon.filtered_back_projection),
        ("16 bands, mosaic", FilterMosaic(), spectrum(n), 0.02, "least squares", None),
        ("single pixel, 25 %", pixel, scene("camera", n // 2), 0.02, "least squares", None),
    ]

    rows, panels = [], []
    for name, A, x, sigma, classic, method in cases:
        y, began = noisy(A, x, sigma), time.perf_counter()
        result = gdp.restore(y=y, operator=A, sigma_y=sigma)
        seconds = time.perf_counter() - began
        before = method(y) if method is not None else result.plain
        assert before is not None
        rows.append(
            {
                "": name,
                "classical": f"{classic} {psnr(before, x):.1f}",
                "TV": f"{least_total_variation(A, y, sigma, x):.1f}",
                "ours": f"{psnr(result.image, x):.1f}",
                "calls": result.report["nfe"],
                "seconds": f"{seconds:.0f}",
            }
        )
        print(rows[-1], flush=True)
        panels += [(f"{k}", bands(p)) for k, p in ((classic, before), (name, result.image))]
    print(table(rows, list(rows[0])))
    if args.out is not None:
        compare(panels, args.out)


if __name__ == "__main__":
    main()
