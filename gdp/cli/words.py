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


def quote(word: str, sweep: bool) -> str:
    """A word `path=value`, quoted so that Hydra takes the value literally; any other as it is.

    Lists stay lists, and in a sweep the choices between commas stay choices, unless a file is
    named so.
    """
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
