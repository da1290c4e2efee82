"""The second tab: many photos, with the first tab's settings."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from gdp.studio.jobs.state import Refused
from gdp.studio.jobs.store import BATCH, Job
from gdp.studio.web import grid, status
from gdp.studio.web.desk import Desk
from gdp.studio.web.single import BEAT, Values
from gdp.studio.web.spoken import Spoken
from gdp.studio.words.texts import Texts


class Batch:
    """The tab, built where it is made.

    Args:
        desk: the server's state.
        say: takes note of texts.
        form: the settings.
        photo: the hidden text that has the id of the first tab's photo, whose mask may be used.
    """

    def __init__(self, desk: Desk, say: Spoken, form: Sequence[Component], photo: Component):
        self.desk = desk
        t = say.t
        self.id = gr.Textbox(visible="hidden", elem_id="batch-job")
        self.timer = gr.Timer(BEAT, active=False)
        self.files = say(
            gr.File(label=t("batch.drop"), file_count="multiple", height=180, elem_id="photos"),
            label="batch.drop",
        )
        self.folder = say(
            gr.Textbox(label=t("batch.folder"), visible=bool(desk.studio.places)),
            label="batch.folder",
        )
        say(gr.Markdown(t("batch.settings")), value="batch.settings")
        self.mask = say(
            gr.Checkbox(False, label=t("batch.use_mask"), elem_id="use-mask"),
            label="batch.use_mask",
        )
        with gr.Row():
            self.begin_button = say(
                gr.Button(t("batch.start"), variant="primary", elem_id="restore-all"),
                value="batch.start",
            )
            self.cancel = say(
                gr.Button(t("cancel"), variant="stop", visible=False, elem_id="cancel-all"),
                value="cancel",
            )
        self.state = gr.HTML("", elem_id="batch-state")
        self.got = gr.HTML("", elem_id="batch-results")
        self.grid = gr.HTML("", elem_id="grid")

        hidden: Any = {"api_visibility": "private", "show_progress": "hidden"}
        inputs = [self.files, self.folder, self.mask, photo, *form]
        self.begin_button.click(self.begin, inputs, [*self.outputs, self.files], **hidden)
        self.cancel.click(self.stop, self.id, self.outputs, **hidden)
        self.timer.tick(self.tick, self.id, self.outputs, **hidden)

    @property
    def outputs(self) -> list[Component]:
        """All that shows a batch."""
        return [
            self.id,
            self.state,
            self.got,
            self.grid,
            self.cancel,
            self.begin_button,
            self.timer,
        ]

    def show(self, job: Job | None, t: Texts) -> Values:
        """Everything of a batch."""
        line, store = self.desk.studio.line, self.desk.studio.store
        active = job is not None and job.active
        live = line.live.get(job.id) if job is not None else None
        run = store.run(job) if job is not None and job.key else Path("/nowhere")
        ready = job is not None and (store.folder(job) / "view" / f"{job.key}.zip").is_file()
        return {
            self.id: job.id if job is not None else "",
            self.state: status.progress(job, live, line.place(job.id) if job else 0, t),
            self.got: grid.archive(job, run, ready and not active, t),
            self.grid: grid.grid(job),
            self.cancel: gr.update(visible=active),
            self.begin_button: gr.update(interactive=not active),
            self.timer: gr.Timer(active=active),
        }

    def begin(
        self, request: gr.Request, files: list[str] | None, folder: str, masked: bool, photo: str,
        *values: Any,
    ) -> Values:  # fmt: skip
        """Restore all; the batch before goes on where nothing new was given."""
        t, session = self.desk.texts(request), self.desk.session(request)
        try:
            job = self.taken(files, folder, session, t)
        except Refused as error:
            raise gr.Error(str(error), duration=None) from None
        if job is None:
            raise gr.Error(t("error.none"))

        one = self.desk.job(photo, request)
        store = self.desk.studio.store
        mask = None if one is None else store.folder(one) / "mask.png"
        if masked and mask is not None and mask.is_file():
            shutil.copyfile(mask, store.folder(job) / "mask.png")
        try:
            words = self.desk.words(job, values)
        except ValueError as error:
            raise gr.Error(str(error), duration=None) from None
        self.desk.submit(job, words, t)
        return {**self.show(job, t), self.files: None}

    def taken(self, files: list[str] | None, folder: str, session: str, t: Texts) -> Job | None:
        """A new job of what was given; else the newest batch."""
        studio = self.desk.studio
        if files:
            given = [(Path(file), Path(file).name) for file in files]
            try:
                return studio.add(session, given, BATCH)
            finally:
                for file, _ in given:
                    file.unlink(missing_ok=True)
        if folder:
            return studio.add(session, self.desk.files_at(folder, BATCH, t), BATCH)
        return studio.store.latest(session, BATCH)

    def load(self, request: gr.Request) -> Values:
        """Find the session's batch again."""
        job = self.desk.studio.store.latest(self.desk.session(request), BATCH)
        return self.show(job, self.desk.texts(request))

    def stop(self, id: str, request: gr.Request) -> Values:
        """Cancel."""
        job = self.desk.job(id, request)
        if job is not None:
            job = self.desk.studio.line.cancelled(job)
        return self.show(job, self.desk.texts(request))

    def tick(self, id: str, request: gr.Request) -> Values:
        """Follow a batch."""
        return self.show(self.desk.job(id, request), self.desk.texts(request))
