"""docs/real.md from the results of benchmarks/real.py.

    python benchmarks/pages/real.py RESULTS.json [MORE.json ...] [--out docs/real.md]
        [--same-pictures]

Means of each set by method, what came to harm, and the noise that is found. Given photos are told
by figures only; the pictures are of the simulated phone on scikit-image's photos. Rows that the
results do not hold stay as the page has them; `of` says which version each row is of.
--same-pictures leaves those that the page has.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import fmean, median

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import meta, table
from benchmarks.pages.carried import OF, commands_of, merged, tables_of
from benchmarks.pages.real_pictures import drawn, pictures_of
from benchmarks.reality.scores import SCORES

PAGE = Path(__file__).parents[2] / "docs" / "real.md"
COLUMNS = (
    "method images failed psnr psnr_even psnr_odd ssim haarpsi stops moved gradients calls of"
).split()
HARM = "method photos failed nearest median farthest gradients with_truth change worst worse"
NOISE = "case images true found ratio least most dark middle bright of".split()
MEANS = (*SCORES, "stops", "moved", "gradients", "calls")
MADE = "Made by"
HARMED, NOISES = "No harm", "The noise that is found"
SLACK = {"psnr": 0.1, "ssim": 0.002, "haarpsi": 0.002}  # by which a photo may get worse
HEAD = """# Reality: photos of cameras, and simulated phones

Our tasks at their defaults (in bold) against what one line of another library does, on pairs of \
a degraded photo and its truth: rows of
`benchmarks/real.py`, this page by `benchmarks/pages/real.py`. PSNR (its even and odd photos \
apart: constants are chosen on even ones), SSIM
and HaarPSI (piq) over RGB, after rounding to 8 bits; camera shake is aligned within 8 pixels \
first; `stops` is the rms of log2(light) after
the best gain. `moved` is the PSNR against the input, `gradients` the energy of gradients over the \
input's: far above 1, something was
drawn. `calls` are those of the network. Methods marked \\* know the truth, which nobody does: \
`opencv_nlm_best*` is, for each photo, the best
of h = 3, 5 and 10. A photo that a method refuses counts as `failed` and is in none of its means.
`of` is the version that made a row: other tools' rows do not change with ours.

Photos of real cameras are crops of public research sets and are not shown; sets whose names begin \
with phone, white, grey, sharp and soft
are made of clean photos (`benchmarks/reality/simulated.py`). `phone` is a camera: unprocessing \
(Brooks et al. 2019), a Bayer filter, photon
and read noise, demosaicking (Malvar et al. 2004), a JPEG of quality 92 (mild) or 88 (strong): \
`benchmarks/phone.py`.
"""
NO_HARM = """Every photo of a folder, good ones too. `nearest`, `median` and `farthest`: PSNR \
against the input; `gradients`: the largest; `change` and
`worst`: PSNR against the truth minus the input's, `worse` the photos that lost more than 0.1 dB, \
or 0.002 of SSIM or HaarPSI.
"""
FOUND = """The std of the noise by one photo, against its true rms. `ratio` is the median of \
found / true, `least` and `most` its
ends; `dark`, `middle` and `bright` the same over thirds of the pixels.
"""


def main() -> None:
    """Read the results, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=PAGE)
    parser.add_argument("--same-pictures", action="store_true")
    args = parser.parse_args()

    kept = [json.loads(file.read_text()) for file in args.results]
    rows = [row | {OF: data["meta"]["commit"]} for data in kept for row in data["rows"]]
    write(rows, args.out, [data["meta"] for data in kept], args.same_pictures)


