"""What is seen of a restoration while it runs: a bar for each pass, and previews."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import torch
from torch import Tensor
from tqdm import tqdm

from gdp.picture import to_image, write
from gdp.prior.prior import Prior
from gdp.restore.finish import consistency
from operators.base import Operator

OFTEN = 0.3  # seconds between two looks at the bar
log = logging.getLogger("gdp")


class Progress:
    """A bar that counts network calls, parts of one included, with the time the pass still takes.

    In the last pass it shows |A x0 - y|, but not of a blind operator, which only the sampler has as
    bound. Ctrl-C leaves the previews there.

    Args:
        passes: the calls of each pass over the picture; they begin anew with each batch of samples.
        name: what the bar is called.
        prior: the prior, which counts its calls.
        operator: A.
        y: the measurement in [-1, 1].
        preview: where x0 is saved while it runs; several are of photos that share the calls.
        every: seconds between two previews; None: there are none.
    """

    def __init__(
        self,
        passes: list[int],
        name: str,
        prior: Prior,
        operator: Operator,
        y: Tensor,
        preview: Path | Sequence[Path],
        every: float | None = None,
    ):
        self.passes, self.name, self.prior = passes, name[:30], prior
        self.operator, self.y, self.every = operator, y, every
        self.previews = [preview] if isinstance(preview, Path) else list(preview)

        # This pass, the calls before it, and those that were shown.
        self.number, self.before, self.calls = 0, prior.calls, prior.calls
        self.pixels = prior.pixels
        self.x0: Tensor | None = None
        self.size: torch.Size | None = None  # of x0 in this pass
        self.shown = self.saved = monotonic()
        self.written = False
        self.bar = tqdm(
            total=passes[0], desc=self.title(), unit="call", file=sys.stderr, dynamic_ncols=True
        )

    def __enter__(self) -> "Progress":
        self.prior.on_part = self.part
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        self.prior.on_part = None
        self.bar.close()
        if self.written or self.every is not None:  # an earlier run may have left one
            for preview in self.previews:
                preview.unlink(missing_ok=True)

        if isinstance(error, KeyboardInterrupt) and self.x0 is not None:
            self.save(self.x0)
            previews = ", ".join(map(str, self.previews))
            error.args = (*error.args, f"as far as it came: {previews}")

    def title(self) -> str:
        """The name, and which pass of how many it is."""
        several = len(self.passes) > 1
        return f"{self.name} {self.number + 1}/{len(self.passes)}" if several else self.name

    def step(self, t: int, x: Tensor, x0: Tensor) -> None:
        """Follow a step: the sampler's `on_step`."""
        if self.over() or self.size not in (None, x0.shape):
            self.next_pass()
        self.x0, self.size, self.calls, now = x0, x0.shape, self.prior.calls, monotonic()

        # Calls that an earlier run made say nothing of the speed.
        if self.prior.pixels == self.pixels:
            self.bar.initial = self.calls - self.before
        self.pixels = self.prior.pixels

        last = self.number == len(self.passes) - 1
        if now - self.shown > OFTEN and last and not self.operator.blind:
            error = consistency(to_image(x0[:1]), self.operator, self.y[:1])
            self.bar.set_postfix_str(f"|Ax-y| {error:.4f}", refresh=False)
        self.show(self.calls - self.before)
        if self.every is not None and now - self.saved >= self.every:
            self.save(x0)

    def part(self, share: float) -> None:
        """Follow the tiles of a call: the prior's `on_part`."""
        if self.over():
            self.next_pass()
        if monotonic() - self.shown > OFTEN:
            self.show(round(self.prior.calls - 1 - self.before + share, 2))

    def over(self) -> bool:
        """Whether the latest call is of another pass."""
        return self.prior.calls - self.before > self.passes[self.number]

    def next_pass(self) -> None:
        """Begin the bar anew, with the calls since those last shown."""
        self.number, self.before = (self.number + 1) % len(self.passes), self.calls
        self.size, self.bar.initial = None, 0
        self.bar.reset(self.passes[self.number])
        self.bar.set_description_str(self.title(), refresh=False)

    def show(self, calls: float) -> None:
        """Let the bar stand at so many calls of the pass."""
        self.bar.n = min(calls, self.bar.total)
        self.bar.refresh()
        self.shown = monotonic()

    def save(self, x0: Tensor) -> None:
        """Write the previews."""
        for preview, pixels in zip(self.previews, x0.chunk(len(self.previews)), strict=True):
            preview.parent.mkdir(parents=True, exist_ok=True)
            write(to_image(pixels[:1]), preview)
        self.saved, self.written = monotonic(), True
