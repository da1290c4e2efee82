"""What the page's handlers share: the session of a request, its language, and the line's words."""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from gdp.cli.words import literally
from gdp.studio.jobs.state import Refused, Studio
from gdp.studio.jobs.store import Job
from gdp.studio.server.guard import COOKIE, TOKEN
from gdp.studio.words.form import FORM, command, parse, words_of
from gdp.studio.words.rules import check_words
from gdp.studio.words.texts import Texts, language

REPAIRS = ("inpaint", "oldphoto")  # tasks that a mask is for


class Desk:
    """The server's state, as handlers see it.

    Args:
        studio: the state.
    """

    def __init__(self, studio: Studio):
        self.studio = studio

    def session(self, request: gr.Request) -> str:
        """The session that a request belongs to; a new one where it has none."""
        cookie = str((request.cookies or {}).get(COOKIE, ""))
        return cookie if TOKEN.fullmatch(cookie) else secrets.token_urlsafe(32)

    def texts(self, request: gr.Request) -> Texts:
        """The texts of a request's language."""
        accepted = str((request.headers or {}).get("accept-language", ""))
        asked = str(dict(request.query_params or {}).get("lang", ""))
        return Texts(language(self.studio.lang, accepted, asked))

    def job(self, id: str, request: gr.Request) -> Job | None:
        """The session's job of that id."""
        return self.studio.store.get(id, self.session(request))

    def files_at(self, path: str, kind: str, t: Texts) -> list[tuple[Path, str]]:
        """The photos at a path of this machine.

        Raises:
            gr.Error: the page may not open it, or there are none.
        """
        try:
            return self.studio.of_path(path, kind)
        except Refused as error:
            text = t("error.place") if str(error) == "place" else str(error)
            raise gr.Error(text, duration=None) from None

    def submit(self, job: Job, words: Sequence[str], t: Texts) -> None:
        """Have a job restored.

        Raises:
            gr.Error: something is wrong with it, for the page to say.
        """
        if job.active:
            raise gr.Error(t("error.busy"), duration=None)
        try:
            given = check_words(words)
        except ValueError as error:
            raise gr.Error(str(error), duration=None) from None
        self.studio.line.submit(job, [*given, *self.beside(job, given, t)])

    def beside(self, job: Job, words: Sequence[str], t: Texts) -> list[str]:
        """Words for the mask and the kernel that lie beside a photo."""
        folder, task = self.studio.store.folder(job), task_of(words)
        mask, kernel = folder / "mask.png", folder / "kernel.png"
        if task == "inpaint" and not mask.is_file():
            raise gr.Error(t("error.mask"), duration=None)
        if task == "deblur" and not kernel.is_file() and "operator=blur_gaussian" not in words:
            raise gr.Error(t("error.kernel"), duration=None)
        more = []
        if task in REPAIRS and mask.is_file():
            more.append(f"mask={literally(str(mask))}")
        if task == "deblur" and kernel.is_file():
            more.append(f"operator.kernel={literally(str(kernel))}")
        return more

    def words(self, job: Job | None, values: Sequence[Any]) -> list[str]:
        """The words that the form stands for; a mask makes a repair of what names no task.

        Raises:
            ValueError: what is typed has an open quote.
        """
        *chosen, more = values
        form: dict[str, Any] = dict(zip(FORM, chosen, strict=True))
        words = words_of(form, str(more or ""))
        marked = job is not None and (self.studio.store.folder(job) / "mask.png").is_file()
        return ["task=inpaint" if word == "task=auto" and marked else word for word in words]

    def line_of(self, request: gr.Request, id: str, *values: Any) -> str:
        """The settings as a command."""
        return self.line(self.job(id, request), values)

    def line(self, job: Job | None, values: Sequence[Any]) -> str:
        """The line of a terminal that does the same."""
        try:
            words = self.words(job, values)
        except ValueError as error:
            return f"# {error}"
        beside = {}
        if job is not None:
            folder = self.studio.store.folder(job)
            if task_of(words) in REPAIRS and (folder / "mask.png").is_file():
                beside["mask"] = "mask.png"
            if task_of(words) == "deblur" and (folder / "kernel.png").is_file():
                beside["operator.kernel"] = "kernel.png"
        return command(words, job.files if job is not None else ["photo.jpg"], beside)

    def take_over(self, request: gr.Request, id: str, text: str) -> list[Any]:
        """The form as a command line says, and its own line."""
        t = self.texts(request)
        try:
            line = parse(text)
        except ValueError as error:
            raise gr.Error(str(error), duration=None) from None
        others = [word for word in line.left_out if "=" in word]
        gr.Info(t("command.left_out", words=" ".join(others)) if others else t("command.taken"))
        values = [*line.form.values(), line.more]
        return [*values, self.line(self.job(id, request), values)]


def task_of(words: Sequence[str]) -> str:
    """The task that a line names."""
    named: Mapping[str, str] = dict(word.partition("=")[::2] for word in words)
    return named.get("task", "auto")
