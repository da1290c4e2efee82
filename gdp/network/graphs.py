"""CUDA graphs: a network's work on one shape, recorded once and replayed, so that a small picture need not wait for its kernels' launches.

A graph repeats what it recorded, on the memory it recorded, so it is kept for one shape, type and device, and as long as the weights stay
where they are. Only a network that says so (`capturable`: what it does depends on shapes alone) is recorded.
"""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)
WORTH = 3  # calls of one kind: at this one it is recorded
MOST = 4  # graphs at a time
REMEMBERED = 64  # kinds of calls that are counted
LARGEST = (
    2**26
)  # pixels times channels of the first level: beyond it launches hide behind work, and a graph would hold much memory
ONE_AT_A_TIME = threading.Lock()  # a process records one graph at a time
TOLERANCE = 0.02  # of the largest value, between a replay and what it replays

Inputs = tuple[Tensor, Tensor, Tensor | None]
Key = tuple[Any, ...]
Record = Callable[[nn.Module, Inputs, Any], Callable[..., Tensor]]


class Recording:
    """net's work on inputs of one shape, on CUDA. Recordings made `beside` each other share memory, so they take turns."""

    def __init__(self, net: nn.Module, inputs: Inputs, beside: "Recording | None" = None):
        with torch.inference_mode(False), torch.no_grad(), torch.cuda.device(inputs[0].device):
            self.inputs = [None if value is None else torch.zeros_like(value) for value in inputs]
            self.graph: torch.cuda.CUDAGraph = torch.cuda.CUDAGraph()
            self.stream: torch.cuda.Stream = (
                torch.cuda.Stream() if beside is None else beside.stream
            )
            self.turn: torch.cuda.Event = torch.cuda.Event() if beside is None else beside.turn
            self.stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(self.stream):
                net(*self.inputs)  # libraries set themselves up
            torch.cuda.current_stream().wait_stream(self.stream)
            pool = None if beside is None else beside.graph.pool()
            with (
                ONE_AT_A_TIME,
                torch.cuda.graph(
                    self.graph, pool=pool, stream=self.stream, capture_error_mode="thread_local"
                ),
            ):
                self.out = net(*self.inputs)

    def __call__(self, *inputs: Tensor | None) -> Tensor:
        """What net gives for `inputs`."""
        with torch.cuda.device(self.out.device):
            torch.cuda.current_stream().wait_event(self.turn)
            for kept, value in zip(self.inputs, inputs, strict=True):
                if kept is not None and value is not None:
                    kept.copy_(value)
            self.graph.replay()
            out = self.out.clone()
            self.turn.record()
        return out


class Graphs:
    """Calls `net(z, timesteps, labels)`, by a graph where one pays: from the third call of a kind on, without gradients, on CUDA.

    Threads may share it. A graph that cannot be made, or whose first replay is not what net gives, is not tried again.
    """

    def __init__(self, record: Record = Recording, most: int = MOST):
        self.record, self.most = record, most
        self.graphs: OrderedDict[Key, Callable[..., Tensor]] = (
            OrderedDict()
        )  # the least recent first
        self.calls: OrderedDict[Key, int] = OrderedDict()
        self.refused: set[Key] = set()
        self.weights: list[Tensor] = []
        self.places: list[int] = []
        self.lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Graphs, (self.record, self.most)  # a copy makes its own

    def __call__(
        self, net: nn.Module, z: Tensor, timesteps: Tensor, labels: Tensor | None = None
    ) -> Tensor:
        """net's output [B, ..] at z [B, C, H, W], timesteps [B] and labels [B]."""
        if not self.wanted(net, z):
            return net(z, timesteps, labels)
        key = tuple(
            None if value is None else (value.shape, value.dtype, value.device)
            for value in (z, timesteps, labels)
        )
        with self.lock:
            self.look_at(net)
            if key in self.graphs:
                self.graphs.move_to_end(key)
                return self.graphs[key](z, timesteps, labels)
            if self.due(key):
                return self.added(key, net, (z, timesteps, labels))
        return net(z, timesteps, labels)

    def wanted(self, net: nn.Module, z: Tensor) -> bool:
        """Whether a graph may stand for this call, and pays."""
        if (
            not getattr(net, "capturable", False)
            or net.training
            or torch.is_grad_enabled()
            or not available(z)
            or not self.most
        ):
            return False
        return len(z) * z.shape[-2] * z.shape[-1] * getattr(net, "model_channels", 256) <= LARGEST

    def look_at(self, net: nn.Module) -> None:
        """Forget everything where the weights are others, or lie elsewhere than they did."""
        first = next(net.parameters(), None)
        if (
            not self.weights
            or first is not self.weights[0]
            or [w.data_ptr() for w in self.weights] != self.places
        ):
            self.weights = list(net.parameters())
            self.places = [w.data_ptr() for w in self.weights]
            for kept in (self.graphs, self.calls, self.refused):
                kept.clear()

    def due(self, key: Key) -> bool:
        """Count a call without a graph; whether it is time to make one."""
        if key in self.refused:
            return False
        self.calls[key] = self.calls.pop(key, 0) + 1
        if len(self.calls) > REMEMBERED:
            self.calls.popitem(last=False)
        return self.calls[key] >= WORTH

    def added(self, key: Key, net: nn.Module, inputs: Inputs) -> Tensor:
        """net's output; its graph is kept if it gives the same."""
        want: Tensor = net(*inputs)
        del self.calls[key]
        try:
            graph = self.record(net, inputs, next(iter(self.graphs.values()), None))
            difference = (graph(*inputs) - want).abs().max()
            right = bool(difference <= TOLERANCE * want.abs().max())
        except (
            RuntimeError
        ) as error:  # memory that ran out too: without a graph there may be enough
            log.debug("no CUDA graph of %s: %s", tuple(inputs[0].shape), error)
            right = False
        if right:
            self.graphs[key] = graph
            if len(self.graphs) > self.most:
                self.graphs.popitem(last=False)
        else:
            self.refused.add(key)
        return want


def available(z: Tensor) -> bool:
    """Whether work on z can be recorded now: on CUDA, outside another recording, types as they are."""
    return (
        z.is_cuda
        and not torch.cuda.is_current_stream_capturing()
        and not torch.is_autocast_enabled("cuda")
    )
