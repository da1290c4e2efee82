"""CUDA graphs: a network's work on one shape, recorded once and replayed.

A small picture waits longer for its kernels' launches than for the kernels; a graph launches all of
them at once. It repeats what it recorded, on the memory it recorded, so it serves one shape, type
and device, and as long as the weights stay where they are. Only a network that says so
(`capturable`: what it does depends on shapes alone) is recorded.

A network that can be entered halfway (gdp/prior/reuse.py) has three kinds of calls, and a graph for
each: the whole, the whole with what enters its last stages, and the shallow stages alone.
"""

import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from gdp.network.recording import Inputs, Outputs, Recording, Work

log = logging.getLogger(__name__)
RECORDED_CALL = 3  # a kind of call is recorded when it comes for this time
MAX_GRAPHS = 4  # at a time
MAX_COUNTED = 64  # kinds of calls that are counted

# Pixels times channels of the first level; beyond them launches hide behind work, and a graph would
# hold much memory.
MAX_SIZE = 2**26
TOLERANCE = 0.02  # of the largest value, between a replay and what it replays

Key = tuple[Any, ...]
Record = Callable[[Work, Inputs, Any], Work]


class Graphs:
    """Calls a network, by a graph where one pays: from a call's third time on, on CUDA.

    Threads may share it. After a graph that cannot be recorded, or whose first replay is not what
    the network gives, there are no more of them: a failed recording may leave CUDA in a state in
    which the next one fails as well, or worse.

    Args:
        record: makes a graph of (net, inputs, a graph to share memory with, or None).
        limit: how many graphs there are at a time; the least recently used one leaves.
    """

    def __init__(self, record: Record = Recording, limit: int = MAX_GRAPHS):
        self.record, self.limit = record, limit
        self.graphs: OrderedDict[Key, Work] = OrderedDict()  # least recent first
        self.calls: OrderedDict[Key, int] = OrderedDict()
        self.weights: list[Tensor] = []
        self.addresses: list[int] = []
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Graphs, (self.record, self.limit)  # a copy records its own

    def __call__(
        self,
        net: nn.Module,
        z: Tensor,
        timesteps: Tensor,
        labels: Tensor | None = None,
        deep: list[Tensor] | None = None,
    ) -> Tensor:
        """The network's result.

        Args:
            net: called as net(z, timesteps, labels), and with `deep` where that is given.
            z: pictures [B, C, H, W].
            timesteps: [B].
            labels: classes [B], or None.
            deep: as of UNet: an empty list is filled, a full one spares the deep stages.
        """
        keeps = deep is not None and not deep
        inputs = (z, timesteps, labels, deep[0] if deep else None)
        out = self.run(net, partial(call, net, keeps), keeps, inputs)
        if deep is not None and keeps:
            deep.append(out[1])
        return out[0]

    def run(self, net: nn.Module, work: Work, keeps: bool, inputs: Inputs) -> Outputs:
        """What `work` gives for inputs; `keeps` tells two kinds of it apart."""
        if not self.pays(net, inputs[0]):
            return work(*inputs)

        key = (
            keeps,
            *(
                None if value is None else (value.shape, value.dtype, value.device)
                for value in inputs
            ),
        )
        with self.lock:
            self.forget_other_weights(net)
            if key in self.graphs:
                self.graphs.move_to_end(key)
                return self.graphs[key](*inputs)
            if self.count(key) >= RECORDED_CALL:
                return self.add(key, work, inputs)
        return work(*inputs)

    def drop(self) -> bool:
        """Give the memory of all graphs back, for good; whether there were any."""
        with self.lock:
            had = bool(self.graphs)
            self.graphs.clear()
            self.limit = 0
        return had

    def pays(self, net: nn.Module, z: Tensor) -> bool:
        """Whether a graph may stand for this call, and is worth its memory."""
        capturable = getattr(net, "capturable", False) and not net.training
        if not capturable or torch.is_grad_enabled() or not available(z) or not self.limit:
            return False
        size = len(z) * z.shape[-2] * z.shape[-1] * getattr(net, "model_channels", 256)
        return size <= MAX_SIZE

    def forget_other_weights(self, net: nn.Module) -> None:
        """Forget everything where the weights are others, or lie elsewhere than they did."""
        first = next(net.parameters(), None)
        same = self.weights and first is self.weights[0]
        if same and [w.data_ptr() for w in self.weights] == self.addresses:
            return

        self.weights = list(net.parameters())
        self.addresses = [w.data_ptr() for w in self.weights]
        self.graphs.clear()
        self.calls.clear()

    def count(self, key: Key) -> int:
        """How often a kind of call came, this time included."""
        self.calls[key] = self.calls.pop(key, 0) + 1
        if len(self.calls) > MAX_COUNTED:
            self.calls.popitem(last=False)
        return self.calls[key]

    def add(self, key: Key, work: Work, inputs: Inputs) -> Outputs:
        """The network's result, of which a graph is recorded and used if it gives the same."""
        expected = work(*inputs)
        del self.calls[key]

        # Memory that runs out is no error either: without a graph there may be enough.
        try:
            graph = self.record(work, inputs, next(iter(self.graphs.values()), None))
            matches = all(map(near, graph(*inputs), expected))
        except RuntimeError as error:
            log.debug("no CUDA graph of %s: %s", tuple(inputs[0].shape), error)
            matches = False

        if not matches:
            self.graphs.clear()
            self.limit = 0
            return expected
        self.graphs[key] = graph
        if len(self.graphs) > self.limit:
            self.graphs.popitem(last=False)
        return expected


def call(
    net: nn.Module,
    keeps: bool,
    z: Tensor,
    timesteps: Tensor,
    labels: Tensor | None,
    deep: Tensor | None,
) -> Outputs:
    """A network's result and, if it `keeps` them, the deep features; `deep` spares its stages."""
    if not keeps and deep is None:
        return (net(z, timesteps, labels),)
    features = [] if deep is None else [deep]
    out = net(z, timesteps, labels, deep=features)
    return (out, *features) if keeps else (out,)


def near(replayed: Tensor, expected: Tensor) -> bool:
    """Whether a replay gives what the network does; NaN is near to nothing."""
    difference = (replayed - expected).abs().max()
    return bool(difference <= TOLERANCE * expected.abs().max())


def available(z: Tensor) -> bool:
    """Whether work on z can be recorded now: on CUDA, outside another recording and autocast.

    GDP_GRAPHS=0 says no.
    """
    return (
        z.is_cuda
        and os.environ.get("GDP_GRAPHS") != "0"
        and not torch.cuda.is_current_stream_capturing()
        and not torch.is_autocast_enabled("cuda")
    )
