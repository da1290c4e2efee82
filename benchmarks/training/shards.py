"""A large file as shards, for places that keep small files only; and back, whole or not at all.

NAME.1a2b3c4d.000 ...   less than 16 MiB each; 1a2b3c4d: of the whole's sha256
NAME.json               their names, and the sha256; it is written last, then the old ones go
"""

import json
import shutil
from pathlib import Path

from gdp.storage.files import atomic
from gdp.storage.fingerprint import sha256

MOST = 15 * 2**20  # bytes of a shard


def split(file: Path, folder: Path, most: int = MOST) -> list[Path]:
    """Write a file's shards into a folder, in place of those of the same name.

    Whenever it is killed, the shards before or the new ones are there, whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    digest, shards = sha256(file), list[Path]()
    with file.open("rb") as stream:
        while block := stream.read(most):
            shard = folder / f"{file.name}.{digest[:8]}.{len(shards):03d}"
            with atomic(shard) as temporary:
                temporary.write_bytes(block)
            shards.append(shard)

    known = {"shards": [shard.name for shard in shards], "sha256": digest}
    with atomic(folder / f"{file.name}.json") as temporary:
        temporary.write_text(json.dumps(known))
    for old in set(folder.glob(f"{file.name}.????????.[0-9][0-9][0-9]")) - set(shards):
        old.unlink()
    return shards


def join(name: str, folder: Path, file: Path) -> bool:
    """Make the file of its shards.

    Returns:
        Whether they were there.

    Raises:
        ValueError: shards are missing or damaged.
    """
    index = folder / f"{name}.json"
    if not index.is_file():
        return False
    known = json.loads(index.read_text())
    shards = [folder / shard for shard in known["shards"]]
    if missing := [shard.name for shard in shards if not shard.is_file()]:
        raise ValueError(
            f"{folder} lacks {missing[0]}, one of {len(shards)} shards of {name}; bring it, or "
            f"remove {index.name} to begin anew"
        )

    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic(file) as temporary:
        with temporary.open("wb") as out:
            for shard in shards:
                with shard.open("rb") as stream:
                    shutil.copyfileobj(stream, out)
        if sha256(temporary) != known["sha256"]:
            raise ValueError(
                f"the shards of {name} in {folder} are damaged; bring them again, or remove "
                f"{index.name} to begin anew"
            )
    return True
