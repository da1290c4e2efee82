"""Words of the command line, made ready for Hydra's grammar, or refused in a line.

A word is a photo, a flag of Hydra's, or `name=value`. Values that Hydra's grammar does not know,
such as a=b.npy, are taken literally.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, QuotedString
from hydra.errors import HydraException

from gdp.cli.flags import config_folder, refuse_twice, sort_flags
from gdp.compose.refusal import UnknownNameError, choices_of, groups, unknown
from gdp.compose.settings import PATHS, SETTINGS
from gdp.compose.tasks import chained_words

# Settings of groups that are paths.
INNER_PATHS = (
    "prior.path",
    "prior.repo",
    "scores.weights",
    "operator.kernel",
    "operator.tables",
    "operator.transmission",
)
NAME = re.compile(r"[+~]*[\w.@/-]+", re.ASCII)  # what a setting may be called
COMPOSED = tuple("'\"{([")  # a list or a sweep in which one of these stands is Hydra's to read

# Words that people add, as Hydra's experiments and new settings are, though they are there.
ADDED = ("+paper=", "+experiment=", "+operator.ops=")


class Line(NamedTuple):
    """A command line, ready for Hydra.

    Attributes:
        words: flags first.
        sweep: whether there are several jobs.
        swept: the names of the settings that differ between jobs.
    """

    words: list[str]
    sweep: bool
    swept: frozenset[str]


def read_line(given: Sequence[str]) -> Line:
    """Make the words of a command line ready.

    Raises:
        UnknownNameError: a setting does not exist.
        ValueError: a word is not understood.
    """
    flags, words = sort_flags(given)
    refuse_twice(words)
    sweep = "--multirun" in flags or "-m" in flags
    words = with_photos(words)
    words = [quote(word, sweep) for word in (words if sweep else chained_words(words))]

    parser, swept, folder = OverridesParser.create(), set(), config_folder(flags)
    for k, given_word in enumerate(words):
        word, override = understood(given_word, parser)
        words[k] = word
        check_name(override, word, folder)
        if override.is_sweep_override():
            swept.add(word.partition("=")[0].lstrip("+"))
    return Line([*flags, *words], sweep, frozenset(swept))


def with_photos(words: list[str]) -> list[str]:
    """The words of a command line, in which bare ones are photos.

    `gdp photo.jpg` is `gdp input=photo.jpg task=auto`; a task or an operator that is named stays.

    Raises:
        ValueError: input= is given too, or a bare word is the name of a setting or of a task.
    """
    photos = [word for word in words if word and "=" not in word and word[0] not in "-~"]
    if not photos:
        return words
    for word in photos:
        check_photo(word)

    # One way to name them
    rest = [word for word in words if word not in photos]
    named = {word.partition("=")[0] for word in rest}
    if "input" in named:
        raise ValueError(
            f"{photos[0]} and input= both name photos; name all of them in one way: "
            f"gdp {photos[0]} ..., or input=[...]"
        )

    # Literal strings of Hydra's grammar
    literal = [literally(photo) for photo in photos]
    paths = literal[0] if len(literal) == 1 else f"[{','.join(literal)}]"
    task = [] if named & {"task", "operator"} else ["task=auto"]
    return [*rest, *task, f"input={paths}"]


def check_photo(word: str) -> None:
    """Raise ValueError where a word without a value is no photo, but names something else."""
    if exists(word):
        return
    name = word.lstrip("+")
    if name in SETTINGS or name in groups():
        raise ValueError(f"{word} has no value; give {word}=...")
    for group in ("task", "operator", "sampler"):
        if name in choices_of(group):
            raise ValueError(f"{word} is no photo; give {group}={word}, and input=photo.jpg")


def quote(word: str, sweep: bool) -> str:
    """A word `path=value`, quoted so that Hydra takes the value literally; any other as it is.

    Lists stay lists, and in a sweep the choices between commas stay choices, unless a file is
    named so.
    """
    if word.startswith(ADDED):
        word = word.removeprefix("+")
    key, equals, value = word.partition("=")
    if not equals or key.lstrip("+") not in (*PATHS, *INNER_PATHS):
        return word
    if value in ("", "null") or value[0] in "'\"":
        return word

    # A list, choices of a sweep, or one path
    if not exists(value):
        if value[0] == "[" and value[-1] == "]":
            inner = value[1:-1]
            return f"{key}=[{each_literally(inner)}]" if inner.strip() else word
        if value[0] == "{" or (sweep and re.match(r"(range|glob|choice|sort|shuffle)\(", value)):
            return word
        if sweep and "," in value:
            return f"{key}={each_literally(value)}"
    return f"{key}={literally(value)}"


def each_literally(listed: str) -> str:
    """Paths between commas, each quoted; as they are where they are quoted or nested already."""
    if any(sign in listed for sign in COMPOSED) or "" in (parts := listed.split(",")):
        return listed
    return ",".join(literally(part.strip()) for part in parts)


def literally(value: str) -> str:
    """A value as a quoted string of Hydra's grammar, in which nothing has a meaning."""
    # Backslashes before a quote, and at the end, would escape it.
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"'{escaped}{chr(92) * trailing}'".replace("${", "\\${")


def understood(word: str, parser: OverridesParser) -> tuple[str, Override]:
    """A word that Hydra's grammar has, its value quoted if need be, and what it makes of it.

    Raises:
        ValueError: it is no name=value, or names no setting.
    """
    key, equals, value = word.partition("=")
    if not NAME.fullmatch(key) or (not equals and key[0] != "~"):
        raise ValueError(f"{word!r} is not understood; settings are given as name=value")
    for text in (word, f"{key}={literally(value)}"):
        try:
            return text, parser.parse_override(text)
        except HydraException:
            continue
    raise ValueError(f"{word!r} is not understood; settings are given as name=value")


def check_name(override: Override, word: str, folder: Path | None) -> None:
    """Refuse what would have no effect, or takes away what the program needs.

    Args:
        override: what Hydra's grammar makes of the word.
        word: the word.
        folder: the user's own folder of configurations, if one is given.

    Raises:
        UnknownNameError: a setting is not there.
        ValueError: a setting or group is removed, or a group is given what is no name.
    """
    key, name = word.partition("=")[0], override.key_or_group
    if name.partition(".")[0] == "hydra" or name.startswith("hydra/"):
        return

    known = "." in name or name in (*SETTINGS, *groups())
    own = folder is not None and (exists(folder / name) or exists(folder / f"{name}.yaml"))
    if key[0] == "~" and "." not in name:
        raise ValueError(f"{word} would leave {name} out, which is needed; give {name}=...")
    if not known and not own and (key[0] == "+" or folder is None):
        raise UnknownNameError(f"{word}: {unknown(name)}")

    # A group takes the name of one of its files.
    value = override.value()
    chosen = getattr(value, "list", [value])
    named = all(isinstance(one, str | QuotedString) and one for one in chosen)
    composed = override.is_sweep_override() and not isinstance(value, ChoiceSweep)
    if name in groups() and not named and not composed:
        raise ValueError(
            f"{name}={word.partition('=')[2] or '(nothing)'}; it is one of "
            f"{', '.join(choices_of(name))}"
        )


def exists(path: str | Path) -> bool:
    """Whether there is such a file or folder; False for what can be no path."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False
