"""Standard output and error as the program finds them: in any encoding, or not there at all."""

import sys


def readable_streams() -> None:
    """Let text that a terminal or pipe cannot show, such as a file's name, appear as escapes."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
