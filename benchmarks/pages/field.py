"""docs/benchmarks.md from the results of benchmarks/field.py, which calls `page`.

    python benchmarks/pages/field.py FOLDER/results.json [--long FILE.json]
        [--ablation "words@FILE.json" ...]

Our default against the best of the others, score by score; the plot of quality over network calls;
every row; the same against results that took many more calls (`--long`); and what each ingredient
of `anchored` is worth, from one results file per change.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import short, table
from benchmarks.intervals import differences, interval

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
SCORES = ("psnr", "ssim", "haarpsi")

# Ours, ours under another name, and what is chosen by the truth
NOT_RIVALS = ("auto", "anchored", "tv_best")
COLUMNS = "sampler nfe psnr from to ssim haarpsi null_energy consistency seconds_per_image".split()
INTRO = """# The field in one table

Every sampler on the same photos, operators, prior, noise and seeds; made by `benchmarks/field.py`.
`nfe` is the number of \
network calls; those of `dps`, `mcg` and `pigdm` go forward and backward, at three times the \
price. `pinv` is A^+ y, `bicubic` and `input` what
they say; `auto` with one call is the prior's posterior mean where y is a noisy photo. Classical \
methods are told A and the noise
(`benchmarks/classical.py`); `tv_best` is at the best of four weights, chosen by the truth, which \
no user could do. Samplers marked
`deepinv_` are that library's, on the same prior, with its own constants.

PSNR, SSIM and HaarPSI (piq) are of one sample, PSNR with the 95 % interval of its mean over \
photos and seeds (bootstrap). Few photos
make wide intervals, since photos differ; the gain over another method is surer, as it is taken \
photo by photo. `null_energy` is the
energy of what the operator cannot see, relative to the truth's: 1 is as sharp as the truth, less \
is blur, more is noise or invention; a
blur can score a high PSNR. The seconds are of a machine that may have been busy: compare `nfe`. \
A sampler without a row was not run.

`python benchmarks/peers.py --repo FOLDER --images DIR --out FOLDER` puts the rows of a checkout \
of DDNM or GDP, their own scripts on our
weights, into such a table.

The table before this one was of the first version of `photo64` and of six other photos at \
128x128. On these, with 20 calls, `auto` has
come from 24.83 to 24.92 dB (sr4), 23.31 to 23.54 (sr4 with noise), 30.74 to 31.10 \
(inpaint_random) and 26.34 to 26.47 (deblur); noise
alone is taken off by one call now, since 20 are .3 to .5 dB worse, as the rows show. Of colours a \
grey picture is the safest guess, so
PSNR favours `pinv` for colorize; HaarPSI does not.
"""


def main() -> None:
    """Read the results, write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument(
        "--long", type=Path, metavar="FILE", help="results of far more calls, on fewer pixels"
    )
    parser.add_argument("--ablation", nargs="*", default=[], metavar="WORDS@FILE")
    args = parser.parse_args()

    data = json.loads(args.results.read_text())
    pairs = (argument.rpartition("@") for argument in args.ablation)
    changes = {words: json.loads(Path(file).read_text()) for words, _, file in pairs}

    long = against_many_calls(json.loads(args.long.read_text())) if args.long else ""
    worth = ablation(changes) if changes else ""
    PAGE.write_text(page(data["rows"], data["meta"]) + long + worth)
    picture = args.results.with_name("pareto.png")
    if picture.is_file():
        shutil.copy(picture, PAGE.with_name("pareto.png"))


def compare(rows: list[dict]) -> str:
    """Tabulate our default against the best other sampler, a line a task."""
    tasks = dict.fromkeys(row["task"] for row in rows)
    verdicts = [v for task in tasks if (v := verdict(task, rows)) is not None]
    scores = (column for score in SCORES for column in (score, f"{score}_gain", f"{score}_by"))
    return table(verdicts, ["task", "nfe", *scores, "null_energy"])


