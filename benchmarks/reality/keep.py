"""Rows that are kept as they come, so that a run that was cut off goes on."""

from collections.abc import Callable, Sequence
from pathlib import Path

from gdp.train import files as training_files


class Kept:
    """The rows in a file, each with what it was made of.

    Args:
        file: one row a line; None keeps nothing.
        size: of the crops.
        overrides: settings beside the tasks'.
    """

    def __init__(self, file: Path | None, size: int | None = None, overrides: Sequence[str] = ()):
        self.file = file
        self.origin = [str(size), *sorted(overrides)]
        self.rows: dict[str, dict] = {}
        if file is None:
            return

        # A kill may have cut the last line short.
        file.parent.mkdir(parents=True, exist_ok=True)
        kept = training_files.rows(file)
        if file.is_file() and not file.read_text().endswith("\n"):
            training_files.rewrite(file, kept)
        self.rows = {line["key"]: line["row"] for line in kept}

    def get(self, key: tuple[str, ...], make: Callable[[], dict]) -> dict:
        """The row of a key; made, and kept, where it is not there."""
        text = " ".join((*self.origin, *key))
        if text not in self.rows:
            self.rows[text] = make()
            if self.file is not None:
                training_files.append(self.file, {"key": text, "row": self.rows[text]})
        return self.rows[text]
