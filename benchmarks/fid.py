"""FID and KID between two folders of pictures.

    python benchmarks/fid.py RESULTS TRUTH [--protocol clean] [--weights FILE | --download]
        [--json FILE]

By clean-fid's protocol; `--protocol legacy` is pytorch-fid's, as the tables of papers before 2022
have it. A folder of this program's results gives its results alone, without the pictures that
compare them. The weights are pytorch-fid's pt_inception-2015-12-05-6726825d.pth (96 MB), or the
TorchScript inception-2015-12-05.pt of clean-fid: a file, or where scores.weights is looked for;
`--download` fetches the first.
"""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gdp.picture.find import SUFFIXES
from gdp.report.summary import entries, file_of
from gdp.restore.scores.fid import fid, kid
from gdp.restore.scores.inception import PROTOCOLS, Network, features, load
from gdp.restore.scores.weights import locate
from gdp.storage.files import atomic

INCEPTION = "pt_inception-2015-12-05-6726825d.pth"
FEW = 2048  # pictures below which FID is mostly chance


def main(arguments: list[str] | None = None) -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--protocol", choices=PROTOCOLS, default="clean")
    parser.add_argument("--weights", type=Path, metavar="FILE")
    parser.add_argument("--download", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(arguments)

    try:
        network = load(args.weights or locate(INCEPTION, fetch=args.download))
        row = measure(args.results, args.truth, network, args.protocol)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")

    print(f"FID {row['fid']:.3f}   KID {1000 * row['kid']:.3f} / 1000   ({row['protocol']})")
    if min(row["pictures"]) < FEW:
        print(
            f"of {row['pictures'][0]} and {row['pictures'][1]} pictures: compare it only with "
            "others of as many"
        )
    if args.json:
        with atomic(args.json) as temporary:
            temporary.write_text(json.dumps(row, indent=1))


def measure(results: Path, truth: Path, network: Network, protocol: str = "clean") -> dict:
    """FID and KID of two folders.

    Raises:
        OSError: a folder has no pictures.
        ValueError: it has too few.
    """
    files = [pictures(folder) for folder in (results, truth)]
    a, b = (features(some, network, PROTOCOLS[protocol]) for some in files)
    counts = [len(some) for some in files]
    return {"protocol": protocol, "pictures": counts, "fid": fid(a, b), "kid": kid(a, b)}


def pictures(folder: Path) -> list[Path]:
    """The pictures of a folder; of one with this program's reports, their results.

    Raises:
        FileNotFoundError: there are none.
    """
    made = [folder / file_of(entry) for entry in entries(folder)] if folder.is_dir() else []
    found = made or [file for file in sorted(folder.glob("*")) if file.suffix.lower() in SUFFIXES]
    if not found:
        raise FileNotFoundError(f"no pictures in {folder}; give two folders of them")
    return found


if __name__ == "__main__":
    main()
