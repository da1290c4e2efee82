"""The field in one table: our default, the other samplers, deepinv's, and the classical methods.

    python benchmarks/field.py --out FOLDER [--images DIR] [--skip N] [--limit 2] [--many]
        [--page FILE.md] [--beside OTHER_FOLDER]

The rows of docs/benchmarks.md by one command, which goes on where it was cut off. Without --images
the photos are scikit-image's public-domain ones. Rows of libraries that are not installed are left
out: pip install -e '.[bench]' brings deepinv, OpenCV and matplotlib. The page is written to --page,
FOLDER/benchmarks.md if nothing is said, and its plot beside it. With --beside, the comparison that
a run on other photos came to, in its own --out, is a section of the page.
"""

import argparse
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import quality
from benchmarks.common import meta
from benchmarks.pages.field import on_other_photos, page
from benchmarks.reality.simulated import PUBLIC, public
from gdp.picture import picture_of

TASKS = (
    "sr4",
    "sr4:sigma_y=0.05",
    "inpaint_random",
    "deblur",
    "denoise:sigma_y=0.1",
    "denoise:sigma_y=0.2",
    "compressed_sensing",
    "colorize",
)

# Network calls of each; `own` is a default's. With --many, those that are said to need many
SAMPLERS = (
    *("auto@own@1@5@20", "gdp_linesearch@20", "ddnm@20", "ddrm@20", "diffpir@20", "dds@20"),
    "pigdm@20",
)
DEEPINV = ("deepinv_ddrm@20", "deepinv_diffpir@20", "deepinv_dps@40")
MANY = (
    *("ddnm@100", "daps@96", "reddiff@60", "dps@60", "mcg@40", "repaint@60", "ilvr@60"),
    *("sdedit@60", "gdp_xt@60"),
)


def main(arguments: list[str] | None = None) -> None:
    """Make the rows that are missing, then the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="FOLDER", help="where rows are kept")
    add("--images", type=Path, help="folder of clean photos (scikit-image's)")
    add("--skip", type=int, default=0, help="pass over the first N photos by name")
    add("--limit", type=int, help="the first N of the others")
    add("--size", type=int, default=96, help="centre crops of this size (96)")
    add("--tasks", default=",".join(TASKS))
    add("--samplers", default=",".join(SAMPLERS))
    add("--many", action="store_true", help="the samplers that want many calls, too: an hour more")
    add("--page", type=Path, metavar="FILE.md")
    add("--only-kept", action="store_true", help="the page of the rows in --out, none made")
    add("--beside", type=Path, metavar="FOLDER", help="--out of a run on other photos")
    args = parser.parse_args(arguments)

    # The photos, and the samplers that can be had
    images = args.images or pictures(args.out / "photos")
    known = importlib.util.find_spec("deepinv") is not None
    more = (*(DEEPINV if known else ()), *(MANY if args.many else ()))
    samplers = ",".join((args.samplers, *more))
    try:
        chosen = quality.chosen(
            images,
            **{"tasks": args.tasks, "samplers": samplers, "nfe": "20", "size": args.size},
            **{"skip": args.skip, "limit": args.limit, "out": args.out},
            only_kept=args.only_kept,
        )
        rows = list(quality.run(chosen))
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")

    # The page, with its plot beside it
    quality.keep(rows, args.out, command(args))
    other = args.beside and json.loads((args.beside / "results.json").read_text())
    file = args.page or args.out / "benchmarks.md"
    file.write_text(page(rows, meta(command(args))) + (on_other_photos(other) if other else ""))
    plot = args.out / "pareto.png"
    if plot.is_file() and plot.resolve() != file.with_name("pareto.png").resolve():
        shutil.copy(plot, file.with_name("pareto.png"))
    print(f"{file}: {len(rows)} rows")


def command(args: argparse.Namespace) -> str:
    """The line that makes the table, with folders by their names alone."""
    photos = f" --images {args.images.name}" if args.images else ""
    limit = f" --limit {args.limit}" if args.limit else ""
    many = " --many" if args.many else ""
    more = f" --skip {args.skip}{limit} --size {args.size}{many}"
    return f"python benchmarks/field.py --out {args.out.name}{photos}{more}"


def pictures(folder: Path) -> Path:
    """Write scikit-image's public-domain photos to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PUBLIC:
        picture_of(public(name)).save(folder / f"{name}.png")
    return folder


if __name__ == "__main__":
    with torch.no_grad():
        main()
