"""Frames of a film in a folder: one operator and one noise for all, each steadied by the last.

What is found in the first frame holds for all: its noise, what is soft or lost, its compression.
The frame before and its result are read from their files, so that a run that was interrupted comes
to the same results.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from gdp.folder.items import Item
from gdp.folder.saving import result_file
from gdp.picture import Photo, read, to_model
from gdp.prior.prior import Prior
from gdp.restore.first.begin import begun
from gdp.restore.noise.choose import tinted
from gdp.restore.observe import Measurement, fit_alpha, observe
from gdp.restore.setup import Setup
from gdp.restore.several.chain import observe_last
from gdp.restore.several.steady import Past, check


class Film:
    """The frames of a film.

    Args:
        items: in their order.
        folder: of the results.
        setup: the settings.

    Raises:
        ValueError: settings are of single photos, or a package is missing.
    """

    def __init__(self, items: Sequence[Item], folder: Path, setup: Setup):
        refuse_unfit(setup.config)
        self.items, self.folder = list(items), folder
        self.model: Measurement | None = None  # the first frame's

    def observe(
        self,
        photo: Photo,
        setup: Setup,
        prior: Prior,
        name: str,
        file: Path,
        init: Tensor | None = None,
        reference: Tensor | None = None,
    ) -> Measurement:
        """As gdp.restore.observe.observe, with what the first frame tells, and begun."""
        device = prior.device
        k = next(k for k, item in enumerate(self.items) if item.file == file)
        own = observe(photo, setup, device, name, file, init, reference)
        if self.model is None:
            first = self.items[0]
            start = fit_alpha(first.read(), setup) if k else photo
            same = start.pixels.shape == photo.pixels.shape
            model = observe(start, setup, device, first.title, first.file) if k and same else own
            self.model = model

        # The first frame's operator, where it fits.
        if k and not photo.measured and self.model.y.shape == own.y.shape:
            A = self.model.operator
            y = A.observe(to_model(photo.pixels.to(device)))
            mending, tint = self.model.mending and self.model.mending.steady(), self.model.tint
            tint = tint and tint._replace(y=y)
            A, y = tinted(A, tint, y)
            own = own._replace(y=y, operator=A, tint=tint, mending=mending)
            own = own._replace(noise=self.model.noise)
        return begun(own, setup)._replace(past=self.past(k, setup), alone=True)

    def past(self, k: int, setup: Setup) -> Past | None:
        """The frame before the k-th, and its result; None where one is missing."""
        if k == 0:
            return None
        last = self.items[k - 1]
        result = result_file(self.folder / last.name, last.file, setup.config)
        try:
            return Past(last.read().pixels, read(result).pixels)
        except (OSError, ValueError):
            return None


def refuse_unfit(config: Mapping[Any, Any]) -> None:
    """Raise ValueError for settings of single photos, or where a package is missing."""
    check()
    for name, plain in {"degrade": False, "scene": False, "samples": 1, "before": None}.items():
        if config[name] != plain:
            raise ValueError(f"video=true goes through frames one by one; leave {name}= out")


def observer(items: Sequence[Item], folder: Path, setup: Setup) -> Callable[..., Measurement]:
    """What makes measurements of photos: of a film's frames with what the first one tells."""
    return Film(items, folder, setup).observe if setup.config["video"] else observe_last
