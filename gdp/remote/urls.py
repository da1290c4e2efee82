"""URLs of storage, and the file systems behind them. Credentials are fsspec's business."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://.")
WEB = ("http", "https")  # weights come from there by gdp.storage.download
# What has to be installed for a protocol
PACKAGES = {
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss", "adl"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    "hf": "huggingface_hub",
}
SIGNS = set("*?[")  # of globs


def is_url(path: Any) -> bool:
    """Whether a setting's value names files of some storage, and not of a disk or the web."""
    found = URL.match(path) if isinstance(path, str) else None
    return found is not None and found[1].lower() not in WEB


def protocol_of(url: str) -> str:
    """What a URL begins with: s3, memory ..."""
    found = URL.match(url)
    return found[1].lower() if found else "file"


def check(url: str) -> None:
    """Raise ValueError at a URL that holds a password: it would stand in reports."""
    parts = urlsplit(url)
    if parts.password or "sig=" in parts.query:
        raise ValueError(
            f"a URL of {protocol_of(url)}:// holds a password or a signature, which reports would "
            "show; leave it to fsspec's files of settings (~/.config/fsspec) or the environment"
        )


def open_url(url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path in it.

    Raises:
        ValueError: no such protocol is known, or what it needs is not installed.
    """
    import fsspec

    check(url)
    name = protocol_of(url)
    package = PACKAGES.get(name, name)
    try:
        with told(url):
            system, path = fsspec.core.url_to_fs(url)
    except ImportError:
        raise ValueError(
            f"{url} needs the package {package}, which is not installed: pip install {package}"
            + (", or gdp-restore[storage]" if package == "s3fs" else "")
        ) from None
    except ValueError as error:
        if "rotocol" not in str(error):
            raise
        known = ", ".join(f"{one}://" for one in (*PACKAGES, "memory"))
        raise ValueError(f"{url}: no storage is known by {name}://; there are {known}") from None
    return system, str(path)


@contextmanager
def told(url: str) -> Iterator[None]:
    """Turn what a storage's client raises within the block into an OSError of one line."""
    try:
        yield
    except (OSError, ValueError, ImportError) as error:
        text = " ".join(str(error).split())
        if isinstance(error, OSError) and url not in text:
            raise type(error)(f"{url}: {text or type(error).__name__}") from error
        raise
    except Exception as error:  # of its own kinds: botocore's, paramiko's ...
        text = " ".join(str(error).split())
        raise OSError(f"{url}: {type(error).__name__}: {text}") from error


def joined(folder: str, name: str) -> str:
    """The URL or path of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}" if is_url(folder) else str(Path(folder) / name)


def name_of(url: str) -> str:
    """The last part of a URL or path."""
    return url.rstrip("/").rpartition("/")[2]
