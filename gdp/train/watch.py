"""What a training run shows of itself: bar, curves, held-out loss, sheets of samples, and the model card."""

import logging
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from gdp.prior.prior import Prior
from gdp.storage.files import atomic
from gdp.train.files import append, rewrite, rows, table, write
from gdp.train.loss import BUCKETS, heldout_mse
from gdp.train.machine import bf16
from gdp.train.samples import sample, sheet

if TYPE_CHECKING:
    from gdp.train.trainer import Trainer

LOG_EVERY = 10
log = logging.getLogger("gdp.train")


class Watch:
    """The first process's eyes on a run: what is due when, and the files it leaves in `out`."""

    def __init__(self, run: "Trainer", resumed: bool):
        self.run, self.args, self.out = run, run.args, run.out
        self.cut(run.step if resumed else -1)
        if self.args.init and not resumed:
            self.measure()
        self.saved = self.looked = self.reported = run.seconds
        self.reported_images, self.smooth = run.images, math.nan

    def cut(self, step: int) -> None:
        """Forget curves and sheets beyond a step."""
        for curve in (self.out / "log.jsonl", self.out / "heldout.jsonl"):
            rewrite(curve, [row for row in rows(curve) if row["step"] <= step])
        for file in self.out.glob("samples_[0-9]*.png"):
            if int(file.stem[8:]) > step:
                file.unlink()

    def tend(self, bar: tqdm) -> None:
        """What is due after a step: bar and curve, sheet and held-out loss, checkpoint."""
        bar.update()
        run, args = self.run, self.args
        if run.step % LOG_EVERY == 0:
            self.report(bar)
        if (
            run.step % args.sample_steps == 0
            if args.sample_steps
            else run.seconds - self.looked >= 60 * args.sample_every
        ):
            self.look()
            self.looked = run.seconds
        if run.seconds - self.saved >= 60 * args.checkpoint_minutes:
            self.save()
            self.saved = run.seconds

    def finish(self) -> None:
        """The last checkpoint; at the end of the budget with a last look at what came out."""
        if not self.run.stopped and not self.sheet.is_file():
            self.look()
        self.save()
        end = "stopped" if self.run.stopped else "done"
        log.info("%s at step %d: %s", end, self.run.step, self.out / "weights.safetensors")

    def bar(self) -> tqdm:
        """The progress bar; rarely redrawn in a log file."""
        every = 0.5 if sys.stderr.isatty() else 60
        pace: dict[str, Any] = {"mininterval": every, "maxinterval": 2 * every}
        return tqdm(
            total=self.args.steps, initial=self.run.step, unit="step", dynamic_ncols=True, **pace
        )

    def report(self, bar: tqdm) -> None:
        """Mean losses since the last report, to the bar and the curve."""
        run = self.run
        loss, mse = (run.take_losses() / LOG_EVERY).tolist()
        rate = (run.images - self.reported_images) / (run.seconds - self.reported)
        self.reported, self.reported_images = run.seconds, run.images
        self.smooth = mse if math.isnan(self.smooth) else 0.9 * self.smooth + 0.1 * mse
        bar.set_postfix_str(
            f"mse {self.smooth:.4f}, {rate:.1f} images/s, {run.progress:.0%}", refresh=False
        )
        row = {"step": run.step, "loss": loss, "mse": mse, "lr": run.lr, "images": run.images}
        append(self.out / "log.jsonl", {**row, "seconds": round(run.seconds, 1)})

    @property
    def sheet(self) -> Path:
        """Where the samples of this step are shown."""
        return self.out / f"samples_{self.run.step:07d}.png"

    def look(self) -> None:
        """Held-out loss and a sheet of samples."""
        self.measure()
        run = self.run
        with bf16(run.machine.device):
            images = sample(Prior(run.ema, run.betas), self.args.samples, run.size, self.args.eta)
        with atomic(self.sheet) as temporary:
            sheet(images).save(temporary, "png")

    def measure(self) -> None:
        """Held-out eps MSE by bucket, to its curve."""
        run, device = self.run, self.run.machine.device
        if run.held.files:
            items = run.held.held_out(run.size, BUCKETS)
            with bf16(device):
                by_bucket = heldout_mse(run.ema, run.loss, items, BUCKETS, device)
            append(
                self.out / "heldout.jsonl",
                {"step": run.step, "mse": sum(by_bucket) / BUCKETS, "buckets": by_bucket},
            )

    def save(self) -> None:
        """What the run goes on from, and what describes it."""
        self.run.save()
        write(self.out / "MODEL_CARD.md", self.card())

    def card(self) -> str:
        """The model card."""
        run, args = self.run, self.args
        sheets, looks = sorted(self.out.glob("samples_*.png")), rows(self.out / "heldout.jsonl")
        parameters, hours = sum(p.numel() for p in run.net.parameters()), run.seconds / 3600
        columns = {f"step {row['step']}": row["buckets"] for row in looks[:1] + looks[-1:]}
        crops = ", then ".join(
            f"{r.size}x{r.size} (batch {r.items}) up to {r.end:.0%}" for r in run.rungs
        )
        parts = [
            f"# {self.out.name}: an unconditional diffusion prior",
            f"""- data: {args.data.name}, {len(run.photos.files)} photos, and {len(run.held.files)} held out
- network: ADM UNet, {parameters:,} parameters (config.yaml); EMA weights, fp16
- training: {run.step:,} steps, {run.images:,} crops, {hours:.2f} hours on {run.machine.device.type}
- from: {args.init.name if args.init else "scratch"}; seed {args.seed}
- crops: {crops}; {args.native:.0%} native, the others shrunk at random; {"none" if args.no_flip else "half"} mirrored
- loss: eps MSE + variational bound of the learned variance (improved DDPM)
- AdamW {args.lr:g}, {args.warmup} steps of warm-up, then cosine; weight decay {args.weight_decay:g}, clip {args.clip:g}
- EMA {args.ema:g}, less at first""",
            run.notes,
            f"Held-out eps MSE by time:\n\n{table(columns)}"
            if looks
            else "No photos were held out.",
            f"Samples, DDIM, 50 steps, eta {args.eta:g}: ![samples]({sheets[-1].name})"
            if sheets
            else "",
        ]
        return "\n\n".join(part.strip() for part in parts if part) + "\n"
