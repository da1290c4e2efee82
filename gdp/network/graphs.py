"""CUDA graphs: a network's work on one shape, recorded once and replayed.

A small picture waits longer for its kernels' launches than for the kernels; a graph launches all of
them at once. It repeats what it recorded, on the memory it recorded, so it serves one shape, type
and device, and as long as the weights stay where they are. Only a network that says so
(`capturable`: what it does depends on shapes alone) is recorded.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)
RECORDED_CALL = 3  # a kind of call is recorded when it comes for this time
MAX_GRAPHS = 4  # at a time
MAX_COUNTED = 64  # kinds of calls that are counted

# Pixels times channels of the first level; beyond them launches hide behind work, and a graph would
# hold much memory.
MAX_SIZE = 2**26
TOLERANCE = 0.02  # of the largest value, between a replay and what it replays
ONE_AT_A_TIME = threading.Lock()  # a process records one graph at a time

Inputs = tuple[Tensor, Tensor, Tensor | None]
Key = tuple[Any, ...]
Record = Callable[[nn.Module, Inputs, Any], Callable[..., Tensor]]


class Recording:
    """A network's work on inputs of one shape, on CUDA.

    Args:
        net: what is recorded.
        inputs: (z, timesteps, labels), of the shapes and types to come.
        beside: a recording to share memory with; the two take turns.
    """

    def __init__(self, net: nn.Module, inputs: Inputs, beside: "Recording | None" = None):
        with torch.inference_mode(False), torch.no_grad(), torch.cuda.device(inputs[0].device):
            self.inputs = [None if value is None else torch.zeros_like(value) for value in inputs]
            self.graph: torch.cuda.CUDAGraph = torch.cuda.CUDAGraph()
            self.stream: torch.cuda.Stream = (
                torch.cuda.Stream() if beside is None else beside.stream
            )
            self.turn: torch.cuda.Event = torch.cuda.Event() if beside is None else beside.turn

            # A first call, in which libraries set themselves up.
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                net(*self.inputs)
            torch.cuda.current_stream().wait_stream(self.stream)

            # The second one is recorded.
            pool = None if beside is None else beside.graph.pool()
            with (
                ONE_AT_A_TIME,
                torch.cuda.graph(
                    self.graph, pool=pool, stream=self.stream, capture_error_mode="thread_local"
                ),
            ):
                self.out = net(*self.inputs)

    def __call__(self, *inputs: Tensor | None) -> Tensor:
        """What the network gives for `inputs`."""
        with torch.cuda.device(self.out.device):
            torch.cuda.current_stream().wait_event(self.turn)
            for place, value in zip(self.inputs, inputs, strict=True):
                if place is not None and value is not None:
                    place.copy_(value)
            self.graph.replay()
            out = self.out.clone()
            self.turn.record()
        return out


class Graphs:
    """Calls a network, by a graph where one pays: from a call's third time on, on CUDA.

    Threads may share it. A graph that cannot be recorded, or whose first replay is not what the
    network gives, is not tried again.

    Args:
        record: makes a graph of (net, inputs, a graph to share memory with, or None).
        limit: how many graphs there are at a time; the least recently used one leaves.
    """

    def __init__(self, record: Record = Recording, limit: int = MAX_GRAPHS):
        self.record, self.limit = record, limit
        self.graphs: OrderedDict[Key, Callable[..., Tensor]] = OrderedDict()  # least recent first
        self.calls: OrderedDict[Key, int] = OrderedDict()
        self.failures: set[Key] = set()
        self.weights: list[Tensor] = []
        self.addresses: list[int] = []
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Graphs, (self.record, self.limit)  # a copy records its own

    def __call__(
        self, net: nn.Module, z: Tensor, timesteps: Tensor, labels: Tensor | None = None
    ) -> Tensor:
        """The network's result.

        Args:
            net: called as net(z, timesteps, labels).
            z: pictures [B, C, H, W].
            timesteps: [B].
            labels: classes [B], or None.
        """
        if not self.pays(net, z):
            return net(z, timesteps, labels)

        inputs = (z, timesteps, labels)
        key = tuple(
            None if value is None else (value.shape, value.dtype, value.device) for value in inputs
        )
        with self.lock:
            self.forget_other_weights(net)
            if key in self.graphs:
                self.graphs.move_to_end(key)
                return self.graphs[key](*inputs)
            if self.count(key) >= RECORDED_CALL:
                return self.add(key, net, inputs)
        return net(*inputs)

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
        for memory in (self.graphs, self.calls, self.failures):
            memory.clear()

    def count(self, key: Key) -> int:
        """How often a kind of call came, this time included; 0 where its recording failed."""
        if key in self.failures:
            return 0
        self.calls[key] = self.calls.pop(key, 0) + 1
        if len(self.calls) > MAX_COUNTED:
            self.calls.popitem(last=False)
        return self.calls[key]

    def add(self, key: Key, net: nn.Module, inputs: Inputs) -> Tensor:
        """The network's result, of which a graph is recorded and used if it gives the same."""
        expected: Tensor = net(*inputs)
        del self.calls[key]

        # Memory that runs out is no error either: without a graph there may be enough.
        try:
            graph = self.record(net, inputs, next(iter(self.graphs.values()), None))
            difference = (graph(*inputs) - expected).abs().max()
            matches = bool(difference <= TOLERANCE * expected.abs().max())
        except RuntimeError as error:
            log.debug("no CUDA graph of %s: %s", tuple(inputs[0].shape), error)
            matches = False

        if not matches:
            self.failures.add(key)
            return expected
        self.graphs[key] = graph
        if len(self.graphs) > self.limit:
            self.graphs.popitem(last=False)
        return expected


def available(z: Tensor) -> bool:
    """Whether work on z can be recorded now: on CUDA, outside another recording and autocast."""
    return (
        z.is_cuda
        and not torch.cuda.is_current_stream_capturing()
        and not torch.is_autocast_enabled("cuda")
    )
