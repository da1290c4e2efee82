"""Which settings the page and the API may give: those that read, write and run nothing.

A setting is refused unless it is known to be harmless. Files come by upload alone, and their places
are put in by the server.
"""

import re
from collections.abc import Sequence
from functools import cache

import yaml

from gdp.cli.words import read_line
from gdp.compose.refusal import choices_of, groups, settings_of_group
from gdp.compose.settings import FILES_ONLY, PATHS, SETTINGS
from gdp.storage.places import CONF

# Of results' files these concern nothing but the file that is downloaded.
OF_RESULTS = ("format", "image_quality", "depth", "keep_exif")
NOT_HERE = ("device", "batch", "force", "page", "degrade", "scene")
NOISES = ("auto", "white", "camera", "jpeg", "grain")
CLOSED = {  # choices that load or run what is named
    "operator": ("custom", "deepinv", "compose", "noise"),
    "task": ("doctor",),
}
# Settings of groups that are files, or networks; a kernel may be sought all the same.
FILES = ("kernel", "tables", "transmission", "path", "repo", "url", "page", "sha256", "ops", "mask")
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,40}")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
LISTED = re.compile(r"\[[\d\s.,eE+-]{0,200}\]")
MOST_WORDS, LONGEST = 40, 200
MOST_SAMPLES, MOST_STEPS = 16, 1000


class ForbiddenError(ValueError):
    """A setting that is not for the studio."""


def check_words(words: Sequence[str]) -> list[str]:
    """The words of a line, each harmless.

    Raises:
        ForbiddenError, ValueError: one is not, or does not exist; in a line.
    """
    if len(words) > MOST_WORDS:
        raise ForbiddenError(f"{len(words)} settings; the studio takes {MOST_WORDS} at most")
    for word in words:
        check_word(word)
    read_line(words)
    return list(words)


def check_word(word: str) -> None:
    """Raise ForbiddenError unless a word sets something harmless to a plain value."""
    name, equals, value = word.partition("=")
    if not equals or not re.fullmatch(r"\w+(\.\w+)*", name, re.ASCII) or "__" in word:
        raise ForbiddenError(f"{word[:60]!r} is no name=value")
    if len(value) > LONGEST or not plain(value):
        raise ForbiddenError(f"{name}={value[:60]}: the studio takes numbers and plain words here")

    group, _, inner = name.partition(".")
    if inner:
        check_inner(name, group, inner, value)
    elif group in groups():
        known = open_choices(group)
        if value not in known:
            raise ForbiddenError(f"{name}={value} is not for the studio; there are "
                                 f"{', '.join(known)}")  # fmt: skip
    elif name == "noise":
        if value not in NOISES:
            raise ForbiddenError(f"noise={value}; here it is {', '.join(NOISES)}")
    elif name not in SETTINGS:
        raise ForbiddenError(f"no setting named {name!r}")
    elif (name in FILES_ONLY and name not in OF_RESULTS) or name in (*PATHS, *NOT_HERE):
        raise ForbiddenError(f"{name}= is of the command line; the studio does not take it")
    elif name in ("samples", "steps") and value.isdecimal():
        most = MOST_SAMPLES if name == "samples" else MOST_STEPS
        if int(value) > most:
            raise ForbiddenError(f"{name}={value}; the studio takes {most} at most")


@cache
def open_choices(group: str) -> list[str]:
    """The choices of a group that load and run nothing that is named elsewhere."""
    if group == "paper":
        return []
    known = [choice for choice in choices_of(group) if choice not in CLOSED.get(group, ())]
    return [choice for choice in known if group != "prior" or own_file(choice)]


def own_file(prior: str) -> bool:
    """Whether a prior is a file of weights whose name is known."""
    node = yaml.safe_load((CONF / "prior" / f"{prior}.yaml").read_text(encoding="utf-8"))
    named = isinstance(node.get("path"), str) and node["path"] != "???"
    return named and node["_target_"] == "gdp.prior.weights.load_prior"


def check_inner(name: str, group: str, inner: str, value: str) -> None:
    """The same of a setting in a group, such as operator.r."""
    file = any(part in FILES or part.startswith("_") for part in inner.split("."))
    sought = name == "operator.kernel" and value == "auto"
    known = group in groups() and group not in ("prior", "paper", "hydra")
    if not known or (file and not sought):
        raise ForbiddenError(f"{name}= is of the command line; the studio does not take it")
    if not any(inner in keys for keys in settings_of_group(group).values()):
        raise ForbiddenError(f"no setting named {name!r}")


def plain(value: str) -> bool:
    """Whether a value is a number, a word, or a list of numbers."""
    return any(kind.fullmatch(value) for kind in (WORD, NUMBER, LISTED))
