"""The folded settings of the page, in the order of words/form.py."""

from typing import Any

import gradio as gr
from gradio.components import Component

from gdp.studio.web.spoken import Spoken, choices
from gdp.studio.words.form import FORM
from gdp.studio.words.texts import Texts


def build_form(say: Spoken, t: Texts) -> list[Any]:
    """Put the settings on the page.

    Returns:
        A component for each name of FORM, and the further settings' text.
    """

    def listed(name: str, key: str) -> Component:
        one = gr.Dropdown(choices(name, t), value=FORM[name], label=t(key), elem_id=f"set-{name}")
        say.choices(one, name)
        found: Component = say(one, label=key)
        return found

    def slider(name: str, least: float, most: float, value: float, step: float) -> Component:
        key, info = f"settings.{name}", f"settings.{name}_info"
        one = gr.Slider(least, most, value=value, step=step, label=t(key), info=t(info),
                        elem_id=f"set-{name}")  # fmt: skip
        found: Component = say(one, label=key, info=info)
        return found

    task = listed("task", "settings.task")
    with gr.Row():
        strength = slider("strength", 0, 1, 1, 0.05)
        detail = slider("detail", 0, 1, 0, 0.05)
    with gr.Row():
        noise = listed("noise", "settings.noise")
        sigma = say(
            gr.Textbox("", label=t("settings.sigma"), info=t("settings.sigma_info"),
                       placeholder="0.05", elem_id="set-sigma_y"),
            label="settings.sigma", info="settings.sigma_info",
        )  # fmt: skip
    quality = gr.Radio(choices("quality", t), value="balanced", label=t("settings.quality"),
                       elem_id="set-quality")  # fmt: skip
    say.choices(quality, "quality")
    say(quality, label="settings.quality")
    with gr.Row():
        seed = say(
            gr.Number(0, label=t("settings.seed"), info=t("settings.seed_info"), precision=0,
                      elem_id="set-seed"),
            label="settings.seed", info="settings.seed_info",
        )  # fmt: skip
        samples = slider("samples", 1, 8, 1, 1)
    with gr.Row():
        prior = listed("prior", "settings.prior")
        kind = listed("format", "settings.format")
        depth = listed("depth", "settings.depth")
    exif = say(
        gr.Checkbox(False, label=t("settings.exif"), elem_id="set-keep_exif"),
        label="settings.exif",
    )
    more = say(
        gr.Textbox(label=t("settings.more"), placeholder="operator.r=2 sampler=ddnm steps=20",
                   elem_id="set-more"),
        label="settings.more",
    )  # fmt: skip
    return [
        *(task, strength, detail, noise, sigma, quality, seed, samples, prior, kind, depth, exif),
        more,
    ]
