"""The command line: compose the configuration, build its parts, restore every photo, save. `python run.py --help` tells more."""

import logging
import os
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from gdp.compose.refusal import refusal
from gdp.storage.places import CONF, SAMPLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gdp.folder.items import Entry, Item
    from gdp.picture.find import Found
    from gdp.picture.image import Photo

PATHS = (
    "input",
    "output",
    "mask",
    "init",
    "prior.path",
    "prior.repo",
    "operator.kernel",
    "operator.tables",
    "operator.transmission",
)
DONE, SOME_FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
log = logging.getLogger("gdp")


def main() -> int:
    """Run the command line; its exit code."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr, force=True)
    log.setLevel(logging.INFO)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors arrive here whole, to be told in a line
    sweep = "-m" in sys.argv or "--multirun" in sys.argv
    sys.argv[1:] = [quoted(word, sweep) for word in sys.argv[1:]]
    sys.path.append(os.getcwd())  # a user's operator lies beside where they run
    codes: list[int] = []
    told: list[
        tuple[DictConfig, dict[str, str], dict[str, str], Path]
    ] = []  # of each job of a sweep

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
    def job(cfg: DictConfig) -> None:
        failed: dict[str, str] = {}
        codes.append(guarded(cfg, failed))
        if sweep and cfg.report:
            told.append(
                (
                    cfg,
                    dict(word.partition("=")[::2] for word in asked()),
                    failed,
                    output_folder(cfg),
                )
            )

    try:
        job()
    except (HydraException, OmegaConfBaseException) as error:
        log.error("error: %s", refusal(error))
        return SOME_FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if told:
            tell_sweep(told)
    return max(codes, default=DONE)


def quoted(word: str, sweep: bool) -> str:
    """A `path=value` word whose value Hydra takes literally; lists, and choices of a sweep, stay what they are."""
    key, equals, value = word.partition("=")
    if not equals or key not in PATHS or value in ("", "null") or value[0] in "'\"":
        return word
    if not Path(value).exists() and (
        (sweep and "," in value) or (value[0] == "[" and value[-1] == "]") or value[0] == "{"
    ):
        return word
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"{key}='{escaped}{chr(92) * trailing}'".replace("${", "\\${")


def asked() -> list[str]:
    """The words of this job that set something."""
    return list(HydraConfig.get().overrides.task)


def tell_sweep(told: list[tuple[DictConfig, dict[str, str], dict[str, str], Path]]) -> None:
    """Write what tells of a sweep as a whole, of jobs as (configuration, overrides, errors, folder)."""
    from gdp.report.sweep import Job, write_sweep

    root = Path(told[0][0].output).expanduser()
    jobs = [
        Job(overrides, folder, failed.pop("", ""), failed) for _, overrides, failed, folder in told
    ]
    if not root.is_dir():
        return
    try:
        show(write_sweep(root, jobs, told[0][0].overwrite, told[0][0].recursive))
    except OSError as error:
        tell(error, told[0][0].verbose)


def guarded(cfg: DictConfig, failed: dict[str, str]) -> int:
    """One job; what goes wrong is told in a line, and put into `failed`: under a photo's name, or under "" where the job is refused."""
    try:
        if HydraConfig.get().runtime.choices.get("task") == "doctor":
            from gdp.doctor import examine

            return examine(cfg)
        return restore_all(cfg, failed)
    except Exception as error:
        failed[""] = tell(error, cfg.verbose)
        return REFUSED


def tell(error: Exception, verbose: bool, where: str = "") -> str:
    """Report an error in a line, which is returned; with verbose=true, its traceback too."""
    known = isinstance(
        error, ValueError | TypeError | OSError | HydraException | OmegaConfBaseException
    )
    text = (
        " ".join(str(error).split())
        if known
        else f"{type(error).__name__}: {error} (verbose=true tells more)"
    )
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    log.error("error: %s%s", where, text, exc_info=error if verbose else None)
    return text


