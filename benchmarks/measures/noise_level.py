"""How well the noise of photos is estimated.

    python benchmarks/measures/noise_level.py --images DIR [--sigmas 0,0.02,0.05,0.1,0.2,0.3]
        [--size 256] [--count 50] [--json FILE]

Gaussian noise is added to a corner of every photo, unclipped, and once more as an 8-bit file would
hold it. `error` is the median of |estimate / sigma - 1|, `error_90` its 90th percentile, `bias` the
median with its sign. Photos that are not clean count against the estimator: the estimates at
sigma = 0 tell what they hold by themselves.
"""

import argparse
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from gdp.picture import find_photos, read, rounded
from gdp.prior.noise import Noise
from gdp.restore.noise.level import estimate_sigma

COLUMNS = "sigma estimate estimate_90 error error_90 bias error_8_bit bias_8_bit ms".split()


def main() -> None:
    """Parse, estimate, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", required=True, metavar="DIR")
    parser.add_argument("--sigmas", default="0,0.005,0.01,0.02,0.05,0.1,0.2,0.3")
    parser.add_argument(
        "--size", type=int, default=256, help="side of the corner that is looked at"
    )
    parser.add_argument("--count", type=int, help="so many photos, evenly chosen")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()

    files = find_photos(args.images)
    files = files[:: max(1, len(files) // args.count)][: args.count] if args.count else files
    photos = [read(f).pixels[..., : args.size, : args.size] for f in files]
    rows = [row(photos, float(sigma)) for sigma in args.sigmas.split(",")]

    print(f"{len(photos)} photos\n\n{table(rows, COLUMNS)}")
    save(rows, args.json)


def row(photos: list[Tensor], sigma: float) -> dict:
    """Measure what is estimated at one level of noise."""
    began = time.process_time()
    noisy = [p + sigma * Noise([i], "degrade").like(p) for i, p in enumerate(photos)]
    estimates = torch.tensor([estimate_sigma(y) for y in noisy], dtype=torch.float64)
    ms = 1000 * (time.process_time() - began) / len(photos)

    out = {
        "sigma": sigma,
        "estimate": float(estimates.median()),
        "estimate_90": float(estimates.quantile(0.9)),
        "ms": ms,
    }

    # Relative errors, of the noise and of an 8-bit file with it
    if sigma > 0:
        error = estimates / sigma - 1
        eight_bit = [estimate_sigma(rounded(y)) for y in noisy]
        error_8_bit = torch.tensor(eight_bit, dtype=torch.float64) / sigma - 1
        out |= {
            "error": float(error.abs().median()),
            "error_90": float(error.abs().quantile(0.9)),
            "bias": float(error.median()),
            "error_8_bit": float(error_8_bit.abs().median()),
            "bias_8_bit": float(error_8_bit.median()),
        }
    return out


if __name__ == "__main__":
    main()
