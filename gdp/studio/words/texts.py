"""Every text of the page, in the reader's language: texts/LANGUAGE.yaml, one file each.

A further language is a further file with the same keys; tests/studio compares them.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "texts"
ENGLISH = "en"


class Texts:
    """The texts of a language; what it lacks is English.

    Args:
        lang: a file's name in texts/, without its suffix.
    """

    def __init__(self, lang: str):
        self.lang = lang
        self.own = load(lang)

    def __call__(self, key: str, **values: Any) -> str:
        """The text of a key, such as "found.grey", with values put in."""
        text = self.own.get(key) or load(ENGLISH).get(key)
        if text is None:
            raise KeyError(key)
        return text.format(**values) if values else text

    def below(self, prefix: str) -> dict[str, str]:
        """The texts whose keys begin so, by the rest of the key."""
        start = f"{prefix}."
        both = {**load(ENGLISH), **self.own}
        return {key[len(start) :]: text for key, text in both.items() if key.startswith(start)}


@cache
def load(lang: str) -> dict[str, str]:
    """The texts of a language by dotted keys."""
    content = yaml.safe_load((FOLDER / f"{lang}.yaml").read_text(encoding="utf-8"))
    return dict(flat(content, ""))


def flat(node: dict[str, Any], prefix: str) -> list[tuple[str, str]]:
    """Nested texts as dotted keys and texts."""
    found: list[tuple[str, str]] = []
    for key, value in node.items():
        name = f"{prefix}{key}"
        found += flat(value, f"{name}.") if isinstance(value, dict) else [(name, str(value))]
    return found


def languages() -> list[str]:
    """The languages that there are."""
    return sorted(file.stem for file in FOLDER.glob("*.yaml"))


def language(wanted: str, accepted: str, asked: str = "") -> str:
    """The language of a page.

    Args:
        wanted: the server's choice, or auto.
        accepted: the browser's Accept-Language.
        asked: ?lang= in the page's address.
    """
    known = languages()
    for choice in (asked, wanted):
        if choice in known:
            return choice
    for part in accepted.split(","):
        choice = part.split(";")[0].strip().lower().partition("-")[0]
        if choice in known:
            return choice
    return ENGLISH
