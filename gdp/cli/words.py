"""Words of the command line, made ready for Hydra's grammar."""

import re
from pathlib import Path

from gdp.compose.settings import PATHS

# Settings of groups that are paths.
INNER_PATHS = (
    "prior.path",
    "prior.repo",
    "operator.kernel",
    "operator.tables",
    "operator.transmission",
)

# Words that people add, as Hydra's experiments and new settings are, though they are there.
ADDED = ("+paper=", "+operator.ops=")

# Hydra's flags that take the next word.
FLAGS = (
    *("--cfg", "-c", "--package", "-p", "--info", "-i"),
    *("--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
)


def with_photos(words: list[str]) -> list[str]:
    """The words of a command line, in which bare ones are photos.

    `gdp photo.jpg` is `gdp input=photo.jpg task=auto`; a task or an operator that is named stays.

    Raises:
        ValueError: input= is given too.
    """
    photos = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word and "=" not in word and word[0] not in "-~" and before not in FLAGS
    ]
    if not photos:
        return words

    # One way to name them
    rest = [word for word in words if word not in photos]
    named = {word.partition("=")[0] for word in rest}
    if "input" in named:
        raise ValueError(
            f"{photos[0]} and input= both name photos; name all of them in one way: "
            f"gdp {photos[0]} ..., or input=[...]"
        )

    # Literal strings of Hydra's grammar
    literal = [quote(f"input={photo}", sweep=False).partition("=")[2] for photo in photos]
    paths = literal[0] if len(literal) == 1 else f"[{','.join(literal)}]"
    task = [] if named & {"task", "operator"} else ["task=auto"]
    return [*rest, *task, f"input={paths}"]


def quote(word: str, sweep: bool) -> str:
    """A word `path=value`, quoted so that Hydra takes the value literally; any other as it is.

    Lists stay lists, and in a sweep the choices between commas stay choices, unless a file is
    named so.
    """
    if word.startswith(ADDED):
        word = word.removeprefix("+")
    key, equals, value = word.partition("=")
    if not equals or key not in (*PATHS, *INNER_PATHS):
        return word
    if value in ("", "null") or value[0] in "'\"":
        return word

    choices = sweep and "," in value
    listed = (value[0] == "[" and value[-1] == "]") or value[0] == "{"
    if (choices or listed) and not Path(value).exists():
        return word

    # Backslashes before a quote, and at the end, would escape it.
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"{key}='{escaped}{chr(92) * trailing}'".replace("${", "\\${")
