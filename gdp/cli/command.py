"""One command: its jobs, one after the other, and the pages of a sweep."""

import logging
import os
import sys
from collections.abc import Container
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from gdp.cli.job import output_folder, restore_photos
from gdp.cli.logs import begin
from gdp.cli.messages import DONE, INTERRUPTED, REFUSED, SOME_FAILED, report_error
from gdp.cli.spread import is_spread, restore_spread
from gdp.cli.streams import readable_streams
from gdp.cli.sweeps import Job, Notes, score, write_sweep_pages
from gdp.cli.words import read_line
from gdp.compose.refusal import UnknownNameError, refusal, validate
from gdp.remote.urls import is_url
from gdp.stops import stopped
from gdp.storage.places import CONF
from gdp.version import __version__

log = logging.getLogger("gdp")


def main() -> int:
    """Run the command line.

    Returns:
        The exit code.
    """
    readable_streams()
    begin(sys.argv[1:])
    log.setLevel(logging.INFO)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors arrive here whole, and are reported in a line

    if "--version" in sys.argv[1:]:
        print(f"gdp {__version__}")
        return DONE
    try:
        line = read_line(sys.argv[1:])
    except ValueError as error:
        log.error("error: %s", error)
        return SOME_FAILED if isinstance(error, UnknownNameError) else REFUSED
    jobs: list[Job] = []
    notes = Notes(line)
    sys.argv[1:] = notes.words

    @hydra.main(version_base="1.3", config_path=str(CONF), config_name="config")
    def run(cfg: DictConfig) -> float | None:
        if not notes.mine:  # another process of a launcher's
            begin(line.words)
            log.setLevel(logging.INFO)
        job = run_job(cfg, line.swept, [job.folder for job in jobs])
        jobs.append(job)
        if not notes.mine:
            notes.leave(job)
        return score(job)

    try:
        run()
    except (HydraException, OmegaConfBaseException) as error:
        if stopped():
            raise KeyboardInterrupt from None
        log.error("error: %s", refusal(error))
        return SOME_FAILED
    except KeyboardInterrupt as stop:
        log.info("; ".join(["stopped", *map(str, stop.args)]))
        return INTERRUPTED
    finally:
        jobs += notes.take()
        if line.sweep:
            write_sweep_pages(jobs)
    return max((job.code for job in jobs), default=DONE)


def run_job(cfg: DictConfig, swept: Container[str], taken: Container[Path | None]) -> Job:
    """Run one job; what goes wrong is reported in a line, and noted.

    Args:
        cfg: its configuration.
        swept: the settings in which jobs differ.
        taken: the folders of the jobs before it.
    """
    hydra_config = HydraConfig.get()
    words = list(hydra_config.overrides.task)
    folder: Path | None = None
    failed: dict[str, str] = {}
    task = hydra_config.runtime.choices.get("task")

    try:
        validate(cfg)
        spread = task not in ("doctor", "sample") and is_spread(cfg)
        folder = None if is_url(cfg.output) else output_folder(cfg, swept, taken)
        if task == "doctor":
            from gdp.doctor.examine import examine

            code = examine(cfg)
        elif task == "sample" and folder is not None:
            from gdp.cli.draw import draw_samples

            code = draw_samples(cfg, folder)
        elif spread:
            own = cfg.copy()
            own.output = str(folder or cfg.output)
            code = restore_spread(own, words, failed)
        elif folder is None:
            raise ValueError(f"output={cfg.output}: task={task} writes to disks alone")
        else:
            code = restore_photos(cfg, folder, words, failed)
    except Exception as error:
        failed[""] = report_error(error, cfg.verbose)
        code = REFUSED
    return Job(cfg, words, folder, failed, code)
