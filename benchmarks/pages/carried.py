"""Rows of a page that a new run has not made anew: they stay, each with the version that it is of.

A row is replaced by one of the same heading and first cell. Rows of another number of images than
the new ones of their heading are dropped: they are of other photos.
"""

from collections.abc import Sequence
from itertools import takewhile

Row = dict[str, object]
OF, BEFORE = "of", "older"  # the column of versions, and what it says where a page had none


def tables_of(page: str) -> dict[str, list[Row]]:
    """The tables of a page in Markdown by their headings, a row as the text of its cells."""
    out: dict[str, list[Row]] = {}
    for part in page.split("\n## ")[1:]:
        heading, *lines = part.splitlines()
        at = next((i for i, line in enumerate(lines) if line.startswith("|")), None)
        if at is not None:
            block = list(takewhile(lambda line: line.startswith("|"), lines[at:]))
            names, _, *rows = [[c.strip() for c in line.strip("|").split("|")] for line in block]
            out[heading] = [dict(zip(names, cells, strict=True)) for cells in rows]
    return out


def commands_of(page: str, heading: str) -> list[str]:
    """The lines below `heading` that are set as code."""
    _, found, after = page.partition(f"\n{heading}\n")
    lines = after.splitlines() if found else []
    return [line.strip() for line in lines if line.startswith("    ")]


def merged(new: Sequence[Row], before: Sequence[Row], first: str) -> list[Row]:
    """The new rows, with those before them that they do not replace, in the order before.

    Args:
        new: of one heading; none leaves what was.
        before: of the same heading, as `tables_of` has them.
        first: the column that a row is known by.
    """
    images = {str(row["images"]) for row in new}
    fresh = {row[first]: row for row in new}
    kept = [
        fresh.pop(row[first], {**row, OF: row.get(OF, BEFORE)})
        for row in before
        if row[first] in fresh or not images or str(row.get("images")) in images
    ]
    return [*kept, *fresh.values()]
