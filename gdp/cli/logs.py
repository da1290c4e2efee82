"""How messages look: lines for people, or log=json, an object a line for programs."""

import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

JSON = ("log=json", "++log=json")  # words that ask for objects
FORMAT = "%(message)s"


class JsonLines(logging.Formatter):
    """A message as one JSON object: time (UTC), level, message, and what `extra` gave as `data`."""

    def format(self, record: logging.LogRecord) -> str:
        seconds = time.gmtime(record.created)
        values: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", seconds),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        values |= getattr(record, "data", {})
        if record.exc_info:
            values["traceback"] = self.formatException(record.exc_info)
        return json.dumps(values, default=str)


def begin(words: Sequence[str]) -> None:
    """Set the messages up, by the words of the command line: errors in these are messages too.

    Bars are for terminals: into a file or a pipe each of their steps would be a line.
    """
    logging.basicConfig(format=FORMAT, level=logging.WARNING, stream=sys.stderr, force=True)
    if any(word in JSON for word in words):
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
    isatty = getattr(sys.stderr, "isatty", None)
    if isatty is None or not isatty():
        os.environ.setdefault("TQDM_DISABLE", "1")  # read where tqdm is imported
