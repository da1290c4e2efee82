"""All that a server has: jobs, the queue, and a process that looks at photos meanwhile."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdp.storage.lock import take_lock
from gdp.studio.jobs.hands import DiedError, Hands
from gdp.studio.jobs.line import DIED, Line
from gdp.studio.jobs.store import BATCH, ONE, Job, Store, safe_name

LOOK_LIMIT = 120.0  # seconds that looking at a photo may take
MOST_FILES = 5000  # of a batch


class Refused(ValueError):  # noqa: N818 (what the page shows, not a fault)
    """A request that cannot be met; the text is the page's."""


class Studio:
    """The state of a server.

    Args:
        root: the folder of jobs; one server has it at a time.
        workers: photos restored at a time.
        keep: seconds after which jobs are removed.
        most: pixels that a photo may have.
        places: files and folders that may be named by their path.
        lang: auto, or the language of all pages.
    """

    def __init__(
        self,
        root: Path,
        workers: int = 1,
        keep: float = 7 * 86400.0,
        most: int = 64_000_000,
        places: Sequence[Path] = (),
        lang: str = "auto",
    ):
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.most, self.places, self.lang = most, list(places), lang
        self.handle = take_lock(root / "lock", root)
        self.store = Store(root)
        self.line = Line(self.store, root / "log.txt", workers, keep)
        self.looker = Hands(root / "log.txt", "ready")

    def start(self) -> None:
        """Begin to work; jobs that a killed server left go on."""
        self.looker.start()
        self.line.start()

    def end(self) -> None:
        """End all processes."""
        self.line.end()
        self.looker.end()

    def add(self, cookie: str, files: Sequence[tuple[Path, str]], kind: str = ONE) -> Job:
        """A new job of photos, which are copied.

        Args:
            cookie: the session's.
            files: each photo's file, and its name as the user knows it.
            kind: one photo (or the exposures of one scene), or a batch.

        Raises:
            Refused: there are none, or too many.
        """
        if not files or len(files) > MOST_FILES:
            raise Refused(f"{len(files)} files; a batch has 1 to {MOST_FILES}")
        job = self.store.new(cookie, kind)
        for file, name in files:
            job.files.append(safe_name(name, job.files))
            shutil.copyfile(file, self.store.folder(job) / "in" / job.files[-1])
        self.store.save(job)
        return job

    def look(self, job: Job) -> Job:
        """Look at a job's first photo, and make its pictures for the page.

        Raises:
            Refused: it is no photo; the job is removed.
        """
        folder = self.store.folder(job)
        request = {
            "do": "look",
            "file": str(folder / "in" / job.files[0]),
            "view": str(folder / "view"),
            "most": self.most,
        }
        end = self.ask(request)
        if "looked" not in end:
            self.store.delete(job)
            raise Refused(end.get("error") or DIED)
        job.looked = end["looked"]
        self.store.save(job)
        return job

    def select(self, job: Job, x: float, y: float, how: str, tolerance: float) -> Path:
        """The mask of what a click selects, a file of the job's.

        Raises:
            Refused: it cannot be found.
        """
        folder = self.store.folder(job) / "view"
        stem = Path(job.files[0]).stem
        picture = next(f for f in (folder / f"{stem}.png", folder / f"{stem}.jpg") if f.is_file())
        out = folder / "selected.png"
        request = {"do": "select", "file": str(picture), "x": x, "y": y, "how": how}
        end = self.ask({**request, "tolerance": tolerance, "out": str(out)})
        if end.get("error") or end.get("stopped"):
            raise Refused(end.get("error") or DIED)
        return out

    def mark(self, job: Job, name: str, content: bytes) -> bool:
        """Take a picture for a job's mask, or its blur's kernel; whether anything is white in it.

        Args:
            job: the job.
            name: mask or kernel.
            content: the picture's file; empty takes it away.

        Raises:
            Refused: it is no picture.
        """
        folder = self.store.folder(job)
        file, given = folder / f"{name}.png", folder / "view" / f"{name}.given"
        if not content:
            file.unlink(missing_ok=True)
            return False
        given.write_bytes(content)
        size = job.looked.get("size") if name == "mask" else None
        request = {"do": "mark", "file": str(given), "out": str(file), "size": size}
        end = self.ask({**request, "most": self.most})
        given.unlink(missing_ok=True)
        if end.get("error") or end.get("stopped"):
            raise Refused(end.get("error") or DIED)
        return bool(end["white"])

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Have the looking process do something."""
        try:
            return self.looker.ask(request, limit=LOOK_LIMIT)
        except DiedError:
            return {"error": DIED}

    def of_path(self, path: str, kind: str) -> list[tuple[Path, str]]:
        """The photos at a path of this machine, where the studio was started with it.

        Raises:
            Refused: it lies elsewhere, or there is none.
        """
        try:
            place = Path(path).expanduser().resolve()
            allowed = any(place == p or p in place.parents for p in self.places)
        except (OSError, RuntimeError, ValueError):
            allowed = False
        if not allowed:
            raise Refused("place")
        from gdp.picture import find_photos

        try:
            found = find_photos(place) if kind == BATCH or place.is_file() else []
        except OSError as error:
            raise Refused(str(error)) from None
        inside = [f for f in found if any(p == f.resolve() or p in f.resolve().parents
                                          for p in self.places)]  # fmt: skip
        return [(file, file.name) for file in inside]