def restore_all(cfg: DictConfig, failed: dict[str, str]) -> int:
    """Restore every photo of a job; errors of single ones go into `failed`, by name."""
    from gdp.picture.image import find_all

    folder = output_folder(cfg)
    photos = find_all(SAMPLE if cfg.input is None else cfg.input, cfg.recursive, skip=folder)
    check_writable(folder)

    from gdp.compose.configuration import build, chosen
    from gdp.folder.folder import Folder
    from gdp.folder.items import FAILED, LEFT
    from gdp.storage.workspace import Workspace

    setup = build(cfg, chosen(HydraConfig.get().runtime.choices), asked())
    items = items_of(photos, folder, cfg)
    many = len(items) > 1
    with Workspace(folder, cfg.overwrite) as space:
        run = Folder(
            items,
            setup,
            space,
            lambda error, name: tell(error, cfg.verbose, f"{name}: " if many else ""),
            show,
        )
        try:
            if run.settle():
                prior = setup.load_prior()
                setup.sampler.schedule.times(
                    prior.T
                )  # refuses what does not fit before any photo is begun
                run.restore(prior)
        except OSError as error:
            if not run.entries:
                raise
            tell(error, cfg.verbose)
        failed |= {
            entry.name: entry.error or entry.state
            for entry in run.outcome()
            if entry.state in (FAILED, LEFT)
        }
        told = not cfg.report or len(failed) == len(items) or tell_folder(cfg, folder, failed)
    code = summary(run.outcome(), folder)
    return code if told else max(code, SOME_FAILED)


def tell_folder(cfg: DictConfig, folder: Path, failed: dict[str, str]) -> bool:
    """Write what tells of all photos in a folder; whether that went well."""
    from gdp.report.gallery import write_gallery

    try:
        show(write_gallery(folder, failed, cfg.overwrite, cfg.recursive))
    except OSError as error:
        tell(error, cfg.verbose)
        return False
    return True


def items_of(photos: "list[Found]", folder: Path, cfg: DictConfig) -> "list[Item]":
    """The photos of a job, by the names of their results. What is wrong with a single one is told at once."""
    from gdp.folder.items import Item
    from gdp.picture.image import placed, read
    from gdp.picture.scene import read_scene

    def item(found: "Sequence[Found]", photo: "Photo | None" = None) -> Item:
        placed(folder, found[0].name)
        files = tuple(one.file for one in found)
        return Item(
            found[0].name,
            files,
            partial(read, files[0]) if photo is None else lambda: photo,
            cfg.init,
        )

    if cfg.scene and not cfg.degrade:
        return [item(photos, read_scene([one.file for one in photos]))]
    if len(photos) == 1:
        return [item(photos, read(photos[0].file))]
    return [item([one]) for one in photos]


def show(files: list[Path]) -> None:
    """Print what was written."""
    for file in files:
        print(file)


def summary(entries: "list[Entry]", folder: Path) -> int:
    """The table of several photos, and the exit code."""
    from gdp.folder.items import FAILED, LEFT

    failed = sum(entry.state in (FAILED, LEFT) for entry in entries)
    if len(entries) > 1:
        width = max(len(entry.name) for entry in entries)
        for entry in entries:
            seconds = f"{entry.seconds:8.1f} s" if entry.seconds else " " * 10
            log.info(
                "%-*s  %-15s %s  %s",
                width,
                entry.name,
                entry.state,
                seconds,
                entry.error or entry.where or "",
            )
        log.info("%d of %d pictures restored, in %s", len(entries) - failed, len(entries), folder)
    return REFUSED if failed == len(entries) else SOME_FAILED if failed else DONE


def output_folder(cfg: DictConfig) -> Path:
    """`output`, or in a sweep a folder of it named after the job's overrides."""
    folder = Path(cfg.output).expanduser()
    hydra_config = HydraConfig.get()
    if hydra_config.mode == RunMode.MULTIRUN:
        name = re.sub(r"[^\w.,=+-]", "_", hydra_config.job.override_dirname)[:200]
        folder = folder / (name or str(hydra_config.job.num))
    return folder


def check_writable(folder: Path) -> None:
    """OSError unless files can be made in `folder`, or the folder itself where it does not exist; leaves nothing behind."""
    import tempfile

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
