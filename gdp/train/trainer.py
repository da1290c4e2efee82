"""One training run: what is trained and how far it is.

for step in 0, 1, ...:   x0, eps, t = draws of (seed, step)          gdp/train/data.py
                         L = L_simple + 0.001 T L_vlb                gdp/train/loss.py
                         AdamW, lr = warm-up * cosine(progress), gradients clipped; EMA, slower and slower at first
"""

import logging
import math
from argparse import Namespace
from contextlib import closing
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn

from gdp.prior.schedule import betas
from gdp.storage.files import clear
from gdp.train.data import Batch, batches, ladder
from gdp.train.files import as_yaml, load_checkpoint, save_checkpoint, save_weights, write
from gdp.train.loss import HybridLoss
from gdp.train.machine import Stopwatch, agree, bf16
from gdp.train.setup import begin, configure, load_photos
from gdp.train.watch import Watch

log = logging.getLogger("gdp.train")


def learning_rate(peak: float, step: int, warmup: int, progress: float) -> float:
    """Linear warm-up times a cosine from 1 to 0."""
    return (
        peak * min(1, (step + 1) / max(warmup, 1)) * (1 + math.cos(math.pi * min(progress, 1))) / 2
    )


@torch.no_grad()
def average(ema: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """EMA with a decay that starts low, so that short runs forget their start."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), weight)


class Trainer:
    """Network, average, optimiser, photos and budget of one run. Only the first process watches and writes.

    Setting `stopped` ends it after the current step.
    """

    def __init__(self, args: Namespace, machine: Any):
        self.args, self.machine, self.out = args, machine, args.out
        self.config = configure(args, args.init)
        self.notes = args.notes.read_text() if args.notes else ""
        self.betas, self.size = betas(**self.config["diffusion"]), self.config["image_size"]
        self.photos, self.held = load_photos(args)
        torch.manual_seed(args.seed)
        self.net = begin(args, self.config).to(machine.device)
        self.rungs = ladder(
            args.size_ladder or f"{self.size}:1", self.size, args.batch, self.net.divisor
        )
        self.ema = deepcopy(self.net).eval().requires_grad_(False)
        self.loss = HybridLoss(self.betas).to(machine.device)
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), args.lr, weight_decay=args.weight_decay, fused=True
        )
        self.model = machine.prepare(self.net)
        if args.compile:
            self.model = torch.compile(self.model)
        self.running = torch.zeros(
            2, device=machine.device
        )  # sums of loss and eps MSE since the last report
        self.step, self.images, self.lr, self.clock = 0, 0, 0.0, Stopwatch()
        self.progress, self.stopped = 0.0, False

    @property
    def seconds(self) -> float:
        """Time spent on this run, before its interruptions too."""
        return self.clock.read()

    def run(self) -> bool:
        """Train to the end of the budget or until stopped; whether the end was reached."""
        resumed = self.resume()
        rank, world = self.machine.process_index, self.machine.num_processes
        data = batches(
            self.photos, self.args.seed, self.step, self.plan, rank, world, self.args.workers
        )
        with closing(data):
            if not self.machine.is_main_process:
                while self.goes_on():
                    self.update(next(data))
                return not self.stopped
            watch = Watch(self, resumed)
            with watch.bar() as bar:
                while self.goes_on():
                    self.update(next(data))
                    watch.tend(bar)
            watch.finish()
        return not self.stopped

    def plan(self, step: int) -> tuple[int, int]:
        """(crop size, items in the batch) of a step; items divide evenly over the processes."""
        progress = step / self.args.steps if self.args.steps else self.progress
        rung = next((r for r in self.rungs if progress < r.end), self.rungs[-1])
        world = self.machine.num_processes
        return rung.size, -(-rung.items // world) * world

    def goes_on(self) -> bool:
        """Whether another step is due; the first process decides for all."""
        progress = (
            self.step / self.args.steps
            if self.args.steps
            else self.seconds / (60 * self.args.minutes)
        )
        self.progress, stopped = agree(self.machine, [progress, float(self.stopped)])
        self.stopped = bool(stopped)
        return self.progress < 1 and not self.stopped

    def update(self, batch: Batch) -> None:
        """One step of the optimiser and of the average."""
        x0, eps, u = batch.to(self.machine.device)
        self.lr = learning_rate(self.args.lr, self.step, self.args.warmup, self.progress)
        self.optimizer.param_groups[0]["lr"] = self.lr
        with bf16(self.machine.device):
            loss, simple = self.loss(self.model, x0, self.loss.times(u), eps)
        self.machine.backward(loss)
        nn.utils.clip_grad_norm_(self.net.parameters(), self.args.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        average(self.ema, self.net, self.args.ema, self.step)
        self.running += self.machine.reduce(torch.stack([loss.detach(), simple.detach()]), "mean")
        self.images += len(x0) * self.machine.num_processes
        self.step += 1

    def take_losses(self) -> Tensor:
        """Sums of loss and eps MSE since they were last taken; ValueError once they are no numbers any more."""
        self.check()
        sums = self.running.clone()
        self.running.zero_()
        return sums

    def check(self) -> None:
        """ValueError once the loss is no number any more."""
        if not self.running.isfinite().all():
            raise ValueError(
                f"the loss is no finite number by step {self.step}; start again with a lower --lr than {self.args.lr}"
            )

    def save(self) -> None:
        """Checkpoint first, then what the prior is loaded from."""
        self.check()
        state = {
            "net": self.net.state_dict(),
            "ema": self.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "config": self.config,
            "args": {k: str(v) for k, v in vars(self.args).items()},
            **{name: getattr(self, name) for name in ("step", "images", "seconds", "running")},
        }
        save_checkpoint(self.out / "checkpoint.pt", state)
        save_weights(self.out / "weights.safetensors", self.ema.state_dict())
        write(self.out / "config.yaml", as_yaml(self.config))

    def resume(self) -> bool:
        """Go on from the checkpoint in `out`, if there is one, of this very network; whether there was."""
        self.out.mkdir(parents=True, exist_ok=True)
        if self.machine.is_main_process:
            clear(self.out)
        file = self.out / "checkpoint.pt"
        if not file.is_file():
            return False
        state = load_checkpoint(file)
        for name in sorted(self.config.keys() | state["config"].keys()):
            if (kept := state["config"].get(name)) != (value := self.config.get(name)):
                raise ValueError(
                    f"{name}={value}, but {file} was trained with {kept}; use its flags or another --out"
                )
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.images, self.clock = (
            state["step"],
            state["images"],
            Stopwatch(state["seconds"]),
        )
        self.running.copy_(state["running"])
        log.info("resuming %s at step %d", self.out, self.step)
        for name, value in vars(self.args).items():
            if str(value) != (kept := state["args"].get(name, str(value))):
                log.warning("%s was %s and is %s from here on", name, kept, value)
        return True
