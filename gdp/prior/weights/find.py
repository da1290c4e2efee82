"""Where a file of weights is: at hand, or to be downloaded; and whether it is the right one."""

import logging
from pathlib import Path

from gdp.storage import fingerprint
from gdp.storage.download import download
from gdp.storage.places import BUNDLED, cache_folder, expand

log = logging.getLogger("gdp.prior.weights")


def locate(
    path: str, url: str | None = None, sha256: str | None = None, page: str | None = None
) -> Path:
    """Find a file of weights, or download it into the user's cache folder.

    Args:
        path: a file, or the name of a bundled, cached or downloadable one.
        url: where a program gets it from.
        sha256: of the file there.
        page: where a person gets it from.

    Raises:
        FileNotFoundError: it is not there; says how to get it.
    """
    file = at_hand(path)
    if file is not None:
        return file

    name, cache = Path(path).name, cache_folder()
    if url is None and page is None:
        raise FileNotFoundError(
            f"no weights at {path}; give prior.path= of a .safetensors or .pt file"
        )
    if url is None:
        raise FileNotFoundError(
            f"{name} cannot be fetched by a program; "
            f"get it from {page} and put it at {cache / name}"
        )

    log.info("downloading %s to %s", url, cache)
    try:
        return download(url, cache / name, sha256)
    except (OSError, ValueError) as error:
        wrong = isinstance(error, ValueError)
        what = "arrived with another sha256 than expected" if wrong else "cannot be downloaded"
        why = "" if wrong else f": {' '.join(str(error).split())[:160]}"
        raise FileNotFoundError(
            f"{name} {what} ({url}{why}); fetch it where you can and put it at {cache / name}, "
            "or ask again: what has arrived is kept"
        ) from None


def at_hand(path: str) -> Path | None:
    """The file of weights of this name, if this machine has it.

    It may be a file's path, or the name of a bundled file or of one in the user's cache folder.
    """
    for file in (expand(path), BUNDLED / path):
        if file.is_file():
            return file
    cached = cache_folder() / Path(path).name
    return cached if cached.is_file() else None


def verify(file: Path, sha256: str | None, afresh: bool = False) -> str:
    """The sha256 of a file.

    Args:
        file: the file.
        sha256: what it must be, if that is known.
        afresh: read the file, though it has not changed since it was read last.

    Raises:
        ValueError: another one is expected.
    """
    digest = fingerprint.sha256(file) if afresh else fingerprint.remembered_sha256(file)
    if sha256 and digest != sha256.lower():
        raise ValueError(
            f"{file} has sha256 {digest[:12]}..., expected {sha256[:12]}...: "
            "it is damaged or another file; delete it to fetch it again, "
            "or load it knowingly with prior.sha256=null"
        )
    return digest
