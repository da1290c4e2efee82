"""A job on many workers, or with files in some storage: engine=ray, s3://..., shards, manifests."""

import contextlib
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict

from gdp.cli.messages import SOME_FAILED, error_text, summarize, write_page
from gdp.remote.urls import is_url
from gdp.storage.places import SAMPLE, expand

if TYPE_CHECKING:
    from gdp.engine.entries import Entry
    from gdp.engine.job import Job
    from gdp.engine.run import Engine
    from gdp.folder.items import Outcome

SHOWN = 20_000  # photos of which a storage's summary.csv tells
log = logging.getLogger("gdp")


def is_spread(cfg: DictConfig) -> bool:
    """Whether a job is more than photos and results on a disk, one after another."""
    from gdp.engine.sources import is_special

    if cfg.engine == "ray" or len(devices_of(cfg)) > 1 or is_special(plain(cfg.input)):
        return True
    named = (cfg.output, cfg.mask, cfg.init, cfg.reference, cfg.prior.get("path"))
    return any(is_url(one) for one in named)


def devices_of(cfg: DictConfig) -> list[str]:
    """The devices of device=[...], or of devices=all; one where there is no more.

    Raises:
        ValueError: both are given, or none is in the list.
    """
    given = plain(cfg.device)
    if cfg.devices == "all":
        if given != "auto":
            raise ValueError(f"devices=all and device={given} both say where; give one of them")
        import torch

        return [f"cuda:{k}" for k in range(torch.cuda.device_count())] or ["auto"]
    if isinstance(given, list):
        kinds = {str(one).partition(":")[0] for one in given}
        if len(kinds) != 1 or (kinds != {"cuda"} and kinds != {"cpu"}):
            raise ValueError(
                f"device={','.join(map(str, given))}; a list is of GPUs, [cuda:0,cuda:1], or of "
                "[cpu,cpu], a worker each"
            )
        return [str(one) for one in given]
    return [str(given)]


def restore_spread(cfg: DictConfig, words: list[str], failed: dict[str, str]) -> int:
    """Restore every photo of a job.

    Args:
        cfg: the configuration.
        words: the words of the command line.
        failed: the errors of single photos are put into it, by name.

    Returns:
        The exit code.

    Raises:
        ValueError, TypeError, OSError: the job as a whole is refused.
    """
    if cfg.scene and not cfg.degrade:
        raise ValueError("scene=true is of pictures on a disk; copy them here, with engine=local")
    if cfg.video:
        raise ValueError("video=true goes from frame to frame; it takes engine=local")
    from gdp.cli.job import record
    from gdp.engine.run import Run
    from gdp.folder.items import failures

    devices = devices_of(cfg)
    with open_dict(cfg):
        cfg.device = devices[0].partition(":")[0] if len(devices) > 1 else devices[0]
    job, entries = job_of(cfg, words), photos_of(cfg)

    def tell(outcome: "Outcome") -> None:
        if outcome.url or outcome.where is not None:
            print(outcome.url or outcome.where)

    with place(cfg), engine_of(cfg, devices) as engine:
        outcomes = Run(job, entries, engine, tell).restore()
    failed |= failures(outcomes)

    code = summarize(outcomes, str(cfg.output))
    if cfg.report and len(failed) < len(outcomes):
        page = partial(write_table, cfg, outcomes, failed)
        code = code if write_page(page, cfg.verbose) else max(code, SOME_FAILED)
    if cfg.logger is not None and not is_url(cfg.output):
        record(cfg, expand(cfg.output), words)
    return code


def job_of(cfg: DictConfig, words: list[str]) -> "Job":
    """A job as it is sent to workers."""
    from gdp.cli.photos import square_of
    from gdp.compose.configuration import group_choices
    from gdp.compose.parts import plain as values
    from gdp.engine.job import Job

    choices = group_choices(HydraConfig.get().runtime.choices)
    return Job(values(cfg), choices, words, error_text, square_of(cfg))


def photos_of(cfg: DictConfig) -> "list[Entry]":
    """The photos of a job, with the truth of those of dataset= that have one."""
    from gdp.cli.photos import photos_of_dataset
    from gdp.engine.sources import entries_of, entry_of_file

    listed = photos_of_dataset(cfg)
    if listed:
        return [entry_of_file(found, truth) for found, truth in listed]
    skip = None if is_url(cfg.output) else expand(cfg.output)
    given = str(SAMPLE) if cfg.input is None else plain(cfg.input)
    return entries_of(given, cfg.recursive, skip)


@contextmanager
def place(cfg: DictConfig) -> Iterator[None]:
    """The output as this run's alone, as far as it lies on a disk; its notes stay on errors."""
    if is_url(cfg.output):
        yield
        return
    from gdp.cli.job import check_writable
    from gdp.storage.workspace import Workspace

    folder = expand(cfg.output)
    check_writable(folder)
    with Workspace(folder, cfg.overwrite) as space:
        kept, space.keep = space.keep, True
        try:
            yield
        except ValueError:
            space.keep = kept
            raise
        space.keep = False


@contextmanager
def engine_of(cfg: DictConfig, devices: list[str]) -> "Iterator[Engine]":
    """Who restores: this process, or Ray's actors."""
    if cfg.engine != "ray" and len(devices) == 1:
        from gdp.engine.run import Here
        from gdp.prior.weights import pick_device

        yield Here(pick_device(devices[0]).type)
        return

    from gdp.engine.cluster import OnRay
    from gdp.engine.pool import Pool

    several = len(devices) > 1
    actors = None if cfg.actors == "auto" else int(cfg.actors)
    gpus = None if cfg.num_gpus == "auto" else float(cfg.num_gpus)
    numbers = tuple(int(one.partition(":")[2] or 0) for one in devices)
    pool = Pool(
        address=cfg.address,
        actors=len(devices) if several and actors is None else actors,
        num_cpus=float(cfg.num_cpus),
        num_gpus=gpus,
        device=str(cfg.device),
        gpus=numbers if several and devices[0].startswith("cuda") else None,
    )
    with OnRay(pool) as engine:
        yield engine


def write_table(cfg: DictConfig, outcomes: "list[Outcome]", failed: dict[str, str]) -> list[Path]:
    """The pages of a folder on a disk; of a storage's summary.csv, of the reports there."""
    from gdp.report.gallery import write_gallery

    if not is_url(cfg.output):
        return write_gallery(expand(cfg.output), failed, cfg.overwrite, cfg.recursive)
    if len(outcomes) > SHOWN:
        log.info("summary.csv is of %d photos and fewer, and is left out", SHOWN)
        return []
    from gdp.remote.store import Store
    from gdp.report.gallery import table_rows
    from gdp.report.summary import as_csv, columns, entries

    folder, store = Path(tempfile.mkdtemp(prefix="gdp-")), Store(cfg.output)
    try:
        for outcome in outcomes:
            if outcome.name not in failed:
                file = folder / "reports" / f"{outcome.name}.json"
                file.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.suppress(FileNotFoundError):
                    store.get(f"{outcome.name}.json", file)
        rows = table_rows(entries(folder / "reports", failed, recursive=True))
        (folder / "summary.csv").write_text(as_csv(rows, columns(rows)), encoding="utf-8")
        store.put(folder / "summary.csv", "summary.csv")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{store.url}/summary.csv")
    return []


def plain(value: Any) -> Any:
    """A setting's value as plain Python has it."""
    return OmegaConf.to_container(value) if isinstance(value, ListConfig | DictConfig) else value
