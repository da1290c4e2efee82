"""Components whose texts follow the reader's language."""

from typing import Any

import gradio as gr
from gradio.blocks import Block

from gdp.studio.words.rules import NOISES, open_choices
from gdp.studio.words.texts import Texts


class Spoken:
    """The page's components, by the keys of their texts.

    Args:
        t: the language in which the page is built.
    """

    def __init__(self, t: Texts):
        self.t = t
        self.known: list[tuple[Block, dict[str, str]]] = []
        self.lists: list[tuple[Block, str]] = []

    def __call__(self, component: Block, **keys: str) -> Any:
        """Take note of a component, whose property `label` has the text of `keys["label"]` ..."""
        self.known.append((component, keys))
        return component

    def choices(self, component: Block, name: str) -> Any:
        """Take note of a component whose choices are words."""
        self.lists.append((component, name))
        return component

    @property
    def components(self) -> list[Block]:
        """All of them, each once."""
        return list(dict.fromkeys(c for c, _ in [*self.known, *self.lists]))

    def updates(self, t: Texts) -> list[Any]:
        """Their texts in a language, in the order of `components`."""
        found: dict[Block, dict[str, Any]] = {component: {} for component in self.components}
        for component, keys in self.known:
            found[component] |= {name: t(key) for name, key in keys.items()}
        for component, name in self.lists:
            found[component]["choices"] = choices(name, t)
        return [gr.update(**values) for values in found.values()]


def choices(name: str, t: Texts) -> list[tuple[str, Any]]:
    """The choices of a setting, as (text, value)."""
    if name == "task":
        return [(text, task) for task, text in t.below("task").items()]
    if name == "noise":
        return [(t(f"noise.{kind}"), kind) for kind in NOISES]
    if name == "quality":
        return [(t(f"settings.{kind}"), kind) for kind in ("fast", "balanced", "best")]
    if name == "depth":
        return [(t("settings.as_photo"), "photo"), ("8", "8"), ("16", "16"), ("32", "32")]
    if name == "format":
        return [("PNG", "png"), ("JPEG", "jpg"), ("TIFF", "tif"), ("WebP", "webp"),
                (t("settings.as_photo"), "same")]  # fmt: skip
    return [(prior, prior) for prior in open_choices("prior")]
