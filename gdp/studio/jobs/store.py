"""Jobs on the disk: a folder each, below one of the browser session that it belongs to.

ROOT/sessions/<sha256 of the session's cookie>/<job>/
    job.json     what is known of it
    in/          the photos
    mask.png     what to repair, if something is; kernel.png a blur's kernel, likewise
    view/        pictures for the page
    runs/<key>/  results of one choice of settings, as the command line writes them

A job is found by its id and its session's cookie only; both are random and long.
"""

import hashlib
import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from gdp.storage.files import atomic

ONE, BATCH = "one", "batch"  # kinds of jobs
NEW, QUEUED, RUNNING = "new", "queued", "running"  # states of jobs
DONE, FAILED, CANCELLED = "done", "failed", "cancelled"
JOB_ID = re.compile(r"[0-9a-f]{32}")
LONGEST = 100  # signs of a file's name
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # of Windows


@dataclass
class Job:
    """A photo, or a batch of them, with what is to be done and what was done."""

    id: str
    session: str  # the folder of its session
    kind: str = ONE
    created: float = 0.0  # seconds since 1970
    files: list[str] = field(default_factory=list)  # names in in/
    state: str = NEW
    words: list[str] = field(default_factory=list)  # settings, as on the command line
    key: str = ""  # of the latest run
    error: str = ""
    seconds: float = 0.0
    looked: dict[str, Any] = field(default_factory=dict)  # what was found in the photo
    photos: dict[str, dict[str, Any]] = field(default_factory=dict)  # of the latest run, by name
    remarks: list[str] = field(default_factory=list)

    @property
    def active(self) -> bool:
        """Whether it waits or runs."""
        return self.state in (QUEUED, RUNNING)


class Store:
    """The jobs of all sessions.

    Args:
        root: their folder; it is made, for this user alone.
    """

    def __init__(self, root: Path):
        self.sessions = root / "sessions"
        self.sessions.mkdir(parents=True, exist_ok=True, mode=0o700)

    def new(self, cookie: str, kind: str = ONE) -> Job:
        """A new job of a session, with its folders."""
        job = Job(secrets.token_hex(16), folder_of(cookie), kind, time.time())
        for name in ("in", "view", "runs"):
            (self.folder(job) / name).mkdir(parents=True, mode=0o700)
        self.save(job)
        return job

    def get(self, id: str | None, cookie: str) -> Job | None:
        """The job of that id, if it is this session's."""
        if not id or not JOB_ID.fullmatch(id):
            return None
        return self.read(self.sessions / folder_of(cookie) / id)

    def latest(self, cookie: str, kind: str = ONE) -> Job | None:
        """The newest job of a session, if it has any of that kind."""
        mine = [job for job in self.of(folder_of(cookie)) if job.kind == kind]
        return max(mine, key=lambda job: job.created, default=None)

    def of(self, session: str) -> list[Job]:
        """The jobs of a session's folder."""
        folders = [f for f in sorted((self.sessions / session).glob("*")) if f.is_dir()]
        return [job for job in map(self.read, folders) if job is not None]

    def all(self) -> Iterator[Job]:
        """Every job, the oldest first."""
        jobs = [job for folder in self.sessions.iterdir() for job in self.of(folder.name)]
        yield from sorted(jobs, key=lambda job: job.created)

    def folder(self, job: Job) -> Path:
        """Where a job lies."""
        return self.sessions / job.session / job.id

    def run(self, job: Job) -> Path:
        """Where the results of its latest run lie."""
        return self.folder(job) / "runs" / job.key

    def save(self, job: Job) -> None:
        """Write job.json, whole or not at all; a job that was deleted meanwhile stays so."""
        folder = self.folder(job)
        if not folder.is_dir():
            return
        with atomic(folder / "job.json") as temporary:
            temporary.write_text(json.dumps(asdict(job), ensure_ascii=True), encoding="utf-8")

    def read(self, folder: Path) -> Job | None:
        """The job in a folder; None where there is none."""
        try:
            content = json.loads((folder / "job.json").read_text(encoding="utf-8"))
            known = {f.name for f in fields(Job)}
            job = Job(**{name: value for name, value in content.items() if name in known})
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        return job if (job.id, job.session) == (folder.name, folder.parent.name) else None

    def delete(self, job: Job) -> None:
        """Remove all that is there of a job."""
        shutil.rmtree(self.folder(job), ignore_errors=True)

    def expire(self, seconds: float) -> None:
        """Remove jobs older than that which neither wait nor run, and empty sessions."""
        for job in self.all():
            if not job.active and time.time() - job.created > seconds:
                self.delete(job)
        for folder in self.sessions.iterdir():
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def folder_of(cookie: str) -> str:
    """The name of a session's folder; the cookie itself is nowhere on the disk."""
    return hashlib.sha256(cookie.encode()).hexdigest()[:40]


def key_of(words: Sequence[str], *files: Path) -> str:
    """A name for a run: the same settings and the same files beside the photo, the same name."""
    digest = hashlib.sha256(json.dumps(list(words)).encode())
    for file in files:
        digest.update(file.read_bytes() if file.is_file() else b"-")
    return digest.hexdigest()[:16]


def safe_name(name: str, taken: Sequence[str] = ()) -> str:
    """A file's name as it may be on any disk, and that no other has in its folder."""
    plain = re.sub(r"[^\w. ()+-]", "_", re.split(r"[/\\]", name)[-1]).strip(" .-")
    stem, dot, suffix = plain.rpartition(".")
    if not dot:
        stem, suffix = plain, ""
    stem, suffix = stem[: LONGEST - 12].strip(" .-"), suffix[:10]
    if not stem or RESERVED.fullmatch(stem):
        stem = f"photo_{stem}".rstrip("_")

    def named(number: int) -> str:
        several = f"-{number}" if number > 1 else ""
        return f"{stem}{several}.{suffix}" if suffix else f"{stem}{several}"

    number, lower = 1, {other.lower() for other in taken}
    while named(number).lower() in lower:
        number += 1
    return named(number)
