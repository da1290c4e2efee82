"""Blind low light on photos darkened by known f, M, gamma and noise.

    python benchmarks/measures/low_light.py --images FOLDER [--ablation] [--json FILE] [OVERRIDE]

    y = f x^gamma + M + noise,
    M a smooth random map up to 0.06,   gamma 0.9 to 1.1,   noise of std 0.015

Rows: for each f, and for all of them and those from 0.1 on, the median error of the f that is
found, how often it lies in the interval that is told, the correlation of M with what is found end
to end, with what is found from the true x, and with what an oracle finds (medians; of photos at
even and at odd places: constants are chosen on even ones), and what restoring gains after matching
the gain (brightness is a matter of taste).
sampler=gdp_x0 among the overrides restores with another sampler than `auto`; --ablation restores
with each loss of conf/guidance/quality.yaml on in turn, and without M.

The oracle knows f and has y without noise, but not x: it takes the local dark level for M, and so
has what the scene itself has of darkness in it. Who knows more of scenes may find more.
"""

import sys
from pathlib import Path
from statistics import fmean, median

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import measure_parser, save, table
from benchmarks.scoring import squares
from gdp.compose.configuration import build, compose
from gdp.picture import to_image, to_model
from gdp.prior.noise import Noise
from gdp.prior.prior import Prior
from gdp.restore.observe import of_developed
from gdp.restore.scores.truth import gain
from gdp.restore.setup import Setup
from operators.light import Light
from operators.light.light_model import resized
from operators.light.stray.dark_level import DarkLevel

# std of the noise; M's largest value
NOISE, STRAY = 0.015, 0.06
FACTORS = (0.05, 0.1, 0.3)

# Losses of the ablation, and their weights
WEIGHTS = [
    ("exposure", 1),
    ("colour_constancy", 1),
    ("spatial_consistency", 1),
    ("saturation", 10),
    ("total_variation", 0),
    ("total_variation", 4),
]


def darken(x: Tensor, f: float, seed: int) -> tuple[Tensor, Tensor]:
    """Darken a photo [1, 3, H, W] in [0, 1]; return y and M."""
    chance = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 1, 4, 4, generator=chance)
    M = STRAY * F.interpolate(coarse, x.shape[-2:], mode="bicubic").clamp(0, 1)
    gamma = 0.9 + 0.2 * float(torch.rand(1, generator=chance))
    return f * x**gamma + M + NOISE * Noise([seed], "degrade").like(x), M


def matched_psnr(pixels: Tensor, x: Tensor) -> float:
    """Compute the PSNR of pixels to x after the gain that fits best."""
    return float(-10 * (gain(pixels, x) * pixels - x).square().mean().log10())


def correlation(found: Tensor, M: Tensor) -> float:
    """Correlate two maps [1, 1, H, W]; 0 where one is even."""
    maps = torch.stack([found.flatten(), M.flatten()])
    return float(torch.corrcoef(maps)[0, 1].nan_to_num())


def seen_by_oracle(x: Tensor, M: Tensor, f: float) -> Tensor:
    """M as the dark level shows it to who knows f and has no noise, [1, 1, H, W]."""
    find = DarkLevel()
    level = find(f * x + M, f, 0.0).view(1, 1, find.grid, find.grid)
    return resized(level.to(x), x.shape[-2:])


def measured(photos: list[Tensor], f: float, prior: Prior, overrides: list[str]) -> list[dict]:
    """Measure one f on all photos."""
    setup = build(compose("task=lowlight", *overrides))
    return [measure(x, f, seed, setup, prior) for seed, x in enumerate(photos)]


def row(label: str, one: list[dict]) -> dict:
    """Medians and means of what was measured."""

    def middle(name: str, rows: list[dict]) -> float | None:
        return median(r[name] for r in rows) if rows else None

    names = ("f_error", "M_correlation", "M_correlation_oracle", "M_correlation_given_x")
    halves = {
        f"{name}_{half}": middle(name, one[k::2])
        for name in ("f_error", "M_correlation")
        for k, half in enumerate(("even", "odd"))
    }
    before, after = (fmean(r[name] for r in one) for name in ("psnr_y", "psnr"))
    return {
        "f": label,
        **{name: middle(name, one) for name in names},
        **halves,
        "in_interval": fmean(r["in_interval"] for r in one),
        "psnr_y": before,
        "psnr": after,
        "gain_db": after - before,
    }


def measure(x: Tensor, f: float, seed: int, setup: Setup, prior: Prior) -> dict:
    """Measure one photo at one f."""
    y, M = darken(x, f, seed)
    A = setup.operator.with_noise(2 * NOISE)
    if A.offers("developed"):
        A, _ = of_developed(A, to_model(y), 0.0)

    # M from the true x
    oracle = A.bind(to_model(y))
    assert isinstance(oracle, Light)
    oracle.fit(to_model(x), to_model(y), 0.0)

    # f, M and x from y alone
    result, bound = setup.sampler(prior, A, to_model(y), [seed])
    assert isinstance(bound, Light)
    told = bound.describe(y)
    low, high = told["f_interval"][0]
    return {
        "f_error": abs(told["f"][0] / f - 1),
        "in_interval": float(low <= f <= high),
        "M_correlation": correlation(bound.map(x)[:, :1], M),
        "M_correlation_oracle": correlation(seen_by_oracle(x, M, f), M),
        "M_correlation_given_x": correlation(oracle.map(x)[:, :1], M),
        "psnr_y": matched_psnr(y, x),
        "psnr": matched_psnr(to_image(result), x),
    }


def main() -> None:
    """Parse, run, print, save."""
    p = measure_parser(__doc__, "--images", 128)
    p.add_argument("--ablation", action="store_true")
    args = p.parse_args()

    photos = squares(args.images, args.limit, args.size)
    prior = build(compose("task=lowlight", *args.override)).load_prior()

    if args.ablation:
        cases = {"as shipped": [], "operator.mask=false": ["operator.mask=false"]}
        for name, weight in WEIGHTS:
            cases[f"{name} {weight:g}"] = [f"guidance.terms.{name}.0={weight}"]
        rows = []
        for name, words in cases.items():
            one = measured(photos, 0.1, prior, [*args.override, *words])
            rows.append({"case": name, **row("0.1", one)})
            print(rows[-1], file=sys.stderr, flush=True)
    else:
        by_f = {f: measured(photos, f, prior, args.override) for f in FACTORS}
        rows = [row(f"{f:g}", one) for f, one in by_f.items()]
        for least in FACTORS[:2]:
            pooled = [r for f, one in by_f.items() if f >= least for r in one]
            rows.append(row(f">= {least:g}", pooled))

    print(table(rows, list(rows[0])))
    save(rows, args.json)


if __name__ == "__main__":
    main()
