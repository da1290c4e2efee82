"""One CUDA graph: work on tensors of fixed shapes, recorded once and replayed."""

import threading
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

ONE_AT_A_TIME = threading.Lock()  # a process records one graph at a time

# z, timesteps, labels, and the deep features, which only a call of the shallow stages has
Inputs = tuple[Tensor, Tensor, Tensor | None, Tensor | None]
Outputs = tuple[Tensor, ...]  # the network's, and the deep features where they are wanted
Work = Callable[[Tensor, Tensor, Tensor | None, Tensor | None], Outputs]


class Recording:
    """A network's work on inputs of one shape, on CUDA.

    Args:
        work: what is recorded.
        inputs: of the shapes and types to come.
        beside: a recording to share memory with; the two take turns.

    Raises:
        RuntimeError: it cannot be recorded; the thread is on the stream that it was on.
    """

    def __init__(self, work: Work, inputs: Inputs, beside: "Recording | None" = None):
        with torch.inference_mode(False), torch.no_grad(), torch.cuda.device(inputs[0].device):
            places = (None if value is None else torch.zeros_like(value) for value in inputs)
            self.inputs = cast(Inputs, tuple(places))
            self.graph: torch.cuda.CUDAGraph = torch.cuda.CUDAGraph()
            self.stream: torch.cuda.Stream = (
                torch.cuda.Stream() if beside is None else beside.stream
            )
            self.turn: torch.cuda.Event = torch.cuda.Event() if beside is None else beside.turn

            # A first call, in which libraries set themselves up.
            before = torch.cuda.current_stream()
            self.stream.wait_stream(before)
            with torch.cuda.stream(self.stream):
                work(*self.inputs)
            before.wait_stream(self.stream)

            # The second one is recorded. Where that fails, torch leaves the thread on the stream.
            pool = None if beside is None else beside.graph.pool()
            recording = torch.cuda.graph(
                self.graph, pool=pool, stream=self.stream, capture_error_mode="thread_local"
            )
            try:
                with ONE_AT_A_TIME, recording:
                    self.out = work(*self.inputs)
            except RuntimeError:
                free_random_numbers(inputs[0].device)
                raise
            finally:
                torch.cuda.set_stream(before)

    def __call__(self, *inputs: Tensor | None) -> Outputs:
        """What the network gives for `inputs`."""
        with torch.cuda.device(self.out[0].device):
            torch.cuda.current_stream().wait_event(self.turn)
            for place, value in zip(self.inputs, inputs, strict=True):
                if place is not None and value is not None:
                    place.copy_(value)
            self.graph.replay()
            out = tuple(part.clone() for part in self.out)
            self.turn.record()
        return out


def free_random_numbers(device: torch.device) -> None:
    """Give a device's generator a state that no recording holds, which goes on where it was.

    A recording that fails never tells the generator that it has ended; every random number after
    it would be an error.
    """
    generator = torch.cuda.default_generators[device.index or 0]
    generator.graphsafe_set_state(generator.clone_state())
