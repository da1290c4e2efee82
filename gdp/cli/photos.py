"""The photos of a job: those of a data set, and how each is read."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from gdp.storage.places import expand

if TYPE_CHECKING:
    from gdp.folder.items import Item
    from gdp.picture import Found, Photo


def photos_of_dataset(cfg: DictConfig) -> "list[tuple[Found, Path | None]]":
    """The photos of dataset=, with the truth of those that are degraded; none without it.

    Raises:
        ValueError, OSError: there is no such set, or it is not whole.
    """
    from gdp.picture.datasets import DATASETS, find_dataset

    if cfg.dataset is None:
        return []
    if cfg.dataset not in DATASETS:
        raise ValueError(f"dataset={cfg.dataset}; there are {', '.join(sorted(DATASETS))}")
    if cfg.input is not None:
        raise ValueError("dataset= and input= both name photos; give one of them")
    return find_dataset(cfg.dataset, expand(cfg.data))


def square_of(cfg: DictConfig) -> int | None:
    """The side of the square that the photos of dataset= are cut to; None leaves them."""
    from gdp.picture.datasets import DATASETS

    return None if cfg.dataset is None else DATASETS[cfg.dataset].square


def items_of(
    photos: "list[Found]",
    folder: Path,
    cfg: DictConfig,
    read: "Callable[[Path, int | None], Photo]",
) -> "list[Item]":
    """The photos of a job, by the names of their results.

    Raises:
        ValueError, OSError: a scene or a single photo cannot be read, or a result would lie outside
            of the folder.
    """
    from gdp.folder.items import Item
    from gdp.picture import path_inside
    from gdp.picture.scene import read_scene

    # What is one picture is read at once; many are read in their turn, and may fail in it.
    scene = cfg.scene and not cfg.degrade
    photo = None
    if scene:
        photo = read_scene([found.file for found in photos])
    elif len(photos) == 1:
        photo = read(photos[0].file, cfg.page)

    masks = None if cfg.mask is None or not expand(cfg.mask).is_dir() else expand(cfg.mask)
    items = []
    for group in [photos] if scene else [[found] for found in photos]:
        path_inside(folder, group[0].name)
        files = tuple(found.file for found in group)
        source = partial(read, files[0], cfg.page) if photo is None else lambda: photo
        items.append(Item(group[0].name, files, source, cfg.init, cfg.reference, masks))
    return items
