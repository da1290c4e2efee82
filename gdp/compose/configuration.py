"""The door of Python code: the command line's configuration, composed and built without the command line."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.utils import setup_globals
from hydra.errors import HydraException, InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException
from packaging.version import Version
from torch import Tensor

from gdp.compose.names import public, with_public_names
from gdp.compose.refusal import groups, refusal
from gdp.picture.image import check_output
from gdp.prior.reuse import check_reuse
from gdp.restore import colourfix
from gdp.restore.pipeline import AUTO
from gdp.restore.setup import Setup
from gdp.storage.fingerprint import COSMETIC
from gdp.storage.places import CONF
from operators.base import Operator
from samplers.base import Sampler

QUALITY = {"fast": 10, "balanced": 20, "best": 100}  # steps
ONE_AT_A_TIME = threading.Lock()  # Hydra finds its plugins and registers its resolvers without one


def compose(*overrides: str) -> DictConfig:
    """The configuration of a command line, such as compose("task=sr4", "sampler.eta=0")."""
    return composed(overrides)[0]


def composed(overrides: Sequence[str]) -> tuple[DictConfig, dict[str, str]]:
    """`compose`, and what was chosen of each group of conf/. The caller's own Hydra is left alone: `hydra.compose` needs a global one."""
    with ONE_AT_A_TIME:
        if not isinstance(version.getbase(), Version):
            version.setbase("1.3")
        if not OmegaConf.has_resolver("now"):
            setup_globals()
        loader = ConfigLoaderImpl(create_config_search_path(str(CONF)))
        cfg = loader.load_configuration("config", list(overrides), RunMode.RUN, from_shell=False)
    choices = chosen(cfg.hydra.runtime.choices)
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg, choices


def chosen(choices: Mapping[Any, Any]) -> dict[str, str]:
    """Hydra's choices, without its own."""
    return {
        str(group): str(name)
        for group, name in choices.items()
        if not str(group).startswith("hydra/")
    }


def configured(settings: Mapping[str, Any]) -> tuple[DictConfig, dict[str, str], list[str]]:
    """The configuration of settings by name, the choices, and the settings as words of a command line.

    Names are the command line's, nested as {"operator": {"r": 2}} or {"operator.r": 2}; +name adds one. Values are plain ones or Tensors.
    ValueError where Hydra refuses a name or a choice.
    """
    values = {name: plain_value(name, value) for name, value in settings.items()}
    known = groups()
    words = [
        f"{name}={value}"
        for name, value in values.items()
        if name in known and not isinstance(value, Mapping)
    ]
    try:
        cfg, choices = composed(words)
        cfg._set_flag("allow_objects", True)
        for name, value in values.items():
            if name not in known or isinstance(value, Mapping):
                put(cfg, name.lstrip("+"), value, new=name.startswith("+"))
    except (HydraException, OmegaConfBaseException) as error:
        raise ValueError(refusal(error)) from None
    return cfg, choices, [f"{name}={value}" for name, value in flattened(plain(values))]


def put(cfg: DictConfig, name: str, value: Any, new: bool) -> None:
    """Set a setting by its dotted name; a mapping goes into one that is there, key by key. `new` ones need not exist."""
    if isinstance(value, Mapping) and isinstance(OmegaConf.select(cfg, name), DictConfig):
        for key, inner in value.items():
            put(cfg, f"{name}.{key.lstrip('+')}", inner, new or key.startswith("+"))
    else:
        OmegaConf.update(cfg, name, value, force_add=new)


