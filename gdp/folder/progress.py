"""What is seen of a restoration while it runs: a bar for each pass, and a preview of the picture."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from tqdm import tqdm

from gdp.picture.image import to_image, write
from gdp.prior.prior import Prior
from gdp.restore.pipeline import consistency

if TYPE_CHECKING:
    from operators.base import Operator

OFTEN = 0.3  # seconds between two looks at the bar
log = logging.getLogger("gdp")


class Progress:
    """A bar that counts network calls, parts of one included, with the time the pass still takes, and |A x0 - y| in the last pass
    (not of a blind operator, which only the sampler has as bound).

    `passes` are the calls of each pass over the picture; they begin anew with each batch of samples. Every `every` seconds the estimate
    x0 is saved as `preview`, which goes at the end; several are those of the photos that share the calls. Ctrl-C leaves them there.
    """

    def __init__(
        self,
        passes: list[int],
        name: str,
        prior: Prior,
        operator: "Operator",
        y: Tensor,
        preview: Path | Sequence[Path],
        every: float | None = None,
    ):
        self.passes, self.name, self.prior, self.operator, self.y = (
            passes,
            name[:30],
            prior,
            operator,
            y,
        )
        self.previews, self.every = [preview] if isinstance(preview, Path) else list(preview), every
        self.number, self.before, self.calls = (
            0,
            prior.calls,
            prior.calls,
        )  # this pass; the calls before it, and those told of
        self.pixels = prior.pixels
        self.bar = tqdm(
            total=passes[0], desc=self.title(), unit="call", file=sys.stderr, dynamic_ncols=True
        )
        self.shown = self.saved = monotonic()
        self.x0: Tensor | None = None
        self.size: torch.Size | None = None  # of x0 in this pass
        self.written = False

    def __enter__(self) -> "Progress":
        self.prior.on_part = self.part
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.prior.on_part = None
        self.bar.close()
        if self.written or self.every is not None:  # an earlier run may have left one
            for preview in self.previews:
                preview.unlink(missing_ok=True)
        if kind is not None and issubclass(kind, KeyboardInterrupt) and self.x0 is not None:
            self.save(self.x0)
            log.warning("stopped; as far as it came: %s", ", ".join(map(str, self.previews)))

    def title(self) -> str:
        """The name, and which pass of how many it is."""
        return (
            self.name
            if len(self.passes) == 1
            else f"{self.name} {self.number + 1}/{len(self.passes)}"
        )

    def step(self, t: int, x: Tensor, x0: Tensor) -> None:
        """Follow a step: the sampler's `on_step`."""
        if self.over() or self.size not in (None, x0.shape):
            self.next_pass()
        self.x0, self.size, self.calls, now = x0, x0.shape, self.prior.calls, monotonic()
        if (
            self.prior.pixels == self.pixels
        ):  # an earlier run made these calls: they say nothing of the speed
            self.bar.initial = self.calls - self.before
        self.pixels = self.prior.pixels
        if (
            now - self.shown > OFTEN
            and self.number == len(self.passes) - 1
            and not self.operator.blind
        ):
            self.bar.set_postfix_str(
                f"|Ax-y| {consistency(to_image(x0[:1]), self.operator, self.y[:1]):.4f}",
                refresh=False,
            )
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
        """Begin a bar anew, with the calls since those last told of."""
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
