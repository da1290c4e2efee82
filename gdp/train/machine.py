"""What a training run runs on: one device or several, its precision, and its clock."""

import os
import time
from typing import Any

import torch
from torch import Tensor, nn

from gdp.prior.weights.device import pick_device, pick_dtype


class OneDevice:
    """What training asks of accelerate.Accelerator, for one device."""

    process_index, num_processes, is_main_process = 0, 1, True

    def __init__(self, device: torch.device):
        self.device = device

    def prepare(self, net: nn.Module) -> nn.Module:
        """Return the network to call in training."""
        return net

    def backward(self, loss: Tensor) -> None:
        """Compute the gradients of the loss."""
        loss.backward()

    def reduce(self, values: Tensor, _: str) -> Tensor:
        """Take the mean over the processes."""
        return values


def pick_machine(device: str) -> Any:
    """Choose what to train on.

    Args:
        device: auto, cpu or cuda.

    Returns:
        OneDevice, or accelerate's Accelerator where its launcher started several processes.

    Raises:
        ValueError: accelerate is needed, and missing.
    """
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return OneDevice(pick_device(device))

    try:
        from accelerate import Accelerator
    except ImportError:
        raise ValueError(
            "several processes need accelerate: pip install accelerate, or start one process"
        ) from None
    return Accelerator(cpu=device == "cpu")


def agree(machine: Any, values: list[float]) -> list[float]:
    """Take over the first process's values in all of them."""
    if machine.num_processes == 1:
        return values

    from accelerate.utils import broadcast

    return broadcast(torch.tensor(values, dtype=torch.float64, device=machine.device)).tolist()


def bf16(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 where the device computes in it natively, else to nothing.

    A network may be given float16 when it restores; in training that would need its gradients
    watched for what it does not hold.
    """
    if device.type == "cuda":
        native = bool(torch.cuda.is_bf16_supported(including_emulation=False))
    else:
        native = device.type == "cpu" and pick_dtype("auto", device) is torch.bfloat16
    return torch.autocast(device.type, torch.bfloat16, enabled=native)


class Stopwatch:
    """Seconds for which this process ran.

    A stopped process (SIGSTOP, a suspended machine) uses no CPU time, and such time does not count.
    Between two readings it adds the wall time, but no more than a second and twice the CPU time
    that all threads used in it: a step of training uses as much CPU time as wall time or more,
    also where it feeds a GPU.

    Args:
        seconds: where it goes on from.
    """

    def __init__(self, seconds: float = 0.0):
        self.seconds, self.wall, self.cpu = seconds, time.monotonic(), time.process_time()

    def read(self) -> float:
        """Return the seconds so far."""
        wall, cpu = time.monotonic(), time.process_time()
        self.seconds += min(wall - self.wall, 1 + 2 * (cpu - self.cpu))
        self.wall, self.cpu = wall, cpu
        return self.seconds