def write(
    rows: list[dict], page: Path, runs: Iterable[dict] | None = None, same_pictures: bool = False
) -> None:
    """Write the page, and its pictures beside it; rows that it has and these have not stay.

    Args:
        rows: of all tables; those without a version are of this one.
        page: of which photos, and how large, the rows that stay must be as well.
        runs: how they were made, as `meta` tells it.
        same_pictures: whether those of the page stay.
    """
    runs = [meta()] if runs is None else list(runs)
    rows = [{OF: runs[-1]["commit"]} | row for row in rows]
    before = page.read_text() if page.is_file() else ""

    made = [f"{anywhere(run['command'])}  # {run['commit']}" for run in runs]
    made += [line for line in commands_of(before, MADE) if line not in made]
    pictures = pictures_of(before) if same_pictures else drawn(page)
    text = tables(rows, tables_of(before))
    page.write_text(f"{HEAD}{pictures}\n{text}\n\n{MADE}\n\n    " + "\n    ".join(made) + "\n")


def anywhere(command: str) -> str:
    """A command without the folders of the machine that it ran on."""
    words = shlex.split(command)
    return shlex.join(Path(word).name if Path(word).is_absolute() else word for word in words)


def tables(rows: list[dict], before: dict[str, list[dict]] | None = None) -> str:
    """Every table that rows make, in Markdown, with the rows before them that still hold."""
    before = before or {}
    pairs, harmed, found = (
        [row for row in rows if row["table"] == name] for name in ("pairs", "harm", "noise")
    )

    # One of each set, without the columns that nothing is in
    parts, others = [], (HARMED, NOISES)
    for name in dict.fromkeys([*before, *(row["set"] for row in pairs)]):
        if name not in others:
            means = means_of([row for row in pairs if row["set"] == name])
            means = merged(means, before.get(name, []), "method")
            columns = [c for c in COLUMNS if c == "method" or any(row.get(c) for row in means)]
            parts.append(f"## {name}\n\n{table(means, columns)}")

    harm = harm_of(harmed) or before.get(HARMED, [])
    if harm:
        parts.append(f"## {HARMED}\n\n{NO_HARM}\n{table(harm, HARM.split())}")
    found = merged(found, before.get(NOISES, []), "case")
    if found:
        columns = [c for c in NOISE if any(row.get(c) for row in found)]
        parts.append(f"## {NOISES}\n\n{FOUND}\n{table(found, columns)}")
    return "\n\n".join(parts)


def means_of(rows: list[dict]) -> list[dict]:
    """A row for each method of a set: its means over photos."""
    out = []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method]
        good = [row for row in mine if "error" not in row]
        halves = {
            f"psnr_{half}": mean(row.get("psnr") for row in good if row["half"] == half)
            for half in ("even", "odd")
        }
        out.append(
            {
                "method": f"**{method}**" if mine[0]["kind"] == "ours" else method,
                "images": len(good),
                "failed": len(mine) - len(good),
                **{name: mean(row.get(name) for row in good) for name in MEANS},
                **halves,
                OF: mine[-1].get(OF),
            }
        )
    return out


def harm_of(rows: list[dict]) -> list[dict]:
    """A row for each task: how far it moved photos, and the worst that it did."""
    out = []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method]
        moved = [row["moved"] for row in mine if "moved" in row]
        told = [row for row in mine if "change_psnr" in row]
        changes = [row["change_psnr"] for row in told]
        out.append(
            {
                "method": f"**{method}**",
                "photos": len(mine),
                "failed": sum("error" in row for row in mine),
                "nearest": max(moved, default=None),
                "median": median(moved) if moved else None,
                "farthest": min(moved, default=None),
                "gradients": max((r["gradients"] for r in mine if "gradients" in r), default=None),
                "with_truth": len(told),
                "change": mean(changes),
                "worst": min(changes, default=None),
                "worse": sum(is_worse(row) for row in told),
            }
        )
    return out


def is_worse(row: dict) -> bool:
    """Whether a photo lost more than may be in any score."""
    return any(row[f"change_{score}"] < -most for score, most in SLACK.items())


def mean(values: Iterable[float | None]) -> float | None:
    """Average what there is; None where nothing is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


if __name__ == "__main__":
    main()
