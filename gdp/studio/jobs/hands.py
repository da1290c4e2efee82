"""A process that works for the server: it may be stopped at any moment, run out of memory or crash.

Requests go to it as lines of JSON, and so do its answers come (gdp/studio/worker/__main__.py). It
ends with the server, also where that is killed.
"""

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from gdp.storage.places import PACKAGE

GRACE = 0.7  # seconds that a stop may take before the process is ended
LOOK = 0.05  # seconds between two looks at whether to stop
Event = dict[str, Any]


class DiedError(RuntimeError):
    """The process ended in the middle of its work."""


class Hands:
    """One process, begun anew where it has ended.

    Args:
        log: where its standard error goes.
        first: a request that it is given whenever it begins, to have at hand what others need.
    """

    def __init__(self, log: Path, first: str = ""):
        self.log, self.first = log, first
        self.lock = threading.Lock()  # one request at a time
        self.process: subprocess.Popen[str] | None = None
        self.events: queue.Queue[Event | None] = queue.Queue()
        self.nowhere = tempfile.TemporaryDirectory(prefix="gdp-studio-")  # relative paths lead here

    def start(self) -> None:
        """Begin the process, if it does not run."""
        if self.process is not None and self.process.poll() is None:
            return
        path = os.pathsep.join([str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")])
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gdp.studio.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=self.nowhere.name,
                env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep), "TQDM_DISABLE": "1"},
                encoding="utf-8",
                errors="replace",
            )
        self.events = queue.Queue()
        reader = threading.Thread(
            target=read_events, args=(self.process.stdout, self.events), daemon=True
        )
        reader.start()
        if self.first:
            self.send({"do": self.first})

    def send(self, request: Mapping[str, Any]) -> None:
        """Hand over a request."""
        assert self.process is not None
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except (OSError, ValueError):  # it has ended, which reading its events tells
            pass

    def ask(
        self,
        request: Mapping[str, Any],
        on_event: Callable[[Event], None] = lambda event: None,
        stop: threading.Event | None = None,
        limit: float | None = None,
    ) -> Event:
        """Have a request done, and give its last event.

        Args:
            request: what is to be done; "do" names it.
            on_event: follows the other events.
            stop: set, it stops the work within about a second.
            limit: seconds after which it is stopped, too.

        Raises:
            DiedError: the process ended, for want of memory for example; the next request finds
                a new one.
        """
        with self.lock:
            self.start()
            self.send(request)
            began, told = time.monotonic(), 0.0
            while True:
                try:
                    event = self.events.get(timeout=LOOK)
                except queue.Empty:
                    event = {}
                if event is None:
                    self.end()
                    raise DiedError
                if event.get("event") == "end" and event.get("do") == request["do"]:
                    return event
                if event:
                    on_event(event)

                # First in words, then by force.
                now = time.monotonic()
                over = limit is not None and now - began > limit
                if told == 0.0 and (over or (stop is not None and stop.is_set())):
                    told = now
                    self.send({"do": "stop"})
                elif told and now - told > GRACE:
                    self.end()
                    self.start()
                    return {"event": "end", "do": request["do"], "stopped": True}

    def end(self) -> None:
        """End the process."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                continue
        self.process = None


def read_events(stream: IO[str] | None, events: "queue.Queue[Event | None]") -> None:
    """Put a process's lines into a queue, and None at its end."""
    try:
        for line in stream or ():
            try:
                event = json.loads(line)
            except ValueError:  # a library that prints
                continue
            if isinstance(event, dict):
                events.put(event)
    except (OSError, ValueError):
        pass
    events.put(None)
