"""Operators that misbehave, for workers to import."""

import os
import signal
import time
from pathlib import Path

from operators.base import Operator
from operators.identity import Identity


class Slow(Identity):
    """Takes its time for each photo."""

    def __init__(self, seconds: float = 0.0):
        super().__init__()
        self.seconds = seconds

    def for_file(self, file: Path) -> Operator:
        """The photo of a file."""
        time.sleep(self.seconds)
        return self


class Poison(Slow):
    """Kills the process that restores a photo called poison..."""

    def for_file(self, file: Path) -> Operator:
        """The photo of a file."""
        if Path(file).stem.startswith("poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().for_file(file)
