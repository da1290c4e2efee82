"""The first tab: one photo in, what was found, one button, before and after."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.components import Component

from gdp.studio.jobs.state import Refused
from gdp.studio.jobs.store import ONE, Job
from gdp.studio.web import results, status, viewer
from gdp.studio.web.desk import Desk
from gdp.studio.web.form import build_form
from gdp.studio.web.spoken import Spoken
from gdp.studio.words.form import FORM
from gdp.studio.words.texts import Texts

BEAT = 0.7  # seconds between two looks at a job that runs
Values = dict[Component, Any]


class Single:
    """The tab, built where it is made.

    Args:
        desk: the server's state.
        say: takes note of texts.
    """

    def __init__(self, desk: Desk, say: Spoken):
        self.desk, self.say = desk, say
        t = say.t
        self.id = gr.Textbox(visible="hidden", elem_id="job")
        self.seen = gr.State("")
        self.timer = gr.Timer(BEAT, active=False)
        with gr.Row(equal_height=False, elem_id="desk"):
            with gr.Column(min_width=300, elem_id="left"):
                self.build_left(t)
            with gr.Column(min_width=300, elem_id="more"):
                self.build_more(t)
            with gr.Column(min_width=300, elem_id="right"):
                self.view = gr.HTML(viewer.viewer(None, Path(), t), elem_id="view")
                self.got = gr.HTML("", elem_id="results")
        self.connect()

    def build_left(self, t: Texts) -> None:
        """The column of what is to be done."""
        say = self.say
        self.file = say(
            gr.File(label=t("photo.drop"), file_count="multiple", height=170, elem_id="photo"),
            label="photo.drop",
        )
        with gr.Row(visible=bool(self.desk.studio.places)):
            self.path = say(gr.Textbox(label=t("photo.path"), scale=4), label="photo.path")
            self.open = say(gr.Button(t("photo.open"), scale=1), value="photo.open")
        self.found = gr.HTML("")
        with gr.Row():
            self.restore = say(
                gr.Button(t("restore"), variant="primary", size="lg", elem_id="restore"),
                value="restore",
            )
            self.cancel = say(
                gr.Button(t("cancel"), variant="stop", size="lg", visible=False, elem_id="cancel"),
                value="cancel",
            )
        self.state = gr.HTML("", elem_id="state")

    def build_more(self, t: Texts) -> None:
        """What is folded: the mask, the settings, and the line of a terminal."""
        say = self.say
        with say(gr.Accordion(t("mask.head"), open=False, elem_id="mask"), label="mask.head"):
            self.mask = gr.HTML(viewer.editor(None, "mask", t))
        with say(gr.Accordion(t("settings.head"), open=False, elem_id="settings"),
                 label="settings.head"):  # fmt: skip
            self.form = build_form(say, t)
            with say(gr.Accordion(t("kernel.head"), open=False), label="kernel.head"):
                self.kernel = gr.HTML(viewer.editor(None, "kernel", t))
        with say(gr.Accordion(t("command.head"), open=False, elem_id="command"),
                 label="command.head"):  # fmt: skip
            self.line = say(
                gr.Textbox("gdp photo.jpg task=auto", info=t("command.info"), show_label=False,
                           lines=2, buttons=["copy"], elem_id="line", label="command"),
                info="command.info",
            )  # fmt: skip
            self.take = say(gr.Button(t("command.take")), value="command.take")
        self.forget = say(
            gr.Button(t("photo.delete"), size="sm", visible=False, elem_id="delete"),
            value="photo.delete",
        )

    @property
    def outputs(self) -> list[Component]:
        """All that shows a job."""
        return [self.id, self.seen, self.found, self.state, self.view, self.got, self.mask,
                self.kernel, self.cancel, self.restore, self.forget, self.line]  # fmt: skip

    def connect(self) -> None:
        """Say what happens on what."""
        hidden: Any = {"api_visibility": "private", "show_progress": "hidden"}
        shown: Any = {"api_visibility": "private", "show_progress": "minimal"}
        everything, form = [*self.outputs, self.timer], [self.id, *self.form]
        ask = {"inputs": form, "outputs": everything, **hidden}
        self.file.upload(self.upload, [self.file, *self.form], [*everything, self.file], **shown)
        self.open.click(self.open_path, [self.path, *self.form], everything, **shown)
        self.restore.click(self.begin, **ask)
        self.cancel.click(self.stop, **ask)
        self.forget.click(self.delete, **ask)
        self.timer.tick(self.tick, [self.id, self.seen, *self.form], everything, **hidden)

        # A hand's changes ask for the line (what is pasted, when its box is left), no others do.
        by_hand = [one.input for one in self.form]
        by_hand += [one.blur for one in self.form if isinstance(one, gr.Textbox)]
        gr.on(by_hand, self.desk.line_of, form, self.line, trigger_mode="always_last", **hidden)
        taken = [*self.form, self.line]
        self.take.click(self.desk.take_over, [self.id, self.line], taken, **hidden)
        address = "(id) => { const a = new URL(location); id ? a.searchParams.set('job', id) :"
        address += " a.searchParams.delete('job'); history.replaceState(null, '', a); }"
        self.id.change(None, self.id, None, js=address, **hidden)

    def show(self, job: Job | None, values: Sequence[Any], t: Texts) -> Values:
        """Everything of a job."""
        store = self.desk.studio.store
        run = store.run(job) if job is not None and job.key else Path("/nowhere")
        return {
            self.id: job.id if job is not None else "",
            self.found: status.found(job, t),
            self.mask: viewer.editor(job, "mask", t),
            self.kernel: viewer.editor(job, "kernel", t),
            self.got: results.results(job, run, t),
            self.line: self.desk.line(job, values),
            self.forget: gr.update(visible=job is not None and not job.active),
            **self.show_state(job, run, t),
        }

    def show_state(self, job: Job | None, run: Path, t: Texts) -> Values:
        """What changes while a job runs."""
        live = self.desk.studio.line.live.get(job.id) if job is not None else None
        place = self.desk.studio.line.place(job.id) if job is not None else 0
        active = job is not None and job.active
        view = viewer.viewer(job, run, t)
        return {
            self.seen: view,
            self.view: view,
            self.state: status.progress(job, live, place, t),
            self.cancel: gr.update(visible=active),
            self.restore: gr.update(interactive=not active),
            self.timer: gr.Timer(active=active),
        }

    def upload(self, request: gr.Request, files: list[str] | None, *values: Any) -> Values:
        """Take photos that were dropped."""
        given = [(Path(file), Path(file).name) for file in files or []]
        try:
            return {**self.take_in(given, values, request), self.file: None}
        except gr.Error as error:  # the place for photos is free again
            gr.Warning(error.message, duration=None)
            return {self.file: None}
        finally:
            for file, _ in given:
                file.unlink(missing_ok=True)

    def open_path(self, request: gr.Request, path: str, *values: Any) -> Values:
        """Take a photo of this machine, where the studio was started with its place."""
        files = self.desk.files_at(path, ONE, self.desk.texts(request))
        return self.take_in(files, values, request)

    def take_in(
        self, files: list[tuple[Path, str]], values: Sequence[Any], request: gr.Request
    ) -> Values:
        """A new job of these files."""
        t = self.desk.texts(request)
        try:
            job = self.desk.studio.look(self.desk.studio.add(self.desk.session(request), files))
        except Refused as error:
            raise gr.Error(str(error), duration=None) from None
        if len(files) > 1:
            gr.Info(t("error.many", count=len(files)))
        return self.show(job, values, t)

    def load(self, request: gr.Request) -> Values:
        """Find the session's job again: the one in the address, or its newest."""
        t, store = self.desk.texts(request), self.desk.studio.store
        asked = str(dict(request.query_params or {}).get("job", ""))
        job = self.desk.job(asked, request) or store.latest(self.desk.session(request))
        return self.show(job, [*FORM.values(), ""], t)

    def begin(self, request: gr.Request, id: str, *values: Any) -> Values:
        """Restore."""
        t, job = self.desk.texts(request), self.desk.job(id, request)
        if job is None:
            raise gr.Error(t("error.none"))
        try:
            words = self.desk.words(job, values)
        except ValueError as error:
            raise gr.Error(str(error), duration=None) from None
        self.desk.submit(job, words, t)
        return self.show(job, values, t)

    def stop(self, request: gr.Request, id: str, *values: Any) -> Values:
        """Cancel, and wait the moment that it takes."""
        t, job = self.desk.texts(request), self.desk.job(id, request)
        return self.show(job and self.desk.studio.line.cancelled(job), values, t)

    def delete(self, request: gr.Request, id: str, *values: Any) -> Values:
        """Remove a photo and all that was made of it."""
        job = self.desk.job(id, request)
        if job is not None and not job.active:
            self.desk.studio.store.delete(job)
        return self.show(None, values, self.desk.texts(request))

    def tick(self, request: gr.Request, id: str, seen: str, *values: Any) -> Values:
        """Follow a job; what has not changed stays as it is on the page."""
        t, job = self.desk.texts(request), self.desk.job(id, request)
        if job is None or not job.active:
            return self.show(job, values, t)
        shown = self.show_state(job, self.desk.studio.store.run(job), t)
        if shown[self.view] == seen:
            del shown[self.view], shown[self.seen]
        return shown
