"""The HTTP API: three endpoints without a page (docs/studio.md has examples)."""

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import gradio as gr

from gdp.studio.jobs import store
from gdp.studio.jobs.state import Refused
from gdp.studio.jobs.store import BATCH, ONE, Job
from gdp.studio.web.desk import Desk

PAUSE = 0.1  # seconds between two looks at a job


class Api:
    """The endpoints, as hidden parts of the page.

    Args:
        desk: the server's state.
    """

    def __init__(self, desk: Desk):
        self.desk = desk
        with gr.Column(visible=False):
            photo, photos = gr.File(label="photo"), gr.File(label="photos", file_count="multiple")
            mask, settings = gr.File(label="mask"), gr.Textbox(label="settings")
            file, report = gr.File(label="result"), gr.File(label="report (JSON)")
            facts, became = gr.JSON(), gr.JSON(label="photos")
            several, one = gr.File(label="results (ZIP)"), gr.Button()
            one.click(self.restore, [photo, settings, mask], [file, report],
                      api_name="restore", concurrency_limit=8)  # fmt: skip
            one.click(self.look, photo, facts, api_name="look", concurrency_limit=8)
            one.click(self.batch, [photos, settings], [several, became],
                      api_name="batch", concurrency_limit=8)  # fmt: skip

    def restore(
        self, photo: str, settings: str, mask: str | None, request: gr.Request
    ) -> tuple[str, str]:
        """Restore a photo. `settings` are the command line's, such as "task=sr4 strength=0.8";
        `mask` is white where task=inpaint is to repair. Gives the result and its report."""
        job = self.job([photo], ONE, request)
        try:
            if mask:
                self.desk.studio.mark(job, "mask", Path(mask).read_bytes())
            job = self.done(job, settings, request)
            note = next(iter(job.photos.values()))
            run = self.desk.studio.store.run(job)
            return handed_over(run / note["file"]), handed_over(run / note["report"])
        except Refused as error:
            raise gr.Error(str(error)) from None
        finally:
            self.desk.studio.store.delete(job)

    def look(self, photo: str, request: gr.Request) -> dict[str, Any]:
        """What a photo suffers from: noise (std, 1 is full scale), softness (pixels), JPEG ..."""
        job = self.job([photo], ONE, request)
        try:
            return self.desk.studio.look(job).looked
        except Refused as error:
            raise gr.Error(str(error)) from None
        finally:
            self.desk.studio.store.delete(job)

    def batch(
        self, photos: list[str], settings: str, request: gr.Request
    ) -> tuple[str, dict[str, Any]]:
        """Restore many photos. Gives a ZIP of all results, and of each photo what became of it."""
        job = self.job(photos, BATCH, request)
        try:
            job = self.done(job, settings, request)
            archive = self.desk.studio.store.folder(job) / "view" / f"{job.key}.zip"
            return handed_over(archive), job.photos
        finally:
            self.desk.studio.store.delete(job)

    def job(self, files: list[str], kind: str, request: gr.Request) -> Job:
        """A job of uploaded files, which are removed."""
        given = [(Path(file), Path(file).name) for file in files or [] if file]
        try:
            return self.desk.studio.add(self.desk.session(request), given, kind)
        except Refused as error:
            raise gr.Error(str(error)) from None

    def done(self, job: Job, settings: str, request: gr.Request) -> Job:
        """The job at its end.

        Raises:
            gr.Error: it failed; in a line.
        """
        t = self.desk.texts(request)
        words = (settings or "").split()
        if not any(word.startswith(("task=", "operator=")) for word in words):
            words = ["task=auto", *words]
        self.desk.submit(job, words, t)
        try:
            while True:
                known = self.desk.studio.store.read(self.desk.studio.store.folder(job))
                if known is None or not known.active:
                    break
                time.sleep(PAUSE)
        except BaseException:  # the caller is gone
            self.desk.studio.line.cancelled(job)
            raise
        if known is None or known.state != store.DONE:
            raise gr.Error(t("error.gone") if known is None else known.error or known.state)
        return known


def handed_over(file: Path) -> str:
    """A copy in gradio's own folder, where it may serve it, and removes it after a time."""
    folder = tempfile.mkdtemp(dir=os.environ["GRADIO_TEMP_DIR"])
    return str(shutil.copy(file, Path(folder) / file.name))
