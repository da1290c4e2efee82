"""The page: its tabs, and what happens when it is opened."""

from typing import Any

import gradio as gr

from gdp.studio.jobs.state import Studio
from gdp.studio.web.api import Api
from gdp.studio.web.batch import Batch
from gdp.studio.web.desk import Desk
from gdp.studio.web.priors import Priors
from gdp.studio.web.single import Single
from gdp.studio.web.spoken import Spoken
from gdp.studio.words.texts import ENGLISH, Texts

AT_ONCE = 32  # handlers; restorations have a queue of their own
UPLOADS = (600, 3600)  # seconds: how often old uploads are looked for, and from when they are old
HELP = """
```python
from gradio_client import Client, handle_file

studio = Client("http://127.0.0.1:7860")
file, report = studio.predict(handle_file("photo.jpg"), "task=auto", None, api_name="/restore")
```

`/restore`, `/look`, `/batch`: docs/studio.md
"""


def build_page(studio: Studio) -> gr.Blocks:
    """The page of a server."""
    t = Texts(ENGLISH if studio.lang == "auto" else studio.lang)
    desk, say = Desk(studio), Spoken(t)
    with gr.Blocks(
        title=t("title"), analytics_enabled=False, delete_cache=UPLOADS, fill_width=True
    ) as page:
        head = say(gr.Markdown(f"# {t('title')}"))
        lead = say(gr.Markdown(t("lead"), elem_id="lead"), value="lead")
        del head, lead
        with gr.Tabs():
            with say(gr.Tab(t("tab.one"), id="one"), label="tab.one"):
                single = Single(desk, say)
            with say(gr.Tab(t("tab.batch"), id="batch"), label="tab.batch"):
                batch = Batch(desk, say, single.form, single.id)
            with say(gr.Tab(t("tab.priors"), id="priors"), label="tab.priors"):
                priors = Priors(desk, say)
            with say(gr.Tab(t("tab.api"), id="api"), label="tab.api"):
                gr.Markdown(HELP)
        Api(desk)

        def words(request: gr.Request) -> list[Any]:
            return say.updates(desk.texts(request))

        hidden: Any = {"api_visibility": "private", "show_progress": "hidden"}
        page.load(words, None, say.components, **hidden)
        page.load(single.load, None, [*single.outputs, single.timer], **hidden)
        page.load(batch.load, None, batch.outputs, **hidden)
        page.load(priors.load, None, [priors.table], **hidden)
    return page.queue(default_concurrency_limit=AT_ONCE)
