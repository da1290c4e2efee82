"""How far a restoration is, saved every few minutes.

One that was killed goes on where it was, bit for bit. A restoration may have parts, one after the
other: batches of samples, passes at several scales. Each has a `Slot`, and keeps there the latest
state of its loop (samplers/base.py); that of a part that is over is its result. The file is
.safetensors: plain tensors, and JSON.
"""

import json
import logging
from pathlib import Path
from time import monotonic
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gdp.storage.files import atomic
from gdp.storage.state import decode, encode

log = logging.getLogger("gdp")
State = dict[str, Any]


class Snapshot:
    """The states of a restoration's parts, in a file.

    Args:
        file: where they are saved.
        key: tells restorations apart; the file of another one is passed over.
        minutes: the time between two writes; None for no file at all.
        name: what the log calls the restoration.

    Attributes:
        seconds: the time that was spent before the file was written.
    """

    def __init__(self, file: Path, key: str, minutes: float | None, name: str = "photo"):
        self.file, self.key, self.minutes, self.name = file, key, minutes, name
        self.states: dict[str, State] = {}
        self.file_states: dict[str, Any] = {}  # of parts that have not taken theirs yet
        self.file_tensors: dict[str, Tensor] = {}
        self.seconds = 0.0
        self.began = self.written = monotonic()

    def load(self) -> bool:
        """Take up what the file holds of this restoration.

        Returns:
            Whether it held anything; a file that cannot be read is reported, and counts as none.
        """
        if self.minutes is None or not self.file.is_file():
            return False

        try:
            with safe_open(self.file, "pt") as stored:
                content = json.loads((stored.metadata() or {}).get("gdp", "{}"))
                if content.get("key") != self.key:
                    return False
                names = stored.keys()
                tensors = {name: stored.get_tensor(name) for name in names}
            self.file_states, self.file_tensors = content["states"], tensors
            self.seconds = content["seconds"]
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            log.warning(
                "%s: %s cannot be read (%s), so it begins anew", self.name, self.file, error
            )
            return False
        return True

    def slot(self) -> "Slot":
        """The slot of the whole restoration."""
        return Slot(self)

    def state(self, path: str, device: torch.device) -> State | None:
        """The state of a part when the file was written; None if it had not begun."""
        if path not in self.file_states:
            return None
        self.states[path] = decode(self.file_states.pop(path), self.file_tensors, device)
        return self.states[path]

    def offer(self, path: str, state: State) -> None:
        """Note the latest state of a part, and write the file if the time has come."""
        self.states[path] = state
        if self.minutes is not None and monotonic() - self.written >= 60 * self.minutes:
            self.write()

    def stop(self) -> bool:
        """Write the file at an interruption, if the work so far took long enough to be worth it.

        Returns:
            Whether there is a file to go on from.
        """
        if self.minutes is None:
            return False
        if self.states and monotonic() - self.began + self.seconds >= 60 * self.minutes:
            self.write()
        return self.minutes is not None and self.file.is_file()

    def write(self) -> None:
        """Replace the file; where that is impossible, say so once and go on without."""
        tensors: dict[str, Tensor] = {}
        try:
            content = {
                "key": self.key,
                "seconds": self.seconds + monotonic() - self.began,
                "states": {path: encode(state, tensors) for path, state in self.states.items()},
            }

            with atomic(self.file) as temporary:
                save_file(tensors, temporary, {"gdp": json.dumps(content)})
        except (OSError, TypeError, SafetensorError) as error:
            log.warning(
                "%s: how far it is cannot be saved (%s), so after an interruption it begins anew",
                self.name,
                error,
            )
            self.minutes = None
        self.written = monotonic()


class Slot:
    """Where one part of a restoration keeps its state."""

    def __init__(self, snapshot: Snapshot, path: str = ""):
        self.snapshot, self.path = snapshot, path

    def at(self, name: object) -> "Slot":
        """The slot of a part of this part."""
        return Slot(self.snapshot, f"{self.path}/{name}")

    def load(self, device: torch.device) -> State | None:
        """The part's state when the file was written; None if it had not begun."""
        return self.snapshot.state(self.path, device)

    def offer(self, state: State) -> None:
        """Keep the part's latest state; what it holds must not be changed in place afterwards."""
        self.snapshot.offer(self.path, state)
