"""The page's form as words of the command line, and back.

>>> words_of({"task": "sr4", "strength": 0.5})
['task=sr4', 'strength=0.5']
"""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

AUTO = "auto"
# What the form has, in its order, with what it is where nothing is chosen; that is left out of the
# line, but for the task.
FORM: dict[str, Any] = {
    "task": AUTO,
    "strength": 1.0,
    "detail": 0.0,
    "noise": AUTO,
    "sigma_y": "",
    "quality": "balanced",
    "seed": 0,
    "samples": 1,
    "prior": "photo64",
    "format": "png",
    "depth": "photo",
    "keep_exif": False,
}
NUMBERS = {"strength": float, "detail": float, "seed": int, "samples": int}
PROGRAMS = (("gdp",), ("run.py",), ("python", "run.py"), ("python3", "run.py"))
PLACES = ("input", "output", "mask", "overwrite", "report", "verbose", "preview", "checkpoint")


class Line(NamedTuple):
    """A command line, taken apart for the page."""

    form: dict[str, Any]
    more: str  # settings that the form has no place for
    left_out: list[str]  # words that the page has its own ways for, such as input=


def words_of(form: Mapping[str, Any], more: str = "") -> list[str]:
    """The words that a form stands for.

    Args:
        form: values by the names of FORM; None and the usual ones are left out.
        more: further words, as they are typed.

    Raises:
        ValueError: `more` has an open quote.
    """
    words = [f"task={form.get('task') or AUTO}"]
    for name, usual in list(FORM.items())[1:]:
        value = form.get(name)
        if value in (None, "", usual):
            continue
        if name in NUMBERS:
            value = NUMBERS[name](value)
        words.append(f"{name}={shown(value)}")

    # What is typed goes before the form.
    typed = shlex.split(more)
    names = {word.partition("=")[0] for word in typed}
    return [word for word in words if word.partition("=")[0] not in names] + typed


def shown(value: Any) -> str:
    """A value as the command line has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def command(words: Sequence[str], files: Sequence[str], beside: Mapping[str, str]) -> str:
    """The line that does the same in a terminal.

    Args:
        words: the settings.
        files: the photos' names.
        beside: names of further files by their settings, such as {"mask": "mask.png"}.
    """
    given = [f"{name}={file}" for name, file in beside.items()]
    return shlex.join(["gdp", *files, *words, *given])


def parse(text: str) -> Line:
    """Take a command line apart; the program's name may be there or not.

    Raises:
        ValueError: a quote is open, or a value of the form's is none.
    """
    words = shlex.split(text.replace("\\\n", " "))
    for program in sorted(PROGRAMS, key=len, reverse=True):
        if tuple(words[: len(program)]) == program:
            words = words[len(program) :]
            break

    form, more, left_out = dict(FORM), [], []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name in PLACES:
            left_out.append(word)
        elif name in FORM:
            form[name] = value_of(name, value)
        else:
            more.append(word)
    return Line(form, shlex.join(more), left_out)


def value_of(name: str, value: str) -> Any:
    """A word's value as the form has it."""
    if name == "keep_exif":
        return value.lower() in ("true", "yes", "on", "1")
    if value in ("null", ""):
        return FORM[name]
    if name in NUMBERS:
        try:
            return NUMBERS[name](value)
        except ValueError:
            raise ValueError(f"{name}={value}; it is a number") from None
    return value
