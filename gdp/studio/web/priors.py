"""The tab of priors: what is there, how large it is, whose it is, and how to get it."""

import threading
from collections.abc import Iterator
from html import escape
from pathlib import Path
from time import sleep
from typing import Any, NamedTuple

import gradio as gr
import yaml

from gdp.storage.download import download
from gdp.storage.places import BUNDLED, CONF, cache_folder
from gdp.studio.web.desk import Desk
from gdp.studio.web.spoken import Spoken
from gdp.studio.words.rules import open_choices
from gdp.studio.words.texts import Texts

BEAT = 0.5  # seconds between two looks at a download


class Known(NamedTuple):
    """A prior of conf/prior/."""

    name: str
    about: str  # the comment on top of its file
    file: str
    url: str | None
    sha256: str | None

    @property
    def here(self) -> Path | None:
        """Its file, if this machine has it."""
        places = (BUNDLED / self.file, cache_folder() / self.file)
        return next((place for place in places if place.is_file()), None)


def known() -> list[Known]:
    """The priors that the page offers."""
    found = []
    for name in open_choices("prior"):
        text = (CONF / "prior" / f"{name}.yaml").read_text(encoding="utf-8")
        lines = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
        node = yaml.safe_load(text)
        found.append(
            Known(name, " ".join(lines), Path(node["path"]).name, node.get("url"), node["sha256"])
        )
    return found


class Priors:
    """The tab, built where it is made.

    Args:
        desk: the server's state.
        say: takes note of texts.
    """

    def __init__(self, desk: Desk, say: Spoken):
        self.desk, t = desk, say.t
        say(gr.Markdown(t("priors.head")), value="priors.head")
        self.table = gr.HTML(table(t))
        with gr.Row():
            names = [prior.name for prior in known() if prior.url is not None]
            self.name = say(
                gr.Dropdown(names, label=t("priors.choose"), value=names[0]), label="priors.choose"
            )
            self.get = say(gr.Button(t("priors.get")), value="priors.get")
        self.note = gr.HTML("", elem_id="prior-note")
        self.get.click(
            self.fetch, self.name, [self.note, self.table], api_visibility="private",
            show_progress="hidden", concurrency_limit=1,
        )  # fmt: skip

    def load(self, request: gr.Request) -> dict[Any, Any]:
        """The table in the reader's language."""
        return {self.table: table(self.desk.texts(request))}

    def fetch(self, name: str, request: gr.Request) -> Iterator[tuple[str, str]]:
        """Download a prior, with progress."""
        t = self.desk.texts(request)
        prior = next((p for p in known() if p.name == name and p.url is not None), None)
        if prior is None:
            raise gr.Error(t("error.none"))
        target, wrong = cache_folder() / prior.file, []

        def run() -> None:
            try:
                download(str(prior.url), target, prior.sha256)
            except (OSError, ValueError) as error:
                wrong.append(" ".join(str(error).split())[:200])

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        part = target.with_name(f"{target.name}.part")
        while thread.is_alive():
            done = part.stat().st_size if part.is_file() else 0
            yield escape(f"{prior.name}: {done / 1e6:.0f} MB"), table(t)
            sleep(BEAT)
        text = f'<p class="bad">{escape(wrong[0])}</p>' if wrong else escape(t("priors.got"))
        yield text, table(t)


def table(t: Texts) -> str:
    """The priors, a row each."""
    heads = "".join(f'<th scope="col">{escape(t(f"priors.{k}"))}</th>'
                    for k in ("name", "here", "size", "about"))  # fmt: skip
    rows = ""
    for prior in known():
        file = prior.here
        size = "" if file is None else f"{file.stat().st_size / 1e6:.0f} MB"
        cells = (
            prior.name,
            t("priors.absent" if file is None else "priors.there"),
            size,
            prior.about,
        )
        rows += "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
    own = escape(t("priors.own", folder=cache_folder()))
    return f'<div style="overflow:auto"><table><tr>{heads}</tr>{rows}</table></div><p>{own}</p>'