def flattened(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings as dotted names."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def plain_value(name: str, value: Any) -> Any:
    """A setting as a configuration holds it: a tuple as a list, a number of an array as a number; text is literal."""
    if isinstance(value, Mapping):
        return {str(key): plain_value(f"{name}.{key}", inner) for key, inner in value.items()}
    if isinstance(value, str):
        return value.replace("${", "\\${")
    if isinstance(value, list | tuple):
        return [plain_value(name, v) for v in value]
    if value is None or isinstance(value, bool | int | float | Path | Tensor):
        return value
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(
        f"{name}= got a {type(value).__name__}; a setting is a number, text, true or false, or a list of them"
    )


def plain(value: Any) -> Any:
    """A setting as a report holds it: a path as text, a Tensor by its size."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, Tensor):
        return f"<{value.shape[-1]}x{value.shape[-2]} pixels>"
    return str(value) if isinstance(value, Path) else value


def build(
    cfg: DictConfig,
    choices: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
    given: Mapping[str, Any] | None = None,
) -> Setup:
    """Operator and sampler, checked to fit each other. `given` are objects in place of the configuration's operator, sampler or prior.

    Raises ValueError, TypeError or OSError, the maker's own words.
    """
    cfg, given = cfg.copy(), given or {}
    for group, kind in (("operator", Operator), ("sampler", Sampler)):
        if group in given:
            made(given[group], kind)
    for group in ("operator", "sampler", "prior", "tiling", "lowres"):
        for key in () if group in given else OmegaConf.missing_keys(cfg[group]):
            raise ValueError(f"{key} has no default here; give {key}=...")
    if cfg.quality is not None and cfg.quality not in QUALITY:
        raise ValueError(f"quality={cfg.quality}; it is fast, balanced or best")
    if isinstance(cfg.samples, bool) or not isinstance(cfg.samples, int) or cfg.samples < 1:
        raise ValueError(f"samples={cfg.samples}; it is how many restorations to draw, 1 or more")
    steps = QUALITY.get(cfg.quality) if cfg.steps is None else cfg.steps
    if steps is not None and "sampler" in given:
        raise ValueError(
            "steps= and quality= are of samplers made by name; give yours a schedule of its own: Schedule(steps=...)"
        )
    if steps is not None:
        with open_dict(cfg):
            cfg.sampler.schedule.steps = steps
    if cfg.init is not None and cfg.sampler.schedule.start == 1:
        with open_dict(cfg):
            cfg.sampler.schedule.start = "auto"
    sigma_y = cfg.sigma_y
    known = isinstance(sigma_y, int | float) and not isinstance(sigma_y, bool) and 0 <= sigma_y <= 1
    if not known and sigma_y != AUTO:
        raise ValueError(
            f"sigma_y={sigma_y}; the noise is a std in [0, 1] units, such as 0.05 for 5 % of full scale, or auto"
        )
    if cfg.poisson is not None and not (isinstance(cfg.poisson, int | float) and cfg.poisson > 0):
        raise ValueError(
            f"poisson={cfg.poisson}; it is the number of photons at white, such as 100"
        )
    if not isinstance(cfg.impulse, int | float) or not 0 <= cfg.impulse < 1:
        raise ValueError(f"impulse={cfg.impulse}; it is a share of the pixels, in [0, 1)")
    if (
        isinstance(cfg.strength, bool)
        or not isinstance(cfg.strength, int | float)
        or not 0 <= cfg.strength <= 1
    ):
        raise ValueError(
            f"strength={cfg.strength}; it goes from 0, the photo as it is, to 1, the restoration"
        )
    if cfg.preview is not None and not (isinstance(cfg.preview, int | float) and cfg.preview > 0):
        raise ValueError(f"preview={cfg.preview}; it is a number of seconds above 0, such as 30")
    if cfg.batch != AUTO and (
        isinstance(cfg.batch, bool) or not isinstance(cfg.batch, int) or cfg.batch < 1
    ):
        raise ValueError(
            f"batch={cfg.batch}; it is how many pictures go through the network together, 1 or more, or auto"
        )
    if cfg.checkpoint is not None and not (
        isinstance(cfg.checkpoint, int | float) and cfg.checkpoint > 0
    ):
        raise ValueError(
            f"checkpoint={cfg.checkpoint}; it is a number of minutes above 0, such as 2, or null for none"
        )
    if cfg.reuse is not None:
        check_reuse(cfg.reuse)
    check_output(cfg.format, cfg.image_quality, cfg.depth)
    bare = given["sampler"] if "sampler" in given else make(cfg.sampler)
    operator = given["operator"] if "operator" in given else make(cfg.operator)
    made(operator, Operator)
    made(bare, Sampler)
    sampler = make(cfg.lowres)(bare)
    sampler.check(operator)
    colourfix.check(cfg.colourfix, operator)
    config = {
        **with_public_names(plain(OmegaConf.to_container(cfg, resolve=True))),
        **{group: {"_target_": class_of(part)} for group, part in given.items()},
    }
    names = {**(choices or {}), **{group: type(part).__name__ for group, part in given.items()}}
    load = (lambda: given["prior"].own()) if "prior" in given else (lambda: make(cfg.prior))
    words = [word for word in overrides if word.partition("=")[0].lstrip("+~") not in COSMETIC]
    return Setup(operator, sampler, load, make(cfg.tiling), config, names, words)


def made(thing: Any, kind: type) -> None:
    """TypeError unless it is an Operator, or a Sampler."""
    if not isinstance(thing, kind):
        name, bases = (
            kind.__name__.lower(),
            "operators.base.Operator or LinearOperator"
            if kind is Operator
            else "samplers.base.Sampler",
        )
        raise TypeError(f"{class_of(thing)} makes no {name}; derive it from {bases}")


def class_of(thing: Any) -> str:
    """The public name of a thing's class."""
    return public(f"{type(thing).__module__}.{type(thing).__qualname__}")


def make(node: Mapping[Any, Any]) -> Any:
    """What a node's `_target_` makes of it; errors are those of the target, without Hydra's wrapping."""
    try:
        return instantiate(node, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        while isinstance(cause, InstantiationException) and cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, ValueError | TypeError | OSError) and not isinstance(
            cause, InstantiationException
        ):
            raise cause from None
        where = str(error).splitlines()[0].partition(", set env var")[0]
        detail = f": {cause}" if cause is not None else ""
        raise ValueError(f"{where}{detail}".replace("\n", " ")) from None
