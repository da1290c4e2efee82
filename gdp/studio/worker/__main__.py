"""The process that works for the studio: reads requests as lines of JSON, and answers likewise.

in     {"do": "ready" | "warm" | "look" | "mark" | "select" | "restore" | "stop", ...}
out    {"event": "progress" | "photo" | "say" | "end", ...}; "end" closes a request

It ends when its input does, so that none outlives the server.
"""

import _thread
import json
import logging
import os
import queue
import signal
import sys
import threading
from typing import Any

from gdp.stops import Interrupts

Request = dict[str, Any]


class Out:
    """The line to the server; whatever libraries print goes to standard error."""

    def __init__(self) -> None:
        self.stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        self.lock = threading.Lock()
        os.dup2(2, 1)

    def __call__(self, event: str, **values: Any) -> None:
        """Tell an event."""
        line = json.dumps({"event": event, **values}, ensure_ascii=True)
        with self.lock:
            self.stream.write(line + "\n")
            self.stream.flush()


class Said(logging.Handler):
    """What the program says of a photo, for the page."""

    def __init__(self, out: Out):
        super().__init__(logging.INFO)
        self.out = out

    def emit(self, record: logging.LogRecord) -> None:
        """Tell a line, as words of the terminal have it."""
        self.out("say", text=record.getMessage(), warning=record.levelno >= logging.WARNING)


def listen(requests: "queue.Queue[Request]", busy: threading.Event) -> None:
    """Read requests for ever; "stop" interrupts the one in hand."""
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] != "stop":
            requests.put(request)
        elif busy.is_set():
            _thread.interrupt_main(signal.SIGINT)
    os._exit(0)  # the server is gone


def answer(request: Request, out: Out) -> dict[str, Any]:
    """Do what is asked.

    Returns:
        What its end tells.

    Raises:
        ValueError, TypeError, OSError: it cannot be done; in a line.
    """
    from gdp.studio.worker import look, mark, restore, select

    if request["do"] in ("ready", "warm"):
        return restore.warm() if request["do"] == "warm" else {}
    if request["do"] == "look":
        return look.look(request)
    if request["do"] == "mark":
        return mark.mark(request)
    if request["do"] == "select":
        return select.select(request)
    return restore.restore(request, out)


def main() -> None:
    """Work until the server is gone."""
    from gdp.cli.messages import report_error

    out, requests, busy = Out(), queue.Queue[Request](), threading.Event()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    log = logging.getLogger("gdp")
    log.setLevel(logging.INFO)
    log.addHandler(Said(out))
    signal.signal(signal.SIGINT, Interrupts())
    threading.Thread(target=listen, args=(requests, busy), daemon=True).start()

    while True:
        try:
            request = requests.get()
            busy.set()
            end: dict[str, Any] = {}
            try:
                end = answer(request, out)
            except KeyboardInterrupt:
                end = {"stopped": True}
            except Exception as error:
                end = {"error": report_error(error, verbose=False)}
            busy.clear()
            out("end", do=request["do"], **end)
        except KeyboardInterrupt:  # too late for what it was meant to stop
            continue


if __name__ == "__main__":
    main()
