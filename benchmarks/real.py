"""Reality: photos of real cameras with their truth, and simulated phones, by ours and by others.

    python benchmarks/real.py [--pairs FOLDER] [--clean FOLDER] [--sets noise,phone,...]
        [--harm FOLDER] [--noise] [--out docs/real.md] [--json FILE] [--keep FILE]

FOLDER of --pairs holds SET/NAME_in.png and SET/NAME_gt.png (benchmarks/reality/pairs.py). Sets that
are made of clean photos (benchmarks/reality/simulated.py) take those of --clean, or scikit-image's.
Which tasks and which tools are tried on which set: benchmarks/reality/plan.py; tools whose library
is not installed are left out. Methods marked * know the truth.

--harm restores every photo of a folder, good ones too, and tells how far it moved; --noise tells
how well noise is estimated. --keep writes every row as it comes, and goes on from those kept: a run
may be cut off, and several may share the file.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import gdp
from benchmarks.common import save
from benchmarks.pages.real import tables, write
from benchmarks.reality.harm import HARM_TASKS, harm
from benchmarks.reality.keep import Kept
from benchmarks.reality.measure import measure
from benchmarks.reality.noise_found import noise_found
from benchmarks.reality.pairs import Crops, Pair, find_pairs, find_sets
from benchmarks.reality.plan import plan_of
from benchmarks.reality.simulated import SETS, clean_photos, simulate


def main() -> None:
    """Parse, run, print, save, write the page."""
    parser, args = arguments()
    try:
        with tempfile.TemporaryDirectory() as work:
            rows = list(run(args, Path(work)))
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")

    print(tables(rows))
    save(rows, args.json)
    if args.out:
        write(rows, args.out)


def arguments() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument

    # On what
    add("--pairs", type=Path, metavar="FOLDER", help="folders of pairs, one for each set")
    add("--clean", type=Path, metavar="FOLDER", help="clean photos for the sets that are made")
    add("--sets", help="names of sets or what they begin with (all); none: no pairs at all")
    add("--limit", type=int, help="the first N pairs of each set, or photos")
    add("--size", type=int, help="centre crops of this size, a multiple of 4")

    # By what
    add(
        "--tasks",
        help="instead of the plan's: task or task:key=value, separated by commas; or none",
    )
    add("--without-others", action="store_true", help="ours and the input only")
    add("--override", nargs="*", default=[], metavar="KEY=VALUE", help="any setting of run.py")

    # Other tables
    add("--harm", type=Path, metavar="FOLDER", help="photos that are to come to no harm")
    add("--noise", action="store_true", help="the noise that is estimated in clean photos made so")

    # Where it goes
    add("--keep", type=Path, metavar="FILE", help="rows, one a line")
    add("--json", metavar="FILE")
    out = "the page, with the pictures that it shows beside it"
    add("--out", type=Path, metavar="FILE", help=out)

    args = parser.parse_args()
    if args.size is not None and (args.size % 4 or args.size < 32):
        parser.error(f"--size {args.size}: it takes a multiple of 4 from 32")
    return parser, args


def run(args: argparse.Namespace, work: Path) -> Iterator[dict]:
    """Yield the rows of all tables, and show them on stderr as they come."""
    crops, kept = Crops(work, args.size), Kept(args.keep, args.size, args.override)
    prior = gdp.load_prior()
    tasks = None if args.tasks is None else args.tasks.replace("none", "").split(",")

    for name in sets(args):
        plan = plan_of(name, tasks)
        plan = plan._replace(families=()) if args.without_others else plan
        for pair in pairs(args, name, crops):
            yield from shown(measure(pair, plan, prior, args.override, kept))

    if args.harm:
        yield from shown(harm(args.harm, tasks or HARM_TASKS, prior, args.override, crops, kept))
    if args.noise:
        yield from shown(noise_found(clean_photos(args.clean, crops, args.limit)))


def sets(args: argparse.Namespace) -> list[str]:
    """The sets that are asked for.

    Raises:
        FileNotFoundError: none is of such a name.
    """
    known = [*(find_sets(args.pairs) if args.pairs else []), *SETS]
    if args.sets is None:
        return known
    if args.sets == "none":
        return []

    # A whole name stands for itself, a part for all that begin with it.
    wanted = args.sets.split(",")
    parts = tuple(word for word in wanted if word not in known)
    chosen = [name for name in known if name in wanted or (parts and name.startswith(parts))]
    if not chosen:
        raise FileNotFoundError(f"no set named {args.sets}; there are {', '.join(known)}")
    return chosen


def pairs(args: argparse.Namespace, name: str, crops: Crops) -> list[Pair]:
    """The pairs of a set, found or made."""
    if name in SETS:
        return simulate(name, clean_photos(args.clean, crops, args.limit), crops.work)
    return find_pairs(args.pairs, name, crops, args.limit)


def shown(rows: Iterator[dict]) -> Iterator[dict]:
    """The rows, each on stderr as it comes."""
    for row in rows:
        words = (f"{value:.4g}" if isinstance(value, float) else value for value in row.values())
        print(*words, file=sys.stderr, flush=True)
        yield row


if __name__ == "__main__":
    main()
