"""How far a restoration is, saved every few minutes, so that one that was killed goes on where it was, bit for bit.

A restoration may have parts, one after the other: batches of samples, passes at several scales. Each has a `Place`, and keeps there the
latest state of its loop (samplers/base.py); that of a part that is over is its result. The file is .safetensors: plain tensors, and JSON.
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
    """The states of a restoration's parts, in `file` as often as every `minutes`; never where that is None.

    `key` tells restorations apart: a file of another one is passed over. `seconds` is what was spent before the file was written.
    """

    def __init__(self, file: Path, key: str, minutes: float | None, name: str = "photo"):
        self.file, self.key, self.minutes, self.name = file, key, minutes, name
        self.states: dict[str, State] = {}
        self.read: tuple[dict[str, Any], dict[str, Tensor]] = {}, {}
        self.seconds = 0.0
        self.began = self.written = monotonic()

    def load(self) -> bool:
        """Take up what the file holds of this restoration, if anything."""
        if self.minutes is None or not self.file.is_file():
            return False
        try:
            with safe_open(self.file, "pt") as stored:
                known = json.loads((stored.metadata() or {}).get("gdp", "{}"))
                if known.get("key") != self.key:
                    return False
                tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 (it is no dict)
            self.read, self.seconds = (known["states"], tensors), known["seconds"]
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            log.warning(
                "%s: %s cannot be read (%s), so it begins anew", self.name, self.file, error
            )
            return False
        return True

    def place(self) -> "Place":
        """Of the whole restoration."""
        return Place(self)

    def state(self, path: str, device: torch.device) -> State | None:
        """Where a part was, if it had begun."""
        states, tensors = self.read
        if path not in states:
            return None
        self.states[path] = decode(states.pop(path), tensors, device)
        return self.states[path]

    def offer(self, path: str, state: State) -> None:
        """The latest state of a part; it is written where the time has come."""
        self.states[path] = state
        if self.minutes is not None and monotonic() - self.written >= 60 * self.minutes:
            self.write()

    def stop(self) -> bool:
        """Write what there is, if the work was long enough to be worth it: for an interruption that leaves the time. Whether it was."""
        if (
            self.minutes is not None
            and self.states
            and monotonic() - self.began + self.seconds >= 60 * self.minutes
        ):
            self.write()
        return self.minutes is not None and self.file.is_file()

    def write(self) -> None:
        """Replace the file; where that is impossible, say so once and go on without."""
        tensors: dict[str, Tensor] = {}
        try:
            states = {path: encode(state, tensors) for path, state in self.states.items()}
            known = {
                "key": self.key,
                "seconds": self.seconds + monotonic() - self.began,
                "states": states,
            }
            with atomic(self.file) as temporary:
                save_file(tensors, temporary, {"gdp": json.dumps(known)})
        except (OSError, TypeError, SafetensorError) as error:
            log.warning(
                "%s: how far it is cannot be saved (%s), so after an interruption it begins anew",
                self.name,
                error,
            )
            self.minutes = None
        self.written = monotonic()


class Place:
    """Of one part in a snapshot."""

    def __init__(self, snapshot: Snapshot, path: str = ""):
        self.snapshot, self.path = snapshot, path

    def at(self, name: object) -> "Place":
        """Of a part of this part."""
        return Place(self.snapshot, f"{self.path}/{name}")

    def load(self, device: torch.device) -> State | None:
        """Where it was, if it had begun."""
        return self.snapshot.state(self.path, device)

    def offer(self, state: State) -> None:
        """Where it is now. What the state holds must not be changed in place afterwards."""
        self.snapshot.offer(self.path, state)
