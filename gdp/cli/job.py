"""One job: find the photos, build the parts, restore, and tell what became of them."""

import logging
import re
import tempfile
from collections.abc import Callable, Container
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from gdp.cli.messages import SOME_FAILED, print_files, report_error, summarize, write_page
from gdp.storage.places import SAMPLE, expand
from gdp.storage.trackers import check, track

if TYPE_CHECKING:
    from gdp.folder.items import Item
    from gdp.picture import Found, Photo

log = logging.getLogger("gdp")
LONGEST = 180  # signs of the name of a job's folder
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".gif", ".heic")


def restore_photos(cfg: DictConfig, folder: Path, words: list[str], failed: dict[str, str]) -> int:
    """Restore every photo of a job.

    Args:
        cfg: the configuration.
        folder: where the results go.
        words: the words of the command line.
        failed: the errors of single photos are put into it, by name.

    Returns:
        The exit code.

    Raises:
        ValueError, TypeError, OSError: the job as a whole is refused.
    """
    from gdp.picture import find_all

    check(cfg.logger)
    listed = photos_of_dataset(cfg)
    if listed:
        photos = [found for found, _ in listed]
    else:
        photos = find_all(SAMPLE if cfg.input is None else cfg.input, cfg.recursive, skip=folder)
    check_writable(folder)

    from gdp.compose.configuration import group_choices
    from gdp.compose.parts import build_all
    from gdp.folder.folder import Folder
    from gdp.folder.items import failures, read_fitting
    from gdp.report.gallery import write_gallery
    from gdp.storage.workspace import Workspace

    setup = build_all(cfg, group_choices(HydraConfig.get().runtime.choices), words)
    side = square_of(cfg)
    items = items_of(photos, folder, cfg, partial(read_fitting, setup, side=side))
    truths = [truth for _, truth in listed] or [None] * len(items)
    items = [
        item if truth is None else item._replace(reference=truth)
        for item, truth in zip(items, truths, strict=True)
    ]

    def on_error(error: Exception, name: str) -> str:
        return report_error(error, cfg.verbose, f"{name}: " if len(items) > 1 else "")

    with Workspace(folder, cfg.overwrite) as space:
        run = Folder(items, setup, space, on_error, print_files)
        try:
            if run.settle():
                prior = setup.load_prior()
                setup.sampler.schedule.times(prior.T)  # refuses steps before any photo is begun
                run.restore(prior)
        except OSError as error:
            if not run.known:
                raise
            report_error(error, cfg.verbose)

        # A page of all photos, unless there is none to show.
        outcomes, pages_fine = run.outcomes(), True
        failed |= failures(outcomes)
        if cfg.logger is not None:
            record(cfg, folder, words)
        if cfg.report and len(failed) < len(items):
            page = partial(write_gallery, folder, failed, cfg.overwrite, cfg.recursive)
            pages_fine = write_page(page, cfg.verbose)

    code = summarize(outcomes, folder)
    return code if pages_fine else max(code, SOME_FAILED)


def record(cfg: DictConfig, folder: Path, words: list[str]) -> None:
    """Hand the scores of a job over to logger=, under its folder's name."""
    from gdp.report.summary import entries, row_of

    settings = dict(word.partition("=")[::2] for word in words)
    rows = [row_of(entry) for entry in entries(folder, recursive=cfg.recursive)]
    track(cfg.logger, folder.name, settings, expand(cfg.runs), rows)


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


def output_folder(
    cfg: DictConfig, swept: Container[str] = (), taken: Container[Path | None] = ()
) -> Path:
    """The setting `output`; in a sweep a folder in it that is named after the job's overrides.

    Args:
        cfg: the job's configuration.
        swept: the settings in which jobs differ; pictures count into the name only if they are.
        taken: the folders of other jobs of this sweep.
    """
    folder = expand(cfg.output)
    if folder.suffix.lower() in PICTURES and not folder.is_dir():
        log.warning(
            "output=%s is taken for a folder; results are called as the photos are, so give "
            "output=%s, or another folder",
            cfg.output,
            folder.parent,
        )

    hydra_config = HydraConfig.get()
    if hydra_config.mode != RunMode.MULTIRUN:
        return folder
    words = [word for word in hydra_config.overrides.task if word.partition("=")[0] in swept]
    pictures = [
        word.replace("'", "") for word in words if word.partition("=")[0] in ("input", "mask")
    ]
    named = ",".join([*filter(None, [hydra_config.job.override_dirname]), *sorted(pictures)])
    name = re.sub(r"[^\w.,=+-]", "_", named)[:LONGEST] or str(hydra_config.job.num)

    # Names that differ in other signs only, or beyond the longest name
    number, mine = 2, folder / name
    while mine in taken:
        mine, number = folder / f"{name}-{number}", number + 1
    return mine


def check_writable(folder: Path) -> None:
    """Raise OSError unless files can be made in a folder, or the folder itself; nothing is left."""
    parent = folder
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent

    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise OSError(
            f"cannot write to {folder} ({error.strerror or error}); choose another output="
        ) from None
