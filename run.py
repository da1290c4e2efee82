"""The command line: compose the configuration, build its parts, restore every photo, save. `python run.py --help` tells more."""

import logging
import os
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

if TYPE_CHECKING:
    from gdp.image import Photo
    from gdp.items import Entry, Item

PATHS = ("input", "output", "mask", "init", "prior.path", "operator.kernel", "operator.tables", "operator.transmission")
DONE, SOME_FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
ROOT = Path(__file__).resolve().parent
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

    @hydra.main(version_base="1.3", config_path=str(ROOT / "conf"), config_name="config")
    def job(cfg: DictConfig) -> None:
        codes.append(guarded(cfg))

    try:
        job()
    except (HydraException, OmegaConfBaseException) as error:
        log.error("error: %s", refusal(error))
        return SOME_FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return max(codes, default=DONE)


def quoted(word: str, sweep: bool) -> str:
    """A `path=value` word whose value Hydra takes literally; lists, and choices of a sweep, stay what they are."""
    key, equals, value = word.partition("=")
    if not equals or key not in PATHS or value in ("", "null") or value[0] in "'\"":
        return word
    if not Path(value).exists() and ((sweep and "," in value) or (value[0] == "[" and value[-1] == "]") or value[0] == "{"):
        return word
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"{key}='{escaped}{chr(92) * trailing}'".replace("${", "\\${")


def refusal(error: Exception) -> str:
    """Hydra's refusal of the command line in a line or two, with the nearest names that exist."""
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        return f"no {group} named {name!r}{nearest(name, error.options)}"
    text = " ".join(str(error).split())
    key = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct", text)
    if key:
        name = key[1] or key[2]
        hint = "" if "." in name else nearest(name, settings())
        return f"no setting named {name!r}{hint}; --cfg job lists them, and a new one is added by +{name}=..."
    return text.split(" See https://")[0].split(" full_key:")[0]


def settings() -> list[str]:
    """The names that conf/config.yaml and its groups define."""
    conf = ROOT / "conf"
    return [*re.findall(r"^(\w+):", (conf / "config.yaml").read_text(), re.M), *(folder.name for folder in conf.iterdir())]


def nearest(name: str, options: Sequence[str]) -> str:
    """A hint at names that exist."""
    known = sorted(set(options) - {"defaults", "hydra"})
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(known)}"


def guarded(cfg: DictConfig) -> int:
    """One job; what goes wrong is told in a line."""
    try:
        return restore_all(cfg)
    except Exception as error:
        tell(error, cfg.verbose)
        return REFUSED


def tell(error: Exception, verbose: bool, where: str = "") -> str:
    """Report an error in a line, which it gives; with verbose=true, its traceback too."""
    known = isinstance(error, ValueError | TypeError | OSError | HydraException | OmegaConfBaseException)
    text = " ".join(str(error).split()) if known else f"{type(error).__name__}: {error} (verbose=true tells more)"
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    log.error("error: %s%s", where, text, exc_info=error if verbose else None)
    return text


def restore_all(cfg: DictConfig) -> int:
    """Restore every photo of a job."""
    from gdp.image import find_photos

    given = ROOT / "gdp" / "samples" / "cat.png" if cfg.input is None else cfg.input
    photos = [file for one in ([given] if isinstance(given, str | Path) else given) for file in find_photos(one)]
    folder = output_folder(cfg)
    check_writable(folder)

    from gdp.compose import build
    from gdp.folder import Folder
    from gdp.workspace import Workspace

    setup = build(cfg)
    items = items_of(photos, cfg)
    many = len(items) > 1
    with Workspace(folder, cfg.overwrite) as space:
        run = Folder(items, setup, space, lambda error, name: tell(error, cfg.verbose, f"{name}: " if many else ""), show)
        try:
            if run.settle():
                prior = setup.load_prior()
                setup.sampler.schedule.times(prior.T)  # refuses what does not fit before any photo is begun
                run.restore(prior)
        except OSError as error:
            if not run.entries:
                raise
            tell(error, cfg.verbose)
    return summary(run.outcome(), folder)


def items_of(photos: list[Path], cfg: DictConfig) -> "list[Item]":
    """The photos of a job, by the names of their results. What is wrong with a single one is told at once."""
    from gdp.image import read
    from gdp.items import Item
    from gdp.scene import read_scene

    def item(files: list[Path], name: str, photo: "Photo | None" = None) -> Item:
        return Item(name, tuple(files), partial(read, files[0]) if photo is None else lambda: photo, cfg.init)

    if cfg.scene and not cfg.degrade:
        return [item(photos, photos[0].stem, read_scene(photos))]
    if len(photos) == 1:
        return [item(photos, photos[0].stem, read(photos[0]))]
    return [item([file], name) for file, name in zip(photos, output_names(photos), strict=True)]


def show(files: list[Path]) -> None:
    """Print what was written."""
    for file in files:
        print(file)


def summary(entries: "list[Entry]", folder: Path) -> int:
    """The table of several photos, and the exit code."""
    from gdp.items import FAILED, LEFT

    failed = sum(entry.state in (FAILED, LEFT) for entry in entries)
    if len(entries) > 1:
        width = max(len(entry.name) for entry in entries)
        for entry in entries:
            seconds = f"{entry.seconds:8.1f} s" if entry.seconds else " " * 10
            log.info("%-*s  %-15s %s  %s", width, entry.name, entry.state, seconds, entry.error or entry.where or "")
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


def output_names(photos: list[Path]) -> list[str]:
    """Each photo's name without its suffix, or with it where two photos differ in nothing else."""
    stems = [p.stem for p in photos]
    return [p.name if stems.count(p.stem) > 1 else p.stem for p in photos]


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
        raise OSError(f"cannot write to {folder} ({error.strerror or error}); choose another output=") from None


if __name__ == "__main__":
    sys.exit(main())
