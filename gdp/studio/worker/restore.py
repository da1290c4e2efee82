"""A job restored by what the command line uses for folders, so that it goes on after a kill."""

import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from gdp.cli.messages import report_error
from gdp.cli.photos import items_of
from gdp.compose.configuration import build, compose_line
from gdp.folder.bar import Bar
from gdp.folder.folder import Folder
from gdp.folder.items import FAILED, Outcome, read_fitting
from gdp.picture import find_all
from gdp.prior.prior import Prior
from gdp.report.gallery import write_gallery
from gdp.restore.setup import Setup
from gdp.storage.workspace import Workspace
from gdp.studio.worker.view import shown

PREVIEW, NOTE = 0.7, 0.25  # seconds between previews; minutes between notes of how far it is
Out = Callable[..., None]
priors: dict[str, Prior] = {}  # the one that was used last, by its settings


def warm() -> dict[str, Any]:
    """Load what the first photo will need."""
    setup_of(["task=auto"]).load_prior()
    return {}


def setup_of(words: list[str]) -> Setup:
    """The parts that a line describes; a prior stays loaded until another one is wanted.

    Raises:
        ValueError, TypeError, OSError: something does not fit.
    """
    cfg, choices = compose_line(words)
    setup = build(cfg, choices, words)
    key = json.dumps(setup.config["prior"], sort_keys=True, default=str)

    def prior() -> Prior:
        if key not in priors:
            priors.clear()
            priors[key] = setup.bare_prior()
        return priors[key].own()

    return setup._replace(bare_prior=prior)


def restore(request: dict[str, Any], out: Out) -> dict[str, Any]:
    """Restore the photos of a job into its run's folder.

    Args:
        request: "job" and "run", the folders; "files", names in the job's in/; "words"; "batch".
        out: tells progress, and of each photo what became of it.
    """
    job, folder = Path(request["job"]), Path(request["run"])
    output = ["report=false", f"preview={PREVIEW}", f"checkpoint={NOTE}"]
    setup = setup_of([*request["words"], *output])
    try:
        photos = find_all([job / "in" / name for name in request["files"]])
        cfg, _ = compose_line([*request["words"], *output])
        items = items_of(photos, folder, cfg, partial(read_fitting, setup))
    except (ValueError, OSError) as error:
        raise ValueError(str(error).replace(f"{job / 'in'}/", "")) from None

    # Told of each photo once, as soon as anything comes to its end.
    told: set[str] = set()

    def tell() -> None:
        for name in [name for name in run.known if name not in told]:
            told.add(name)
            out("photo", photo=note_of(run.known[name], job, folder))

    def on_error(error: Exception, name: str) -> str:
        return report_error(error, verbose=False).replace(f"{job / 'in'}/", "")

    class Told(Bar):
        """The bar of the run, told to the page."""

        def show(self, at: float) -> None:
            tell()
            now = monotonic()
            self.at, self.shown = max(self.at, at), now
            worked, took = self.at - self.skipped, now - self.began
            left = took * (self.photos - self.at) / worked if worked > 0 else None
            out("progress", share=self.at / self.photos, left=left)

    with Workspace(folder) as space:
        run = Folder(items, setup, space, on_error, lambda files: tell())
        run.bar = Told(len(items))
        left = run.settle()
        tell()
        if left:
            prior = setup.load_prior()
            setup.sampler.schedule.times(prior.T)  # refuses what does not fit
            run.restore(prior)
        tell()
        outcomes = run.outcomes()

    failed = {one.name: one.error for one in outcomes if one.state == FAILED}
    if request["batch"]:
        if len(failed) < len(outcomes):
            write_gallery(folder, failed)
        pack(folder, job / "view" / f"{folder.name}.zip")
        return {}
    return {"error": failed[outcomes[0].name]} if failed else {}


def note_of(outcome: Outcome, job: Path, folder: Path) -> dict[str, Any]:
    """What the page is told of a photo that has come to its end."""
    note: dict[str, Any] = {"name": outcome.name, "state": outcome.state, "error": outcome.error}
    if outcome.where is not None:
        view = job / "view" / folder.name
        note |= {"file": outcome.where.name, "size": shown(outcome.where, view)}
        report = outcome.where.with_name(f"{outcome.name}.json")
        note["report"] = report.name
    return note


def pack(folder: Path, file: Path) -> None:
    """All results of a folder in a ZIP; pictures are packed already, and stored as they are."""
    partly = file.with_suffix(".part")
    with zipfile.ZipFile(partly, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder)
            if path.is_file() and inner.parts[0] != ".gdp":
                archive.write(path, inner)
    partly.replace(file)
