"""What each term of guidance=quality does to pairs of real cameras, at the tasks' own defaults.

    python benchmarks/measures/terms_real.py --pairs FOLDER [--limit N] [--size 160] [--json FILE]
        [OVERRIDE]

FOLDER holds SET/NAME_in.png and SET/NAME_gt.png (benchmarks/reality/pairs.py); whole photos, shrunk
to --size along the longer side. Rows: a set as it came, by its task as shipped, and with one term
on (or off, where it is on) in turn: PSNR of pairs at even and at odd places, and by how much the
term has changed the picture: PSNR against the picture as shipped. M and its total variation are no
terms, but of the fit of the light (operators/light/light_fit.py): only `lowlight` has them.
"""

import sys
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import measure_parser, save, table
from benchmarks.reality.ours import restore
from benchmarks.reality.pairs import Crops, Pair, find_pairs
from gdp.compose.configuration import build, compose
from gdp.prior.prior import Prior
from gdp.restore.scores.metrics import psnr
from operators.light import Light

SETS = {"lowlight_bracket": "lowlight", "exposure_bracket": "exposure"}
TERMS = [
    ("total_variation", 0),
    ("exposure", 1),
    ("colour_constancy", 1),
    ("spatial_consistency", 1),
    ("saturation", 1),
]
FREE = 1e3  # differences of M, in terms of f, that cost next to nothing
SAME = 99.0  # dB of pictures that do not differ


def shrunk(pixels: Tensor, size: int) -> Tensor:
    """Pixels [1, 3, H, W] with `size` along the longer side."""
    H, W = pixels.shape[-2:]
    r = min(1.0, size / max(H, W))
    return F.interpolate(pixels, (round(r * H), round(r * W)), mode="bilinear", antialias=True)


def small(pair: Pair, size: int) -> Pair:
    """A pair, shrunk."""
    photo = shrunk(pair.photo, size)
    return pair._replace(photo=photo, truth=shrunk(pair.truth, size), given=photo[0])


def cases(task: str) -> dict[str, tuple[list[str], bool]]:
    """What is tried with a task: names, with overrides and whether differences of M are free."""
    turned = {f"{name} {w}": ([f"guidance.terms.{name}.0={w}"], False) for name, w in TERMS}
    of_M = {"without M": (["operator.mask=false"], False), "without TV of M": ([], True)}
    return {"as shipped": ([], False), **turned, **(of_M if task == "lowlight" else {})}


def restored(
    task: str, pairs: list[Pair], prior: Prior, overrides: list[str], free: bool
) -> list[Tensor]:
    """Photos by a task; `free`: differences of M cost nothing."""
    kept = Light.light_fit
    Light.light_fit = replace(kept, smooth=FREE) if free else kept
    try:
        found = [restore(task, pair, prior, overrides) for pair in pairs]
    finally:
        Light.light_fit = kept
    return [one.pixels for one in found if one is not None]


def rows_of(name: str, pairs: list[Pair], prior: Prior, size: int, extra: list[str]) -> list[dict]:
    """A set's rows."""
    pairs = [small(pair, size) for pair in pairs]
    plain = [pair.photo for pair in pairs]
    rows = [row(name, "input", plain, pairs, plain)]
    for case, (words, free) in cases(SETS[name]).items():
        found = restored(SETS[name], pairs, prior, [*words, *extra], free)
        plain = found if case == "as shipped" else plain
        rows.append(row(name, case, found, pairs, plain))
        print(rows[-1], file=sys.stderr, flush=True)
    return rows


def row(
    name: str,
    case: str,
    found: list[Tensor],
    pairs: list[Pair],
    plain: list[Tensor],
) -> dict[str, Any]:
    """A set by one case: means over its photos."""
    scores = [float(psnr(a, pair.truth)) for a, pair in zip(found, pairs, strict=True)]
    moved = [min(SAME, float(psnr(a, b))) for a, b in zip(found, plain, strict=True)]
    return {
        "set": name,
        "case": case,
        "psnr_even": fmean(scores[::2]),
        "psnr_odd": fmean(scores[1::2]),
        "alike": fmean(moved),
        "brightness": fmean(float(a.mean()) for a in found),
    }


def main() -> None:
    """Parse, run, print, save."""
    args = measure_parser(__doc__, "--pairs", 160).parse_args()

    prior, rows = build(compose("task=lowlight", *args.override)).load_prior(), []
    with torch.no_grad():
        for name in SETS:
            pairs = find_pairs(args.pairs, name, Crops(Path()), args.limit)
            rows += rows_of(name, pairs, prior, args.size, args.override)
    print(table(rows, list(rows[0])))
    save(rows, args.json)


if __name__ == "__main__":
    main()
