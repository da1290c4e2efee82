"""The steps of a training run.

for step in 0, 1, ...:   x0, eps, t = draws of (seed, step)          gdp/train/data.py
                         L = L_simple + 0.001 T L_vlb                gdp/train/loss.py
                         AdamW, lr = warm-up * cosine(progress), gradients clipped
                         EMA, slower and slower at first
"""

import math
from collections.abc import Generator
from contextlib import closing

import torch
from torch import nn

from gdp.train.data import Batch, batches
from gdp.train.machine import agree, bf16
from gdp.train.pyramid import Pyramid
from gdp.train.training import Training


def learning_rate(peak: float, step: int, warmup: int, progress: float) -> float:
    """Compute the rate of a step: linear warm-up times a cosine from 1 to 0.

    Args:
        peak: the largest rate.
        step: from 0 on.
        warmup: steps of warm-up.
        progress: share of the budget that is spent.
    """
    rise = peak * min(1, (step + 1) / max(warmup, 1))
    return rise * (1 + math.cos(math.pi * min(progress, 1))) / 2


@torch.no_grad()
def average(ema: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """Move the EMA towards the network.

    The decay starts low, so that short runs forget their start.
    """
    weight = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), weight)


class Trainer:
    """Moves a training run forward.

    Args:
        training: the run; it is resumed, or not, before the first step.
    """

    def __init__(self, training: Training):
        self.training, self.args, self.machine = training, training.args, training.machine
        self.model = self.machine.prepare(training.net)
        if self.args.compile:
            mode = "reduce-overhead" if self.args.graphs else None
            self.model = torch.compile(self.model, dynamic=False, mode=mode)  # for each crop size

    def steps(self) -> Generator[int, None, None]:
        """Train to the end of the budget, or until the run is stopped.

        Yields:
            The number of steps so far, after each step.
        """
        rank, world = self.machine.process_index, self.machine.num_processes
        training, seed, workers = self.training, self.args.seed, self.args.workers
        if self.cuts_on_device():
            smallest = min(rung.size for rung in training.rungs)
            pyramid = Pyramid(training.photos, smallest, self.machine.device)
            data = pyramid.batches(seed, training.step, self.plan, rank, world)
        else:
            data = batches(training.photos, seed, training.step, self.plan, rank, world, workers)

        with closing(data):
            while self.is_due():
                self.update(next(data))
                yield training.step

    def cuts_on_device(self) -> bool:
        """Tell whether crops are cut on the device."""
        if self.args.crops == "auto":
            return self.machine.device.type == "cuda"
        return self.args.crops == "device"

    def plan(self, step: int) -> tuple[int, int]:
        """Choose (crop size, items in the batch) of a step; processes share the items evenly."""
        progress = step / self.args.steps if self.args.steps else self.training.progress
        rungs = self.training.rungs
        rung = next((r for r in rungs if progress < r.end), rungs[-1])

        world = self.machine.num_processes
        return rung.size, -(-rung.items // world) * world

    def is_due(self) -> bool:
        """Tell whether another step is due; the first process decides for all."""
        training = self.training
        if self.args.steps:
            progress = training.step / self.args.steps
        else:
            progress = training.seconds / (60 * self.args.minutes)

        training.progress, stop = agree(self.machine, [progress, float(training.stopped)])
        training.stopped = bool(stop)
        return training.progress < 1 and not training.stopped

    def update(self, batch: Batch) -> None:
        """Make one step of the optimiser and of the average."""
        training, args = self.training, self.args
        x0, eps, u = batch.to(self.machine.device)

        # Learning rate, loss, gradients
        training.lr = learning_rate(args.lr, training.step, args.warmup, training.progress)
        training.optimizer.param_groups[0]["lr"] = training.lr
        with bf16(self.machine.device):
            loss, simple = training.loss(self.model, x0, training.loss.drawn_times(u), eps)
        self.machine.backward(loss)

        # Weights and their average
        nn.utils.clip_grad_norm_(training.net.parameters(), args.clip)
        training.optimizer.step()
        training.optimizer.zero_grad(set_to_none=True)
        average(training.ema, training.net, args.ema, training.step)

        # Counters
        losses = torch.stack([loss.detach(), simple.detach()])
        training.running += self.machine.reduce(losses, "mean")
        training.images += len(x0) * self.machine.num_processes
        training.step += 1
