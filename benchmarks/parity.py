"""Parity with the published code, number for number, on a folder of golden fixtures.

    python benchmarks/parity.py DIR [--allow-missing] [--json FILE]

One row per check of each fixture file in DIR: its name is the file's and the array's in it,
max_error is max |difference| over max |array|. What the product cannot do yet is `not_built`.
Exit code 1 on a fail, and on a not_built unless --allow-missing.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import save, table
from benchmarks.released.check_network import (
    check_keys,
    check_learned_range,
    check_schedule,
    check_unet,
)
from benchmarks.released.check_operators import check_operators
from benchmarks.released.check_samplers import check_ddnm, check_gdp, check_light, check_losses
from benchmarks.released.rows import Rows

COLUMNS = ("name", "max_error", "tolerance", "status")
CHECKS: dict[str, Callable[[Path], Rows]] = {
    "adm_keys_*.json": check_keys,
    "adm_tiny*.npz": check_unet,
    "schedule.npz": check_schedule,
    "learned_range.npz": check_learned_range,
    "operators*.npz": check_operators,
    "ddnm_traj.npz": check_ddnm,
    "gdp_traj.npz": check_gdp,
    "gdp_lowlight_*.npz": check_light,
    "losses.npz": check_losses,
}


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--allow-missing", action="store_true", help="not_built is no failure")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()

    rows = list(check(args.folder))
    if not rows:
        needed = f"holds no fixture; it needs files such as {', '.join(list(CHECKS)[:3])}"
        what = needed if args.folder.is_dir() else "is no folder"
        parser.exit(2, f"error: {args.folder} {what}\n")

    print(table(rows, COLUMNS))
    save(rows, args.json)
    bad = {"fail"} if args.allow_missing else {"fail", "not_built"}
    sys.exit(int(any(row["status"] in bad for row in rows)))


@torch.no_grad()
def check(folder: Path) -> Rows:
    """Yield the rows of every fixture in a folder.

    One that cannot be read, or has not the arrays and sizes of its name, fails as a whole.
    """
    for pattern, rows_of in CHECKS.items():
        for file in sorted(folder.glob(pattern)):
            try:
                for row in rows_of(file):
                    yield {**row, "name": f"{file.stem}.{row['name']}"}
            except Exception as error:
                print(f"{file.name}: {type(error).__name__}: {error}", file=sys.stderr)
                yield {"name": file.stem, "max_error": None, "tolerance": 0.0, "status": "fail"}


if __name__ == "__main__":
    torch.set_num_threads(1)  # as when the fixtures were made; and faster, on arrays so small
    main()
