"""One training run: what is trained, and how far it is.

It goes on from checkpoint.pt after any end. The trainer moves it forward, the watch shows it; they
know each other through it alone.
"""

import logging
from argparse import Namespace
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from gdp.prior.schedule import betas
from gdp.storage.files import clear
from gdp.train.data import ladder
from gdp.train.files import as_yaml, load_checkpoint, save_checkpoint, save_weights, write
from gdp.train.loss import HybridLoss
from gdp.train.machine import Stopwatch
from gdp.train.setup import begin, configure, load_photos

log = logging.getLogger("gdp.train")


class Training:
    """Network, average, optimiser, photos and counters of one run.

    Args:
        args: the command line.
        machine: what it runs on (gdp/train/machine.py).

    Attributes:
        net: the network.
        ema: the average of its weights, which the prior is made of.
        optimizer: AdamW over the network's weights.
        photos: to train on.
        held_out: to measure with.
        rungs: crop sizes over the course of training.
        step: steps so far.
        images: crops so far, over all processes.
        running: sums of loss and eps MSE since they were last taken [2].
        lr: learning rate of the last step.
        progress: share of the budget that is spent.
        stopped: set it to end the run after the current step.
    """

    def __init__(self, args: Namespace, machine: Any):
        self.args, self.machine, self.out = args, machine, args.out

        # Config and data
        self.config = configure(args, args.init)
        self.notes = args.notes.read_text(encoding="utf-8") if args.notes else ""
        self.betas, self.size = betas(**self.config["diffusion"]), self.config["image_size"]
        self.photos, self.held_out = load_photos(args)

        # Network, its average, and what trains it
        torch.manual_seed(args.seed)
        self.net = begin(args, self.config).to(machine.device)
        sizes = args.size_ladder or f"{self.size}:1"
        self.rungs = ladder(sizes, self.size, args.batch, self.net.divisor)
        self.ema = deepcopy(self.net).eval().requires_grad_(False)
        self.loss = HybridLoss(self.betas, args.times).to(machine.device)
        self.optimizer = torch.optim.AdamW(
            self.net.parameters(), args.lr, weight_decay=args.weight_decay, fused=True
        )

        # How far it is
        self.step, self.images, self.clock = 0, 0, Stopwatch()
        self.running = torch.zeros(2, device=machine.device)
        self.lr, self.progress, self.stopped = 0.0, 0.0, False

    @property
    def seconds(self) -> float:
        """Time spent on this run, before its interruptions too."""
        return self.clock.read()

    def take_losses(self) -> Tensor:
        """Return the sums of loss and eps MSE since they were last taken [2].

        Raises:
            ValueError: they are no finite numbers any more.
        """
        self.check_loss()
        sums = self.running.clone()
        self.running.zero_()
        return sums

    def check_loss(self) -> None:
        """Raise a ValueError once the loss is no finite number any more."""
        if not self.running.isfinite().all():
            raise ValueError(
                f"the loss is no finite number by step {self.step}; "
                f"start again with a lower --lr than {self.args.lr}"
            )

    def save(self) -> None:
        """Write the checkpoint first, then what the prior is loaded from.

        Raises:
            OSError: the disk is full.
            ValueError: the loss is no finite number any more.
        """
        self.check_loss()

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
        """Go on from the checkpoint in `out`, if there is one.

        Returns:
            Whether there was.

        Raises:
            ValueError: it is damaged, or of another network.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        if self.machine.is_main_process:
            clear(self.out)
        file = self.out / "checkpoint.pt"
        if not file.is_file():
            return False
        state = load_checkpoint(file)

        # It must be of this very network
        for name in sorted(self.config.keys() | state["config"].keys()):
            before, value = state["config"].get(name), self.config.get(name)
            if before != value:
                raise ValueError(
                    f"{name}={value}, but {file} was trained with {before}; "
                    "use its flags or another --out"
                )

        # Weights and counters
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.images = state["step"], state["images"]
        self.clock = Stopwatch(state["seconds"])
        self.running.copy_(state["running"])
        log.info("resuming %s at step %d", self.out, self.step)

        # Flags that changed
        for name, value in vars(self.args).items():
            before = state["args"].get(name, str(value))
            if str(value) != before:
                log.warning("%s was %s and is %s from here on", name, before, value)
        return True
