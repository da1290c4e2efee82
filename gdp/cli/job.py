"""One job: find the photos, build the parts, restore, and tell what became of them."""

import logging
import re
import tempfile
from collections.abc import Container
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from gdp.cli.messages import SOME_FAILED, print_files, report_error, summarize, write_page
from gdp.cli.photos import items_of, photos_of_dataset, square_of
from gdp.storage.places import SAMPLE, expand
from gdp.storage.trackers import check, track

if TYPE_CHECKING:
    from gdp.folder.reel import Reel

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
    reel = film_of(cfg, folder)
    listed = photos_of_dataset(cfg)
    photos = [found for found, _ in listed]
    if not listed and reel is None:
        photos = find_all(SAMPLE if cfg.input is None else cfg.input, cfg.recursive, skip=folder)
    check_writable(folder)

    from gdp.compose.configuration import group_choices
    from gdp.compose.parts import build_all
    from gdp.folder.folder import Folder
    from gdp.folder.items import failures, read_fitting
    from gdp.folder.reel import put_together, take_apart
    from gdp.report.gallery import write_gallery
    from gdp.storage.workspace import Workspace

    setup = build_all(cfg, group_choices(HydraConfig.get().runtime.choices), words)
    read = partial(read_fitting, setup, side=square_of(cfg))
    items = items_of(photos, folder, cfg, read)
    truths = [truth for _, truth in listed] or [None] * len(items)
    items = [
        item if truth is None else item._replace(reference=truth)
        for item, truth in zip(items, truths, strict=True)
    ]

    def on_error(error: Exception, name: str) -> str:
        return report_error(error, cfg.verbose, f"{name}: " if len(items) > 1 else "")

    with Workspace(folder, cfg.overwrite) as space:
        if reel is not None:
            photos = take_apart(reel, space.notes / "work-film")
            items = items_of(photos, folder, cfg, read)
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
        if reel is not None and not failed:
            print_files([put_together(reel, photos, cfg, space.notes / "work-film")])
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


def film_of(cfg: DictConfig, folder: Path) -> "Reel | None":
    """The film that input= is with video=true; None where it is pictures.

    Raises:
        ValueError: the film cannot be read, or something is in its result's way.
    """
    if not cfg.video:
        return None
    from gdp.folder.film import refuse_unfit
    from gdp.folder.reel import is_film, open_reel

    if not is_film(cfg.input):
        return None
    refuse_unfit(cfg)
    return open_reel(cfg.input, folder, cfg.overwrite)


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
