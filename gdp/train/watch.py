"""What a training run shows of itself: bar, curves, held-out loss, sheets of samples; and when."""

import logging
import math
import sys
from pathlib import Path

from tqdm import tqdm

from gdp.prior.prior import Prior
from gdp.storage.files import atomic
from gdp.train.files import append, rewrite, rows, write
from gdp.train.loss import BUCKETS, heldout_mse
from gdp.train.machine import bf16
from gdp.train.records.card import model_card
from gdp.train.records.tracker import close_record, open_record
from gdp.train.samples import sample, sheet
from gdp.train.training import Training

# Steps between two rows of the loss curve
REPORT_STEPS = 10
log = logging.getLogger("gdp.train")


class Watch:
    """The first process's eyes on a run: what is due when, and the files it leaves in `out`.

    Args:
        training: the run.
        fresh: whether it begins, rather than goes on from a checkpoint.
    """

    def __init__(self, training: Training, fresh: bool):
        self.training, self.args, self.out = training, training.args, training.out
        self.forget_after(-1 if fresh else training.step)
        self.record = open_record(training, fresh)
        if self.args.init and fresh:
            self.measure()

        # Times of the last checkpoint, inspection and report
        self.save_time = self.inspect_time = self.report_time = training.seconds
        self.report_images, self.smooth_mse = training.images, math.nan

    def forget_after(self, step: int) -> None:
        """Cut curves and remove sheets beyond a step."""
        for curve in (self.out / "log.jsonl", self.out / "heldout.jsonl"):
            rewrite(curve, [row for row in rows(curve) if row["step"] <= step])

        for file in self.out.glob("samples_[0-9]*.png"):
            if int(file.stem[8:]) > step:
                file.unlink()

    def bar(self) -> tqdm:
        """Make the progress bar; it is rarely redrawn in a log file."""
        pause = 0.5 if sys.stderr.isatty() else 60
        return tqdm(
            total=self.args.steps,
            initial=self.training.step,
            unit="step",
            dynamic_ncols=True,
            mininterval=pause,
            maxinterval=2 * pause,
        )

    def tend(self, bar: tqdm) -> None:
        """Do what is due after a step: bar and curve, sheet and held-out loss, checkpoint."""
        training, args = self.training, self.args
        bar.update()
        if training.step % REPORT_STEPS == 0:
            self.report(bar)

        if args.sample_steps:
            due = training.step % args.sample_steps == 0
        else:
            due = training.seconds - self.inspect_time >= 60 * args.sample_every
        if due:
            self.inspect()
            self.inspect_time = training.seconds

        if training.seconds - self.save_time >= 60 * args.checkpoint_minutes:
            self.save()
            self.save_time = training.seconds

    def finish(self) -> None:
        """Save for the last time; at the end of the budget, look at what came out first."""
        if not self.training.stopped and not self.sheet.is_file():
            self.inspect()
        self.save()
        if self.record:
            close_record(self.record, self.training)

        end = "stopped" if self.training.stopped else "done"
        log.info("%s at step %d: %s", end, self.training.step, self.out / "weights.safetensors")

    def report(self, bar: tqdm) -> None:
        """Give the mean losses since the last report to the bar and the curve."""
        training = self.training
        loss, mse = (training.take_losses() / REPORT_STEPS).tolist()
        images, seconds = training.images - self.report_images, training.seconds - self.report_time
        self.report_time, self.report_images = training.seconds, training.images

        fresh = math.isnan(self.smooth_mse)
        self.smooth_mse = mse if fresh else 0.9 * self.smooth_mse + 0.1 * mse
        bar.set_postfix_str(
            f"mse {self.smooth_mse:.4f}, {images / seconds:.1f} images/s, {training.progress:.0%}",
            refresh=False,
        )

        counters = {"lr": training.lr, "images": training.images}
        row = {"step": training.step, "loss": loss, "mse": mse, **counters}
        append(self.out / "log.jsonl", {**row, "seconds": round(training.seconds, 1)})
        if self.record:
            self.record.log(training.step, {"loss": loss, "mse": mse, **counters})

    @property
    def sheet(self) -> Path:
        """Where the samples of this step are shown."""
        return self.out / f"samples_{self.training.step:07d}.png"

    def inspect(self) -> None:
        """Measure the held-out loss, and draw a sheet of samples."""
        self.measure()

        training = self.training
        with bf16(training.machine.device):
            prior = Prior(training.ema, training.betas)
            images = sample(prior, self.args.samples, training.size, self.args.eta)
        with atomic(self.sheet) as temporary:
            sheet(images).save(temporary, "png")

    def measure(self) -> None:
        """Add the held-out eps MSE by bucket to its curve, where photos are held out."""
        training, device = self.training, self.training.machine.device
        if not training.held_out.files:
            return

        items = training.held_out.held_out(training.size, BUCKETS)
        with bf16(device):
            mse = heldout_mse(training.ema, training.loss, items, BUCKETS, device)
        row = {"step": training.step, "mse": sum(mse) / BUCKETS, "buckets": mse}
        append(self.out / "heldout.jsonl", row)
        if self.record:
            self.record.log(training.step, {"heldout_mse": sum(mse) / BUCKETS})

    def save(self) -> None:
        """Write what the run goes on from, and what describes it."""
        self.training.save()
        write(self.out / "MODEL_CARD.md", model_card(self.training))
