"""Where the files are that come with the program."""

from pathlib import Path

HERE = Path(__file__).resolve().parent
CONF = HERE / "conf" if (HERE / "conf").is_dir() else HERE.parent / "conf"  # in an installed package, and in the sources
SAMPLE = HERE / "samples" / "cat.png"
