"""What ends the command line from outside: Ctrl-C at any moment, and output that nobody reads.

Ctrl-C is a KeyboardInterrupt, but not while a module is being imported: some libraries swallow it
there and stay half imported. It comes right after, then, and again where it was swallowed. What
follows shortly is of the same wish, and does not disturb the tidying up; nor do errors that it has
caused in code that it broke off.
"""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from time import monotonic
from types import FrameType
from typing import Any, TextIO

INTERRUPTED = 130  # exit code
AGAIN = 0.05  # seconds until an interrupt that came in an import is looked at again
SAME_WISH = 3.0  # seconds in which further interrupts are the same one
IMPORTS = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


class Interrupts:
    """The handler of SIGINT, while the command line runs."""

    def __init__(self) -> None:
        self.last = float("-inf")
        self.over = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt, now or once what is being imported is imported."""
        if self.over or monotonic() - self.last < SAME_WISH:
            return
        if importing(frame):
            interrupt_later()
            return
        self.last = monotonic()
        raise KeyboardInterrupt


def importing(frame: FrameType | None) -> bool:
    """Whether a frame, or one that called it, is of an import."""
    while frame is not None:
        if frame.f_code.co_filename in IMPORTS:
            return True
        frame = frame.f_back
    return False


def interrupt_later() -> None:
    """Have the main thread see another SIGINT."""
    import _thread

    later = threading.Timer(AGAIN, _thread.interrupt_main, [signal.SIGINT])
    later.daemon = True
    later.start()


def stopped() -> bool:
    """Whether Ctrl-C was pressed: an error that comes then is of what it broke off."""
    handler = signal.getsignal(signal.SIGINT)
    return isinstance(handler, Interrupts) and handler.last > float("-inf")


def swallowed(unraisable: "sys.UnraisableHookArgs") -> None:
    """Raise Ctrl-C anew where Python could not: in a destructor, or a call from another library."""
    handler = signal.getsignal(signal.SIGINT)
    if issubclass(unraisable.exc_type, KeyboardInterrupt) and isinstance(handler, Interrupts):
        handler.last = float("-inf")
        interrupt_later()
    else:
        sys.__unraisablehook__(unraisable)


def guarded(module: str) -> Callable[[], int]:
    """The function `main` of a module, which is imported when it is called.

    It ends with 130 on Ctrl-C, and what it prints may be read by nobody.
    """

    def main() -> int:
        open_standard_streams()
        handler = Interrupts()
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)  # until the process ends
            sys.unraisablehook = swallowed

        code = INTERRUPTED
        try:
            code = importlib.import_module(module).main()
        except KeyboardInterrupt:
            say("stopped")
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else int(error.code is not None)
            if isinstance(error.code, str):
                say(error.code)
        except Exception:
            if not stopped():
                raise
            say("stopped")
        finally:
            handler.over = True
            if threading.current_thread() is threading.main_thread():
                # Python's end would put the default back, which kills
                signal.signal(signal.SIGINT, signal.SIG_IGN)
            close_standard_streams()
        return code

    return main


class Unread:
    """A stream of text that never fails: what cannot be written is left out.

    Args:
        stream: where the text goes.
    """

    def __init__(self, stream: TextIO):
        self.stream = stream

    def write(self, text: str) -> int:
        """Write, with escapes for what the terminal's encoding lacks."""
        try:
            return self.stream.write(text)
        except UnicodeError:
            encoding = getattr(self.stream, "encoding", None) or "ascii"
            return self.write(text.encode(encoding, "backslashreplace").decode(encoding))
        except (OSError, ValueError):
            return len(text)

    def flush(self) -> None:
        """Flush, if anybody reads."""
        try:
            self.stream.flush()
        except (OSError, ValueError):
            return

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def open_standard_streams() -> None:
    """Put something in place of standard streams that are closed, and have the others not fail."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:  # closed: else the next file that is opened would get its number
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for name in ("stdout", "stderr"):
        if not isinstance(getattr(sys, name), Unread):
            setattr(sys, name, Unread(getattr(sys, name)))


def close_standard_streams() -> None:
    """Write out what waits; where that fails, nobody is told of it, also not at Python's end."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, Unread):
            continue
        setattr(sys, name, stream.stream)
        try:
            stream.stream.flush()
        except (OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(null, stream.stream.fileno())
            except (OSError, ValueError):
                setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def say(line: str) -> None:
    """A line for whoever reads stderr."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
