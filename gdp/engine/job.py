"""A run as it is sent to workers, and what each of them makes of it once."""

import os
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gdp.compose.parts import changed, rebuild
from gdp.prior.prior import Prior
from gdp.remote.copies import Copies
from gdp.restore.cost import check_pair
from gdp.restore.setup import Setup
from gdp.storage import fingerprint

KEPT = 4  # setups of photos with settings of their own, that a worker has at once
OF_PRIOR = ("prior", "tiling", "reuse", "quality", "steps", "device")  # settings it depends on


@dataclass(frozen=True)
class Job:
    """A run.

    Attributes:
        config: the settings, resolved; output is a folder or a URL.
        choices: what was chosen of each group of conf/.
        words: of the command line.
        describe: an error in a line.
        side: of the square that photos are cut to; None leaves them.
        here: the folder that paths are relative to.
    """

    config: dict[str, Any]
    choices: dict[str, str]
    words: list[str]
    describe: Callable[[Exception], str] = str
    side: int | None = None
    here: str = field(default_factory=os.getcwd)

    @property
    def output(self) -> str:
        """Where results go: a path or a URL."""
        return str(self.config["output"])


class Made(NamedTuple):
    """What settings describe.

    Attributes:
        setup: operator, sampler and settings.
        settings: their fingerprint.
        key: equal for photos with the same settings.
    """

    setup: Setup
    settings: str
    key: str


class Setups:
    """What a process has made of a job's settings, and of those of single photos.

    Args:
        job: the run.
    """

    def __init__(self, job: Job):
        self.job, self.copies = job, Copies()
        self.made: OrderedDict[str, Made] = OrderedDict()
        self.priors: dict[str, Prior] = {}

    def of(self, settings: Mapping[str, str]) -> Made:
        """What the job's settings describe, with those of a photo in their place.

        Raises:
            ValueError, TypeError, OSError: they are refused.
        """
        key = fingerprint.digest(dict(settings)) if settings else ""
        if key in self.made:
            self.made.move_to_end(key)
            return self.made[key]

        job = self.job
        known: tuple[dict[str, Any], dict[str, str], list[str]]
        known = (job.config, job.choices, job.words)
        if settings:
            config, choices, words = changed(job.words, settings)
            own = {"output": job.config["output"], "device": job.config["device"]}
            known = ({**config, **own}, choices, words)
        config, choices, words = known
        setup = rebuild(self.copies.localised(config), choices, words)
        settings_known = fingerprint.of_settings(setup.config, setup.cosmetic)
        made = self.made[key] = Made(setup, settings_known, key)
        while len(self.made) > KEPT:
            self.made.popitem(last=False)
        return made

    def prior(self, made: Made) -> Prior:
        """The prior of a setup; equal ones are loaded once.

        Raises:
            ValueError, OSError: its weights cannot be had, or would not help.
        """
        check_pair(made.setup)
        config = made.setup.config
        key = fingerprint.digest({name: config[name] for name in OF_PRIOR})
        if key not in self.priors:
            self.priors = {key: made.setup.load_prior()}
        return self.priors[key]