def against_many_calls(data: dict) -> str:
    """Write the section of results that took far more calls."""
    intro = "On small crops, where a thousand calls can be had:"
    command, rows = data["meta"]["command"], compare(data["rows"])
    return f"\n## Against a thousand calls\n\n{intro}\n\n```sh\n{command}\n```\n\n{rows}\n"


def page(rows: list[dict], meta: dict) -> str:
    """Write the page in Markdown."""
    tasks = list(dict.fromkeys(row["task"] for row in rows))
    origin = f"Commit {meta['commit']}, {meta['hardware']}, torch {meta['versions'].get('torch')}."
    parts = [
        INTRO,
        f"```sh\n{meta['command']}\n```\n\n{origin}\n",
        "## Our default against the best of the others\n",
        "A plus is in our favour, with the 95 % interval of the mean difference, photo by photo; "
        "`by` is the method that\ncomes nearest, or is ahead: any sampler, and any classical "
        "method but `tv_best`.\n",
        compare(rows) + "\n",
        "![quality over network calls](pareto.png)\n\n## All rows\n",
    ]

    # A table a task, the best rows first
    for task in tasks:
        mine = sorted((row for row in rows if row["task"] == task), key=lambda row: -row["psnr"])
        parts += [f"### {task}\n\n{table([with_ends(row) for row in mine], COLUMNS)}\n"]
    return "\n".join(parts)


def on_other_photos(data: dict) -> str:
    """Write the section of the same comparison on photos of another kind."""
    intro = (
        "The same comparison where the photos are of another kind, which none was tuned on either:"
    )
    command, rows = data["meta"]["command"], compare(data["rows"])
    return f"\n## On other photos\n\n{intro}\n\n```sh\n{command}\n```\n\n{rows}\n"


def ablation(changes: dict[str, dict]) -> str:
    """Write the section of PSNR, HaarPSI and null energy of every change, task by task."""
    rows = []
    for words, data in changes.items():
        cells = {
            r["task"]: f"{r['psnr']:.2f} / {r['haarpsi']:.3f} / {r['null_energy'] or 1:.2f}"
            for r in data["rows"]
            if r["nfe"]
        }
        rows.append({"anchored with": words, **cells})

    command = next(iter(changes.values()))["meta"]["command"].partition(" --override")[0]
    intro = (
        "PSNR / HaarPSI / null energy (1 where the operator sees everything) at 20 calls, "
        "each change alone:"
    )
    parts = [
        "\n## What each ingredient is worth",
        intro,
        f"```sh\n{command} --override CHANGE\n```",
        table(rows, list(rows[0])) + "\n",
    ]
    return "\n\n".join(parts)


def with_ends(row: dict) -> dict:
    """Add the interval of a row's PSNR, where its photos are known one by one."""
    if "each" not in row:
        return row
    return row | dict(zip(("from", "to"), interval(row["each"]["psnr"]), strict=True))


def verdict(task: str, rows: list[dict]) -> dict | None:
    """Measure how far our default is ahead of the best other method, in each score."""
    mine = [row for row in rows if row["task"] == task]
    ours = [row for row in mine if row["sampler"] == "auto"]
    others = [row for row in mine if row["sampler"] not in NOT_RIVALS]
    if not ours or not others:
        return None

    best = next((row for row in ours if row.get("steps") == "auto"), ours[-1])
    found = {"task": task, "nfe": best["nfe"], "null_energy": best["null_energy"]}
    for score in SCORES:
        rival = max(others, key=lambda row: row[score])
        found |= {
            score: best[score],
            f"{score}_gain": gain(best, rival, score),
            f"{score}_by": f"{rival['sampler']} {rival['nfe'] or ''}".strip(),
        }
    return found


def gain(ours: dict, other: dict, score: str) -> str:
    """Write by how much our row is ahead in a score, and its interval where photos are known."""
    ahead = f"{ours[score] - other[score]:+.3g}"
    if "each" not in ours or "each" not in other:
        return ahead
    ends = interval(differences(ours["each"][score], other["each"][score]))
    return f"{ahead} ({short(ends[0])} to {short(ends[1])})"


if __name__ == "__main__":
    main()
