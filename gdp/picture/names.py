"""What results are called, and that they lie where they should."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# Bytes of a result's name: file systems take 255, NAME.compare.png and a temporary name need more.
LONGEST = 180


def result_names(photos: Sequence[tuple[Path, tuple[str, ...]]]) -> list[str]:
    """Name each photo's results.

    A name is the stem; where others have it, the file name; where they have that too, the stem
    and a number. No name begins with another one and a dot, as NAME.compare.png does: it has an
    underscore there.

    Args:
        photos: files, and the sub-folders that their names begin with.
    """
    # Stems where they differ; some file systems do not tell upper case from lower.
    stems = [plain_name("/".join((*folders, file.stem))) for file, folders in photos]
    whole = [plain_name("/".join((*folders, file.name))) for file, folders in photos]
    alike, same = Counter(map(str.casefold, stems)), Counter(whole)
    names = [s if alike[s.casefold()] == same[w] else w for s, w in zip(stems, whole, strict=True)]

    # No dot after another's name; then a number where a name is taken.
    bare = {name.casefold() for name in names}
    taken: set[str] = set()
    for i, name in enumerate(names):
        for dot in [m.start() for m in re.finditer(r"\.", name)]:
            if name[:dot].casefold() in bare:
                name = f"{name[:dot]}_{name[dot + 1 :]}"
        names[i], number = name, 2
        while names[i].casefold() in taken:
            names[i], number = f"{name}-{number}", number + 1
        taken.add(names[i].casefold())
    return names


def plain_name(name: str) -> str:
    """Make a relative name one that any file system and terminal bears.

    It has no control characters and no broken text, and no part of it is too long or empty.
    """
    printable = "".join(c if c.isprintable() else "_" for c in name)
    parts = [part.encode()[:LONGEST].decode(errors="ignore") for part in printable.split("/")]
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)


def path_inside(folder: Path, name: str) -> Path:
    """Give folder/name, a path that is sure to lie in the folder.

    Raises:
        ValueError: links, or `..` in the name, would have it lie outside.
    """
    target = folder / name
    try:
        inside = target.parent.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):  # a ring of links
        inside = False

    if not inside or target.name in ("", ".."):
        raise ValueError(
            f"{target} would lie outside {folder}, through a link in it; "
            "remove the link or choose another output="
        )
    return target
