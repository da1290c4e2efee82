"""Train an unconditional prior on a folder of photos: python -m gdp.train --data FOLDER --out FOLDER --minutes 600.

    for step in 0, 1, ...:   x0, eps, t = draws of (seed, step)          gdp/training_data.py
                             L = L_simple + 0.001 T L_vlb                gdp/training_loss.py
                             AdamW, lr = warm-up * cosine(progress), gradients clipped; EMA, slower and slower at first

`out` then holds weights.safetensors (EMA, fp16) with its config.yaml, which `prior=custom` loads, MODEL_CARD.md, sheets of samples,
the curves log.jsonl and heldout.jsonl, and checkpoint.pt, from which the same command goes on after any end, kill -9 included.
Several GPUs: accelerate launch -m gdp.train ... (pip install accelerate). Exit codes: 0 done, 2 bad input, 130 stopped.
"""

import argparse
import errno
import json
import logging
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from torch import Tensor, nn
from tqdm import tqdm

from gdp.checkpoint import check_fit, pick_device, pick_dtype, read_config, read_weights
from gdp.schedule import betas
from gdp.training_data import Batch, Photos, batches, find_photos, ladder, split
from gdp.training_loss import HybridLoss, heldout_mse, sample, sheet
from gdp.unet import UNet

BUCKETS, LOG_EVERY = 10, 10
DEFAULT: dict[str, Any] = {
    "image_size": 64,
    "in_channels": 3,
    "model_channels": 64,
    "out_channels": 6,
    "num_res_blocks": 1,
    "channel_mult": [1, 1, 2, 4],
    "attention_downsampling": [8],
    "num_head_channels": 32,
    "use_scale_shift_norm": True,
    "resblock_updown": True,
    "use_new_attention_order": False,
    "num_classes": None,
    "diffusion": {"steps": 1000, "schedule": "linear"},
}
FLAGS = ("image_size", "model_channels", "num_res_blocks", "channel_mult", "attention_downsampling", "num_head_channels")
log = logging.getLogger("gdp.train")


class OneDevice:
    """What training asks of accelerate.Accelerator, for one device."""

    process_index, num_processes, is_main_process = 0, 1, True

    def __init__(self, device: torch.device):
        self.device = device

    def prepare(self, net: nn.Module) -> nn.Module:
        """The network to call in training."""
        return net

    def backward(self, loss: Tensor) -> None:
        """Gradients of the loss."""
        loss.backward()


def pick_machine(device: str) -> Any:
    """OneDevice, or accelerate's Accelerator where its launcher started several processes."""
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return OneDevice(pick_device(device))
    try:
        from accelerate import Accelerator
    except ImportError:
        raise ValueError("several processes need accelerate: pip install accelerate, or start one process") from None
    return Accelerator(cpu=device == "cpu")


def agree(machine: Any, values: list[float]) -> list[float]:
    """The first process's values, in all of them."""
    if machine.num_processes == 1:
        return values
    from accelerate.utils import broadcast

    return broadcast(torch.tensor(values, dtype=torch.float64, device=machine.device)).tolist()


def bf16(device: torch.device) -> torch.autocast:
    """Autocast to bfloat16 where the device computes in it natively."""
    return torch.autocast(device.type, torch.bfloat16, enabled=pick_dtype("auto", device) is torch.bfloat16)


def configure(args: argparse.Namespace, weights: Path | None) -> dict[str, Any]:
    """UNet arguments and `diffusion`: those of the config.yaml beside `weights`, or of the flags."""
    given = {name: getattr(args, name) for name in FLAGS if getattr(args, name) is not None}
    diffusion = {k: v for k, v in (("steps", args.diffusion_steps), ("schedule", args.noise_schedule)) if v is not None}
    if weights is None or not weights.with_name("config.yaml").is_file():
        return {**DEFAULT, **given, "diffusion": {**DEFAULT["diffusion"], **diffusion}}
    try:
        config = {"diffusion": DEFAULT["diffusion"], **read_config(weights)}
    except ImportError:
        raise ValueError(f"reading {weights.with_name('config.yaml')} needs PyYAML: pip install pyyaml") from None
    config["image_size"] = given.pop("image_size", config.get("image_size", DEFAULT["image_size"]))
    for name, value in {**given, **diffusion}.items():
        known = {**config, **config["diffusion"]}.get(name)
        if value != known:
            raise ValueError(f"{name}={value}, but the config.yaml beside {weights} says {known}; leave that flag out")
    return config


