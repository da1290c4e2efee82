"""Flags of the command line: Hydra's own, which may stand anywhere; any other is refused.

So are words that a line has once.
"""

from collections.abc import Sequence
from pathlib import Path

from gdp.compose.refusal import groups
from gdp.compose.settings import SETTINGS

# Hydra's flags; the second kind takes the next word.
FLAGS = (
    *("--help", "-h", "--hydra-help", "--version", "--resolve", "--run", "-r"),
    *("--multirun", "-m", "--shell-completion", "-sc"),
)
FLAGS_WITH_WORD = (
    *("--cfg", "-c", "--package", "-p", "--info", "-i", "--experimental-rerun"),
    *("--config-path", "-cp", "--config-name", "-cn", "--config-dir", "-cd"),
)
FOLDER = ("--config-dir", "-cd")


def sort_flags(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags with the words that belong to them, and the other words.

    Raises:
        ValueError: a flag does not exist.
    """
    flags: list[str] = []
    others: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        name = word.partition("=")[0]
        if not word.startswith("-"):
            others.append(word)
        elif name in FLAGS or ("=" in word and name in FLAGS_WITH_WORD):
            flags.append(word)
        elif word in FLAGS_WITH_WORD:
            flags += [word, left.pop(0)] if left else [word]
        else:
            raise ValueError(unknown_flag(word, left))
    return flags, others


def refuse_twice(words: Sequence[str]) -> None:
    """Raise ValueError where a line names two papers, or experiments: the first would not count."""
    for group in ("paper", "experiment"):
        named = [word for word in words if word.partition("=")[0].lstrip("+") == group]
        if len(named) > 1:
            raise ValueError(f"{' and '.join(named)} are both of this line; give one of them")


def unknown_flag(word: str, after: Sequence[str]) -> str:
    """What is wrong with a word that begins with a dash."""
    name, equals, value = word.lstrip("-").partition("=")
    name = name.replace("-", "_")
    if name in SETTINGS or name.partition(".")[0] in groups():
        if not equals:
            value = after[0] if after and "=" not in after[0] and after[0][:1] != "-" else "..."
        return f"{word}: settings are given without dashes, {name}={value}"
    return (
        f"{word} is no flag; settings are given as name=value (--help lists them), "
        f"and a photo of that name as ./{word}"
    )


def config_folder(flags: Sequence[str]) -> Path | None:
    """The user's own folder of configurations that flags name, if they do."""
    for flag, after in zip(flags, [*flags, ""][1:], strict=True):
        name, equals, value = flag.partition("=")
        if name in FOLDER:
            return Path(value if equals else after).expanduser()
    return None
