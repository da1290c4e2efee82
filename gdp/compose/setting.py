"""One setting: its type, default and bounds, and the words that explain it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from textwrap import fill
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

TRUTH_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
TYPE_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
HELP_WIDTH, HELP_INDENT = 100, 31  # characters


@dataclass(frozen=True)
class Setting:
    """What is known of a setting.

    Args:
        section: the heading under which --help lists it.
        help: what it does, in a line.
        needed: what it takes, as an error says it; made from the type if left out.
        least, most: ends of the range of a number, which are in it.
        above, below: ends of the range of a number, which are not in it.
        cosmetic: whether it leaves a result's numbers as they are, but for rounding.
        files_only: whether it is about the command line's files, and no keyword in Python.
        path: whether it names files.
        younger: whether folders of results are older than it: at its default it leaves them known.
        shown: the default as --help shows it; as YAML writes it if left out.
        name, type, default: filled in from the table that declares it.
    """

    section: str
    help: str
    needed: str = ""
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    cosmetic: bool = False
    files_only: bool = False
    path: bool = False
    younger: bool = False
    shown: str = ""
    name: str = ""
    type: Any = None
    default: Any = None

    @property
    def options(self) -> tuple[Any, ...]:
        """The types that its value may be of."""
        union = get_origin(self.type) in (Union, UnionType)
        return get_args(self.type) if union else (self.type,)

    @property
    def kind(self) -> str:
        """Its type and bounds in words."""
        names = []
        for option in self.options:
            if get_origin(option) is Literal:
                *words, last = map(str, get_args(option))
                names.append(f"{', '.join(words)} or {last}" if words else last)
            elif get_origin(option) is list:
                of = ", ".join(map(str, get_args(get_args(option)[0]))) or "them"
                names.append(f"a list of {of}")
            elif self.path and option in (str, Any):
                names.append("a path")
            elif option in (int, float):
                names.append(TYPE_NAMES[option] + self.range)
            elif option is not NoneType:
                names.append(TYPE_NAMES[option])
        return ", or ".join(names)

    @property
    def range(self) -> str:
        """Its bounds in words, as they follow the name of its type."""
        if self.least is None:
            return "" if self.above is None else f" above {self.above:g}"
        if self.most is not None and self.most > 2**53:
            return " of 64 bits"
        if self.most is not None:
            return f" from {self.least:g} to {self.most:g}"
        if self.below is not None:
            return f" from {self.least:g} up to but without {self.below:g}"
        return f", {self.least:g} or more"

    def accepts(self, value: Any) -> bool:
        """Whether a value is of the type and within the bounds."""
        return any(self.fits(value, option) for option in self.options)

    def fits(self, value: Any, option: Any) -> bool:
        """Whether a value is of one of the types, and within the bounds."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if self.path and (option in (str, Any) or get_origin(option) is list):
            return fits_path(value, option)
        if option is Any:
            return True
        if option is bool:
            return isinstance(value, bool) or (isinstance(value, int) and value in (0, 1))
        if option in (int, float):
            return number and (option is float or isinstance(value, int)) and self.within(value)
        if get_origin(option) is Literal:
            return (number or isinstance(value, str)) and value in get_args(option)
        if get_origin(option) is list:
            listed = isinstance(value, Sequence) and not isinstance(value, str)
            return listed and all(self.fits(one, get_args(option)[0]) for one in value)
        return isinstance(value, option)

    def within(self, value: float) -> bool:
        """Whether a number is within the bounds; NaN and infinity are not."""
        return (
            abs(value) < float("inf")
            and (self.least is None or value >= self.least)
            and (self.most is None or value <= self.most)
            and (self.above is None or value > self.above)
            and (self.below is None or value < self.below)
        )

    def refusal(self, value: Any) -> str:
        """The error of a value that is not accepted: got, and needed."""
        return f"{self.name}={value}; {self.needed or f'it is {self.kind}'}"


def fits_path(value: Any, option: Any) -> bool:
    """Whether a value names a file, or where that is the option is a list of such or a picture."""
    if isinstance(value, str | Path):
        return str(value).strip() != "" and get_origin(option) is not list
    if get_origin(option) is list:
        return isinstance(value, Sequence) and all(fits_path(one, str) for one in value)
    return option is Any and not isinstance(value, bool | int | float | Sequence | Mapping | None)


def declare(
    default: Any,
    help: str,
    needed: str = "",
    *,
    section: str,
    least: float | None = None,
    most: float | None = None,
    above: float | None = None,
    below: float | None = None,
    cosmetic: bool = False,
    files_only: bool = False,
    path: bool = False,
    younger: bool = False,
    shown: str = "",
) -> Any:
    """A field of a table of settings; the arguments are those of Setting."""
    ends, uses = (least, most, above, below), (cosmetic, files_only, path, younger)
    setting = Setting(section, help, needed, *ends, *uses, shown=shown)
    return field(default=default, metadata={"setting": setting})


def settings_of(table: type) -> dict[str, Setting]:
    """The settings that a table declares, by name, in its order."""
    types = get_type_hints(table)
    return {
        f.name: replace(f.metadata["setting"], name=f.name, type=types[f.name], default=f.default)
        for f in fields(table)
    }


def listing(settings: Iterable[Setting]) -> str:
    """The settings as --help lists them, section by section: default, help line and type."""
    sections: dict[str, list[str]] = {}
    for setting in settings:
        default = setting.shown or str(setting.default)
        if setting.default is None or isinstance(setting.default, bool):
            default = {None: "null", True: "true", False: "false"}[setting.default]
        begin = f"  {setting.name}={default}".ljust(HELP_INDENT - 1) + " "
        entry = fill(
            f"{setting.help} ({setting.kind})",
            HELP_WIDTH,
            initial_indent=begin,
            subsequent_indent=" " * HELP_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
        sections.setdefault(setting.section, []).append(entry)
    return "\n\n".join("\n".join([f"{title}:", *lines]) for title, lines in sections.items())
