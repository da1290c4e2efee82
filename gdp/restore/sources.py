"""What a caller of the Python API hands over, as photos or as what was measured."""

from pathlib import Path
from typing import Any

from torch import Tensor

from gdp.picture import namesake
from gdp.picture.arrays import Source, source_of
from gdp.picture.scale import check_excess
from gdp.picture.scene import scene
from gdp.restore.data import is_data, measurement_source, refuse_misfit
from gdp.restore.setup import Setup


def source_from(photo: Any, y: Any, setup: Setup, folder: Path) -> Source:
    """The caller's photo or measurement, which fits the operator.

    Args:
        photo, y: one of them.
        setup: the settings.
        folder: where a photo's bytes are kept, whose file may tell more than its pixels.

    Raises:
        TypeError, ValueError, OSError: it does not, cannot be read, or is none or both of these.
    """
    if (photo is None) == (y is None):
        raise TypeError("restore takes a photo, or y=, what was measured; give one of them")
    if y is not None:
        return measurement_source(y, setup.operator)
    if is_data(photo, setup.operator):
        return measurement_source(photo, setup.operator)

    source = read_source(photo, setup, folder)
    refuse_misfit(source.photos[0], setup.operator, setup.config["degrade"])
    return source


def read_source(photo: Any, setup: Setup, folder: Path) -> Source:
    """The caller's photo, photos or exposures.

    Raises:
        TypeError: a list where one photo is wanted, or one photo where a scene is.
        ValueError, OSError: they cannot be read, or are not of one scene.
    """
    several = isinstance(photo, list | tuple)
    if not setup.config["scene"] or setup.config["degrade"]:
        if several:
            raise TypeError(
                f"got a list of {len(photo)} photos, which only task='hdr' takes; "
                "restore them one by one"
            )
        degrade = setup.config["degrade"]
        frame = None if degrade else setup.operator.frame
        source = source_of(photo, frame=frame, page=setup.config["page"], folder=folder)
        for one in source.photos:
            if not one.measured:
                check_excess(one, 0.0 if degrade else setup.config["sigma_y"], source.name)
        return source

    if not several:
        raise TypeError(
            f"task='hdr' got a {type(photo).__name__}; "
            "it takes a list of 2 to 7 exposures of one scene"
        )
    exposures = [source_of(one, f"exposure {k + 1}") for k, one in enumerate(photo)]
    for exposure in exposures:
        if len(exposure.photos) > 1:
            raise ValueError(f"the {exposure.name} is a batch; each exposure is one photo")
    names = [exposure.name for exposure in exposures]
    return exposures[0]._replace(photos=[scene([e.photos[0] for e in exposures], names)])


def picture_beside(photo: Any, picture: Any, name: str) -> Tensor:
    """The pixels [1, 3, H, W] in [0, 1] of a picture that goes with the photo, of any kind."""
    if isinstance(picture, str | Path) and isinstance(photo, str | Path):
        picture = namesake(picture, Path(photo))
    return source_of(picture, name).photos[0].pixels
