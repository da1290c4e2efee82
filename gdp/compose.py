"""The door of Python code: the command line's configuration, composed and built without the command line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from torch import Tensor

from gdp import colourfix
from gdp.pipeline import AUTO, Outcome
from gdp.prior import Prior
from operators.base import Operator
from operators.identity import Identity
from samplers.base import Sampler
from samplers.late import first_guess

QUALITY = {"fast": 10, "balanced": 20, "best": 100}  # steps
CONF = Path(__file__).resolve().parents[1] / "conf"


class Setup(NamedTuple):
    """What a configuration describes. The prior is made on demand, since its weights are heavy."""

    operator: Operator
    sampler: Sampler
    load_prior: Callable[[], Prior]
    config: dict[str, Any]  # resolved

    @property
    def noise_alone(self) -> bool:
        """Whether noise is all that there is to undo."""
        return isinstance(self.operator, Identity)

    def plain(self, outcome: Outcome, y: Tensor) -> Tensor:
        """What strength=0 gives, in model units: y, or its first guess where y is no picture of the result's size."""
        return y if y.shape[1:] == outcome.pixels.shape[1:] else first_guess(outcome.operator, y)


def compose(*overrides: str) -> DictConfig:
    """The configuration of a command line, such as compose("task=sr4", "sampler.eta=0")."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return hydra_compose("config", list(overrides))


def build(cfg: DictConfig) -> Setup:
    """Operator and sampler, checked to fit each other. Raises ValueError, TypeError or OSError, the maker's own words."""
    cfg = cfg.copy()
    for group in ("operator", "sampler", "prior", "tiling", "lowres"):
        for key in OmegaConf.missing_keys(cfg[group]):
            raise ValueError(f"{key} has no default here; give {key}=...")
    if cfg.quality is not None and cfg.quality not in QUALITY:
        raise ValueError(f"quality={cfg.quality}; it is fast, balanced or best")
    if isinstance(cfg.samples, bool) or not isinstance(cfg.samples, int) or cfg.samples < 1:
        raise ValueError(f"samples={cfg.samples}; it is how many restorations to draw, 1 or more")
    steps = QUALITY.get(cfg.quality) if cfg.steps is None else cfg.steps
    if steps is not None:
        with open_dict(cfg):
            cfg.sampler.schedule.steps = steps
    if cfg.init is not None and cfg.sampler.schedule.start == 1:
        with open_dict(cfg):
            cfg.sampler.schedule.start = "auto"
    sigma_y = cfg.sigma_y
    known = isinstance(sigma_y, int | float) and not isinstance(sigma_y, bool) and 0 <= sigma_y <= 1
    if not known and sigma_y != AUTO:
        raise ValueError(f"sigma_y={sigma_y}; the noise is a std in [0, 1] units, such as 0.05 for 5 % of full scale, or auto")
    if cfg.poisson is not None and not (isinstance(cfg.poisson, int | float) and cfg.poisson > 0):
        raise ValueError(f"poisson={cfg.poisson}; it is the number of photons at white, such as 100")
    if not isinstance(cfg.impulse, int | float) or not 0 <= cfg.impulse < 1:
        raise ValueError(f"impulse={cfg.impulse}; it is a share of the pixels, in [0, 1)")
    if isinstance(cfg.strength, bool) or not isinstance(cfg.strength, int | float) or not 0 <= cfg.strength <= 1:
        raise ValueError(f"strength={cfg.strength}; it goes from 0, the photo as it is, to 1, the restoration")
    if cfg.preview is not None and not (isinstance(cfg.preview, int | float) and cfg.preview > 0):
        raise ValueError(f"preview={cfg.preview}; it is a number of seconds above 0, such as 30")
    if cfg.batch != AUTO and (isinstance(cfg.batch, bool) or not isinstance(cfg.batch, int) or cfg.batch < 1):
        raise ValueError(f"batch={cfg.batch}; it is how many pictures go through the network together, 1 or more, or auto")
    if cfg.checkpoint is not None and not (isinstance(cfg.checkpoint, int | float) and cfg.checkpoint > 0):
        raise ValueError(f"checkpoint={cfg.checkpoint}; it is a number of minutes above 0, such as 2, or null for none")
    sampler, operator = make(cfg.lowres)(make(cfg.sampler)), make(cfg.operator)
    if not isinstance(operator, Operator):
        raise TypeError(f"{cfg.operator._target_} makes no operator; derive it from operators.base.Operator or LinearOperator")
    sampler.check(operator)
    colourfix.check(cfg.colourfix, operator)
    config = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(config, dict)
    return Setup(operator, sampler, lambda: make(cfg.tiling)(make(cfg.prior)), {str(k): v for k, v in config.items()})


def make(node: Mapping) -> Any:
    """What a node's `_target_` makes of it; errors are those of the target, without Hydra's wrapping."""
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        while isinstance(cause, InstantiationException) and cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, ValueError | TypeError | OSError) and not isinstance(cause, InstantiationException):
            raise cause from None
        where = str(error).splitlines()[0].partition(", set env var")[0]
        detail = f": {cause}" if cause is not None else ""
        raise ValueError(f"{where}{detail}".replace("\n", " ")) from None
