"""What the terminal shows, and the exit codes."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from gdp.compose.refusal import refusal
from gdp.stops import stopped

if TYPE_CHECKING:
    from gdp.folder.items import Outcome

DONE, SOME_FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130  # exit codes
log = logging.getLogger("gdp")


def report_error(error: Exception, verbose: bool, where: str = "") -> str:
    """Report an error in a line, with its traceback if `verbose`.

    Args:
        error: what went wrong.
        verbose: the setting of that name.
        where: what the line begins with, such as a photo's name.

    Returns:
        The line, without its beginning.

    Raises:
        KeyboardInterrupt: Ctrl-C has led to the error.
    """
    if stopped():
        raise KeyboardInterrupt from None
    text = error_text(error)
    log.error("error: %s%s", where, text, exc_info=error if verbose else None)
    return text


def error_text(error: Exception) -> str:
    """An error in a line."""
    expected = (ValueError, TypeError, OSError)
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    elif isinstance(error, HydraException | OmegaConfBaseException):
        text = refusal(error)
    elif isinstance(error, MemoryError) or "bad_alloc" in str(error):
        text = (
            "memory is too little; smaller tiles (tiling.tile=128), batch=1 or a smaller photo help"
        )
    elif isinstance(error, expected):
        text = " ".join(str(error).split())
    else:
        text = f"{type(error).__name__}: {error} (verbose=true tells more)"
    return text


def print_files(files: list[Path]) -> None:
    """Print which files were written."""
    for file in files:
        print(file)


def write_page(write: Callable[[], list[Path]], verbose: bool) -> bool:
    """Write a page and print its files; whether that went well."""
    try:
        print_files(write())
    except OSError as error:
        report_error(error, verbose)
        return False
    return True


def summarize(outcomes: "list[Outcome]", folder: Path | str) -> int:
    """Show what became of the photos, where there are several.

    Returns:
        The exit code.
    """
    from gdp.folder.items import failures

    failed = len(failures(outcomes))
    if len(outcomes) > 1:
        width = max(len(outcome.name) for outcome in outcomes)
        for outcome in outcomes:
            seconds = f"{outcome.seconds:8.1f} s" if outcome.seconds else " " * 10
            detail = outcome.error or outcome.url or outcome.where or ""
            log.info("%-*s  %-15s %s  %s", width, outcome.name, outcome.state, seconds, detail)
        done = len(outcomes) - failed
        log.info("%d of %d pictures restored, in %s", done, len(outcomes), folder)

    return REFUSED if failed == len(outcomes) else SOME_FAILED if failed else DONE
