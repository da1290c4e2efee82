"""What is seen of a restoration while it runs: the bar of the run moves on, and previews."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from torch import Tensor

from gdp.folder.bar import Bar
from gdp.picture import to_image, write
from gdp.prior.prior import Prior
from gdp.restore.cost import Work
from samplers.restorer import Pass


class Progress:
    """Moves the bar by the network's calls on photos that share them, parts of one included.

    Ctrl-C leaves the previews there.

    Args:
        passes: those that are expected.
        prior: the prior, which counts its calls.
        bar: the bar of the run.
        preview: where x0 is saved while it runs; several are of photos that share the calls.
        every: seconds between two previews; None: there are none.
    """

    def __init__(
        self,
        passes: Sequence[Pass],
        prior: Prior,
        bar: Bar,
        preview: Path | Sequence[Path],
        every: float | None = None,
    ):
        self.work, self.prior, self.bar, self.every = Work(passes, prior), prior, bar, every
        self.previews = [preview] if isinstance(preview, Path) else list(preview)
        self.pixels = prior.pixels
        self.x0: Tensor | None = None
        self.saved, self.written = monotonic(), False

    def __enter__(self) -> "Progress":
        self.prior.on_part = self.part
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: object
    ) -> None:
        self.prior.on_part = None
        if self.written or self.every is not None:  # an earlier run may have left one
            for preview in self.previews:
                preview.unlink(missing_ok=True)

        if isinstance(error, KeyboardInterrupt) and self.x0 is not None:
            self.save(self.x0)
            previews = ", ".join(map(str, self.previews))
            error.args = (*error.args, f"as far as it came: {previews}")

    def begin(self, now: Pass) -> None:
        """Follow the begin of a pass: the sampler's `on_pass`."""
        self.work.begin(now)

    def step(self, t: int, x: Tensor, x0: Tensor) -> None:
        """Follow a step: the sampler's `on_step`."""
        # Calls that an earlier run made say nothing of the speed.
        skipped = self.prior.pixels == self.pixels
        self.x0, self.pixels = x0, self.prior.pixels
        self.bar.move(self.work.share(), skipped)
        if self.every is not None and monotonic() - self.saved >= self.every:
            self.save(x0)

    def part(self, share: float) -> None:
        """Follow the tiles of a call: the prior's `on_part`."""
        self.bar.move(self.work.share(share))

    def save(self, x0: Tensor) -> None:
        """Write the previews."""
        for preview, pixels in zip(self.previews, x0.chunk(len(self.previews)), strict=True):
            preview.parent.mkdir(parents=True, exist_ok=True)
            write(to_image(pixels[:1]), preview)
        self.saved, self.written = monotonic(), True