def build(config: Mapping[str, Any], weights: Path | None = None) -> UNet:
    """The UNet of a config, with given weights or fresh ones."""
    try:
        net = UNet(**{k: v for k, v in config.items() if k != "diffusion"})
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"this UNet cannot be built ({error}); widths must be multiples of 32, and of num_head_channels where attention sits"
        ) from None
    if net.in_channels != 3 or net.out_channels not in (3, 6) or net.num_classes is not None:
        raise ValueError("training needs an unconditional RGB network: in_channels 3, out_channels 3 or 6, num_classes null")
    if weights is not None:
        if not weights.is_file():
            raise FileNotFoundError(f"no weights at {weights}; give a .safetensors or .pt file")
        state = read_weights(weights)
        check_fit(weights, state, {k: v.shape for k, v in net.state_dict().items()})
        net.load_state_dict(state)
    return net.to(memory_format=torch.channels_last)


def load_photos(args: argparse.Namespace) -> tuple[Photos, Photos]:
    """(to train on, held out): by default every twentieth photo is held out, 40 at most."""
    files = find_photos(args.data)
    parts = split(args.data, files, min(40, len(files) // 20) if args.holdout is None else args.holdout)
    training, held = (Photos(part, args.cache_mb, args.native, not args.no_flip) for part in parts)
    return training, held


def learning_rate(peak: float, step: int, warmup: int, progress: float) -> float:
    """Linear warm-up times a cosine from 1 to 0."""
    return peak * min(1, (step + 1) / max(warmup, 1)) * (1 + math.cos(math.pi * min(progress, 1))) / 2


@torch.no_grad()
def average(ema: nn.Module, net: nn.Module, decay: float, step: int) -> None:
    """EMA with a decay that starts low, so that short runs forget their start."""
    weight = 1 - min(decay, (1 + step) / (10 + step))
    torch._foreach_lerp_(list(ema.parameters()), list(net.parameters()), weight)


def atomically(file: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file whole or not at all: beside it, to the disk, then over it."""
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, file)
    except RuntimeError as error:  # torch.save wraps what the disk said
        raise error.__context__ if isinstance(error.__context__, OSError) else error from None
    finally:
        part.unlink(missing_ok=True)


def append(file: Path, row: Mapping[str, Any]) -> None:
    """One more line of a .jsonl curve."""
    with file.open("a") as stream:
        stream.write(json.dumps(row) + "\n")


def rows(file: Path) -> list[dict[str, Any]]:
    """The lines of a .jsonl curve, without one that a kill cut short."""
    lines = file.read_text().splitlines(keepends=True) if file.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def rewrite(file: Path, kept: Sequence[Mapping[str, Any]]) -> None:
    """Replace a .jsonl curve."""
    atomically(file, lambda stream: stream.write("".join(json.dumps(row) + "\n" for row in kept).encode()))


def as_yaml(config: Mapping[str, Any]) -> str:
    """A config as plain YAML."""
    diffusion = "{" + ", ".join(f"{k}: {v}" for k, v in config["diffusion"].items()) + "}"
    return "".join(f"{k}: {diffusion if k == 'diffusion' else json.dumps(v)}\n" for k, v in config.items())


def table(columns: Mapping[str, Sequence[float]]) -> str:
    """Held-out eps MSE by bucket of t / T, one column per name, and the means, as Markdown."""
    lines = [["t / T", *columns], ["---"] * (1 + len(columns))]
    lines += [[f"{b / BUCKETS:.1f}-{(b + 1) / BUCKETS:.1f}", *(f"{c[b]:.5f}" for c in columns.values())] for b in range(BUCKETS)]
    lines += [["mean", *(f"{sum(c) / BUCKETS:.5f}" for c in columns.values())]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


class Trainer:
    """One run: what is trained, how far it is, and what it leaves in `out`. Only the first process writes."""

    def __init__(self, args: argparse.Namespace, machine: Any):
        self.args, self.machine, self.out = args, machine, args.out
        self.config = configure(args, args.init)
        self.betas, self.size = betas(**self.config["diffusion"]), self.config["image_size"]
        self.photos, self.held = load_photos(args)
        torch.manual_seed(args.seed)
        self.net = build(self.config, args.init).to(machine.device)
        self.rungs = ladder(args.size_ladder or f"{self.size}:1", self.size, args.batch, self.net.divisor)
        self.ema = deepcopy(self.net).eval().requires_grad_(False)
        self.loss = HybridLoss(self.betas).to(machine.device)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), args.lr, weight_decay=args.weight_decay, fused=True)
        self.model = machine.prepare(self.net)
        if args.compile:
            self.model = torch.compile(self.model)
        self.step, self.images, self.before, self.start = 0, 0, 0.0, time.monotonic()
        self.running = torch.zeros(2, device=machine.device)  # sums of loss and eps MSE since the last report
        self.progress, self.stopped = 0.0, False

    @property
    def seconds(self) -> float:
        """Time spent on this run, before its interruptions too."""
        return self.before + time.monotonic() - self.start

    def run(self) -> bool:
        """Train to the end of the budget or until stopped; whether the end was reached."""
        first, rank, world = self.machine.is_main_process, self.machine.process_index, self.machine.num_processes
        resumed = self.resume()
        if first:
            self.begin(resumed)
        data = batches(self.photos, self.args.seed, self.step, self.plan, rank, world, self.args.workers)
        with closing(data), self.bar() as bar:
            while self.goes_on():
                self.update(next(data))
                if first:
                    self.tend(bar)
        if first:
            self.finish()
        return not self.stopped

    def plan(self, step: int) -> tuple[int, int]:
        """(crop size, items in the batch) of a step; items divide evenly over the processes."""
        progress = step / self.args.steps if self.args.steps else self.progress
        rung = next((r for r in self.rungs if progress < r.end), self.rungs[-1])
        world = self.machine.num_processes
        return rung.size, -(-rung.items // world) * world

    def goes_on(self) -> bool:
        """Whether another step is due; the first process decides for all."""
        progress = self.step / self.args.steps if self.args.steps else self.seconds / (60 * self.args.minutes)
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
        self.running += torch.stack([loss.detach(), simple.detach()])
        self.images += len(x0) * self.machine.num_processes
        self.step += 1

    def begin(self, resumed: bool) -> None:
        """Cut curves and sheets back to this step, and measure what `--init` gave."""
        for curve in (self.out / "log.jsonl", self.out / "heldout.jsonl"):
            rewrite(curve, [row for row in rows(curve) if resumed and row["step"] <= self.step])
        for sheet_file in self.out.glob("samples_[0-9]*.png"):
            if not resumed or int(sheet_file.stem[8:]) > self.step:
                sheet_file.unlink()
        if self.args.init and not resumed:
            self.measure()
        self.saved = self.looked = self.reported = self.seconds
        self.reported_images, self.smooth = self.images, math.nan

    def tend(self, bar: tqdm) -> None:
        """What is due after a step: bar and curve, sheet and held-out loss, checkpoint."""
        bar.update()
        args = self.args
        if self.step % LOG_EVERY == 0:
            self.report(bar)
        if self.step % args.sample_steps == 0 if args.sample_steps else self.seconds - self.looked >= 60 * args.sample_every:
            self.look()
            self.looked = self.seconds
        if self.seconds - self.saved >= 60 * args.checkpoint_minutes:
            self.save()
            self.saved = self.seconds

    def finish(self) -> None:
        """The last checkpoint; at the end of the budget with a last look at what came out."""
        if not self.stopped and not self.sheet.is_file():
            self.look()
        self.save()
        log.info("%s at step %d: %s", "stopped" if self.stopped else "done", self.step, self.out / "weights.safetensors")

    def bar(self) -> tqdm:
        """The progress bar, on the first process; rarely redrawn in a log file."""
        every, hidden = (0.5 if sys.stderr.isatty() else 60), not self.machine.is_main_process
        pace: dict[str, Any] = {"mininterval": every, "maxinterval": 2 * every}
        return tqdm(total=self.args.steps, initial=self.step, unit="step", disable=hidden, dynamic_ncols=True, **pace)

    def report(self, bar: tqdm) -> None:
        """Mean losses since the last report, to the bar and the curve."""
        self.check()
        loss, mse = (self.running / LOG_EVERY).tolist()
        self.running.zero_()
        rate = (self.images - self.reported_images) / (self.seconds - self.reported)
        self.reported, self.reported_images = self.seconds, self.images
        self.smooth = mse if math.isnan(self.smooth) else 0.9 * self.smooth + 0.1 * mse
        bar.set_postfix_str(f"mse {self.smooth:.4f}, {rate:.1f} images/s, {self.progress:.0%}", refresh=False)
        row = {"step": self.step, "loss": loss, "mse": mse, "lr": self.lr, "images": self.images}
        append(self.out / "log.jsonl", {**row, "seconds": round(self.seconds, 1)})

    def check(self) -> None:
        """ValueError once the loss is no number any more."""
        if not self.running.isfinite().all():
            raise ValueError(f"the loss is no finite number by step {self.step}; start again with a lower --lr than {self.args.lr}")

    @property
    def sheet(self) -> Path:
        """Where the samples of this step are shown."""
        return self.out / f"samples_{self.step:07d}.png"

    def look(self) -> None:
        """Held-out loss and a sheet of samples."""
        self.measure()
        with bf16(self.machine.device):
            images = sample(self.ema, self.betas, self.args.samples, self.size, self.machine.device, self.args.eta)
        atomically(self.sheet, lambda stream: sheet(images).save(stream, "png"))

    def measure(self) -> None:
        """Held-out eps MSE by bucket, to its curve."""
        if self.held.files:
            items = self.held.held_out(self.size, BUCKETS)
            with bf16(self.machine.device):
                by_bucket = heldout_mse(self.ema, self.loss, items, BUCKETS, self.machine.device)
            append(self.out / "heldout.jsonl", {"step": self.step, "mse": sum(by_bucket) / BUCKETS, "buckets": by_bucket})

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
        weights = {k: v.half().contiguous().cpu() for k, v in self.ema.state_dict().items()}
        atomically(self.out / "checkpoint.pt", lambda stream: torch.save(state, stream))
        atomically(self.out / "weights.safetensors", lambda stream: stream.write(safetensors.torch.save(weights)))
        atomically(self.out / "config.yaml", lambda stream: stream.write(as_yaml(self.config).encode()))
        atomically(self.out / "MODEL_CARD.md", lambda stream: stream.write(self.card().encode()))

    def resume(self) -> bool:
        """Go on from the checkpoint in `out`, if there is one, of this very network; whether there was."""
        self.out.mkdir(parents=True, exist_ok=True)
        file = self.out / "checkpoint.pt"
        if not file.is_file():
            return False
        try:
            state = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds for a damaged file
            raise ValueError(f"{file} cannot be read ({type(error).__name__}); move it away to start anew") from None
        for name in sorted(self.config.keys() | state["config"].keys()):
            if (kept := state["config"].get(name)) != (value := self.config.get(name)):
                raise ValueError(f"{name}={value}, but {file} was trained with {kept}; use its flags or another --out")
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.images, self.before = state["step"], state["images"], state["seconds"]
        self.running.copy_(state["running"])
        self.start = time.monotonic()
        log.info("resuming %s at step %d", self.out, self.step)
        for name, value in vars(self.args).items():
            if str(value) != (kept := state["args"].get(name)):
                log.warning("%s was %s and is %s from here on", name, kept, value)
        return True

    def card(self) -> str:
        """The model card."""
        args, sheets, looks = self.args, sorted(self.out.glob("samples_*.png")), rows(self.out / "heldout.jsonl")
        parameters, hours = sum(p.numel() for p in self.net.parameters()), self.seconds / 3600
        columns = {f"step {row['step']}": row["buckets"] for row in looks[:1] + looks[-1:]}
        crops = ", then ".join(f"{r.size}x{r.size} (batch {r.items}) up to {r.end:.0%}" for r in self.rungs)
        return f"""# {self.out.name}: an unconditional diffusion prior

- data: {args.data.name}, {len(self.photos.files)} photos, and {len(self.held.files)} held out
- network: ADM UNet, {parameters:,} parameters (config.yaml); EMA weights, fp16
- training: {self.step:,} steps, {self.images:,} crops, {hours:.2f} hours on {self.machine.device.type}
- from: {args.init.name if args.init else "scratch"}; seed {args.seed}
- crops: {crops}; {args.native:.0%} native, the others shrunk at random; {"none" if args.no_flip else "half"} mirrored
- loss: eps MSE + variational bound of the learned variance (improved DDPM)
- AdamW {args.lr:g}, {args.warmup} steps of warm-up, then cosine; weight decay {args.weight_decay:g}, clip {args.clip:g}
- EMA {args.ema:g}, less at first

{"Held-out eps MSE by time:" if looks else "No photos were held out."}

{table(columns) if looks else ""}
{f"Samples, DDIM, 50 steps, eta {args.eta:g}: ![samples]({sheets[-1].name})" if sheets else ""}
"""


def evaluate(args: argparse.Namespace) -> None:
    """Held-out losses of several weights, on the same crops, times and noise, as one table on stdout."""
    device = pick_device(args.device)
    held = load_photos(args)[1]
    if not held.files:
        raise ValueError(f"no photos are held out of {args.data}; give --holdout 40, or fewer")
    size = args.image_size or configure(args, args.evaluate[0])["image_size"]
    items, columns = held.held_out(size, BUCKETS), {}
    for weights in args.evaluate:
        config = configure(args, weights)
        net, loss = build(config, weights).to(device).eval(), HybridLoss(betas(**config["diffusion"])).to(device)
        with bf16(device):
            columns[str(weights)] = heldout_mse(net, loss, items, BUCKETS, device)
    sys.stdout.write(table(columns))


def train(args: argparse.Namespace) -> bool:
    """Train as told; whether the end was reached."""
    if args.out is None or not (args.steps or args.minutes):
        raise ValueError("training needs --out FOLDER and --steps N or --minutes M")
    if args.out.resolve().is_relative_to(args.data.resolve()):
        raise ValueError(f"--out {args.out} lies in --data {args.data}, so its sheets would become data; put it elsewhere")
    machine = pick_machine(args.device)
    if machine.device.type == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.benchmark = True
    trainer = Trainer(args, machine)
    with stoppable(trainer):
        return trainer.run()


@contextmanager
def stoppable(trainer: Trainer) -> Iterator[None]:
    """Ctrl-C and SIGTERM stop after the current step; a second one at once."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore(*_: Any) -> None:
        for number, handler in kept.items():
            signal.signal(number, handler)

    def stop(*_: Any) -> None:
        trainer.stopped = True
        restore()

    for number in kept:
        signal.signal(number, stop)
    try:
        yield
    finally:
        restore()


def numbers(text: str) -> list[float]:
    """ "1,1,2,4" as numbers, whole ones as int."""
    return [int(x) if (x := float(part)).is_integer() else x for part in text.split(",") if part]


def count(text: str) -> int:
    """A whole number, 1 or more."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}; it must be 1 or more")
    return int(text)


def amount(text: str) -> float:
    """A number, 0 or more."""
    if not float(text) >= 0:
        raise argparse.ArgumentTypeError(f"{text}; it must be 0 or more")
    return float(text)


def share(text: str) -> float:
    """A number from 0 to 1."""
    if not 0 <= float(text) <= 1:
        raise argparse.ArgumentTypeError(f"{text}; it must be between 0 and 1")
    return float(text)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser("python -m gdp.train", description="Train an unconditional diffusion prior on a folder of photos.")
    p.add_argument("--data", type=Path, required=True, help="folder of photos of any size, searched recursively")
    p.add_argument("--out", type=Path, help="folder of results; a checkpoint there is resumed")
    budget = p.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=count, help="train for so many steps (deterministic)")
    budget.add_argument("--minutes", type=amount, help="train for so long")
    p.add_argument("--init", type=Path, metavar="WEIGHTS", help="go on from weights; config.yaml beside them, or flags that fit")
    p.add_argument("--evaluate", type=Path, nargs="+", metavar="WEIGHTS", help="only print the held-out loss of these weights")
    data = p.add_argument_group("data")
    data.add_argument("--holdout", type=int, help="photos never trained on (a twentieth, 40 at most)")
    data.add_argument("--native", type=share, default=0.5, help="share of crops at native resolution, others shrink (%(default)s)")
    data.add_argument("--no-flip", action="store_true", help="do not mirror crops")
    data.add_argument("--cache-mb", type=amount, default=4096, help="memory for decoded photos (%(default)s)")
    data.add_argument("--workers", type=count, default=min(8, os.cpu_count() or 1), help="threads that draw crops (%(default)s)")
    data.add_argument("--size-ladder", help="crop sizes with their share of the training: 32:0.5,64:0.5 or 32:0.5:64,64:0.5:16")
    data.add_argument("--batch", type=count, default=16, help="crops per step, of --image-size, over all GPUs (%(default)s)")
    net = p.add_argument_group("network (default: photo64's)")
    net.add_argument("--image-size", type=count, help="side of a full crop")
    net.add_argument("--model-channels", type=count)
    net.add_argument("--num-res-blocks", type=count)
    net.add_argument("--channel-mult", type=numbers, help="width of each level: 1,1,2,4")
    net.add_argument("--attention-downsampling", type=numbers, help="factors below full size with attention: 8; '' for none")
    net.add_argument("--num-head-channels", type=count)
    net.add_argument("--noise-schedule", choices=("linear", "cosine"))
    net.add_argument("--diffusion-steps", type=count)
    fit = p.add_argument_group("optimisation")
    fit.add_argument("--lr", type=amount, default=2e-4, help="peak learning rate (%(default)s)")
    fit.add_argument("--warmup", type=int, default=100, help="steps of warm-up (%(default)s)")
    fit.add_argument("--weight-decay", type=amount, default=0.0)
    fit.add_argument("--clip", type=amount, default=1.0, help="largest gradient norm (%(default)s)")
    fit.add_argument("--ema", type=share, default=0.9995, help="decay of the averaged weights (%(default)s)")
    fit.add_argument("--seed", type=int, default=0)
    fit.add_argument("--device", default="auto", help="auto, cpu, cuda")
    fit.add_argument("--compile", action="store_true", help="torch.compile the network")
    watch = p.add_argument_group("watching")
    watch.add_argument("--checkpoint-minutes", type=amount, default=10, help="time between checkpoints (%(default)s)")
    watch.add_argument("--sample-every", type=amount, default=30, help="minutes between sheets and held-out losses (%(default)s)")
    watch.add_argument("--sample-steps", type=count, help="steps between them, instead of minutes")
    watch.add_argument("--samples", type=count, default=16, help="images on a sheet (%(default)s)")
    watch.add_argument("--eta", type=share, default=0.0, help="DDIM's eta on sheets; fresh noise (0.85) suits short runs (%(default)s)")
    return p


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    args = parser().parse_args(argv)
    try:
        if args.evaluate:
            evaluate(args)
            return 0
        return 0 if train(args) else 130
    except OSError as error:
        full = f"the disk is full; free some space and run the same command again, it goes on from the last checkpoint in {args.out}"
        log.error("%s", full if error.errno == errno.ENOSPC else error)
    except ValueError as error:
        log.error("%s", error)
    return 2


if __name__ == "__main__":
    sys.exit(main())
