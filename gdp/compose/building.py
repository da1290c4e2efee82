"""From a configuration to the parts that it describes, checked to fit each other."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf, open_dict

from gdp.compose.arguments import check_arguments, expand_parts, expand_terms, warn_of_terms
from gdp.compose.names import public, with_public_names
from gdp.compose.refusal import validate
from gdp.compose.settings import COSMETIC, SETTINGS, YOUNGER
from gdp.compose.targets import import_targets
from gdp.compose.values import report_value
from gdp.picture import check_output
from gdp.restore import colourfix
from gdp.restore.first.stage_one import stage_of
from gdp.restore.measure import forget
from gdp.restore.setup import Setup
from operators.base import Operator
from samplers.restorer import Restorer

# Groups that describe objects.
PARTS = ("operator", "sampler", "prior", "tiling", "lowres", "scores")
QUALITY = {"fast": 10, "balanced": 20, "best": 100}  # steps, where a sampler has a number of them
# Where it chooses them by the problem: calls for each halving of the noise, restorations in a mean.
EFFORT = {"fast": (1.75, 1), "balanced": (2.5, 1), "best": (2.5, 4)}


def build(
    cfg: DictConfig,
    choices: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
    objects: Mapping[str, Any] | None = None,
) -> Setup:
    """Make operator and sampler, and see that they fit each other.

    Args:
        cfg: a configuration, as `compose` gives it; it is left as it is.
        choices: what was chosen of each group of conf/.
        overrides: the words of the command line.
        objects: objects in place of the configuration's operator, sampler or prior.

    Raises:
        ValueError, TypeError, OSError: in the words of whoever made the part that is wrong.
    """
    cfg, objects = cfg.copy(), objects or {}

    # Everything that can be refused before a part is made.
    for group, kind in (("operator", Operator), ("sampler", Restorer)):
        if group in objects:
            check_part(objects[group], kind)
    if "operator" not in objects:
        expand_parts(cfg)
    expand_terms(cfg, (choices or {}).get("guidance"))
    for group in PARTS:
        for key in () if group in objects else OmegaConf.missing_keys(cfg[group]):
            raise ValueError(f"{key} has no default here; give {key}=...")
    validate(cfg)
    if cfg.mask_invert:
        invert_mask(cfg)
    for group in PARTS:
        if group not in objects:
            check_arguments(cfg[group], group)
    warn_of_terms(overrides, taken="sampler" not in objects and "guidance" in cfg.sampler)
    choose_schedule(cfg, own_sampler="sampler" in objects)
    check_output(cfg.format, cfg.image_quality, cfg.depth)

    # The parts, and whether they fit each other.
    bare = objects["sampler"] if "sampler" in objects else make(cfg.sampler)
    operator = objects["operator"] if "operator" in objects else make(cfg.operator)
    check_part(operator, Operator)
    check_part(bare, Restorer)
    forget(operator)
    sampler = make(cfg.lowres)(bare)
    sampler.check(operator)
    colourfix.check(cfg.colourfix, operator)

    # What reports say of them.
    classes = {group: type(part) for group, part in objects.items()}
    config = with_public_names(report_value(OmegaConf.to_container(cfg, resolve=True)))
    config |= {group: {"_target_": public_name(kind)} for group, kind in classes.items()}
    names = {**(choices or {}), **{group: kind.__name__ for group, kind in classes.items()}}
    words = [word for word in overrides if word.partition("=")[0].lstrip("+~") not in COSMETIC]

    absent = [name for name in YOUNGER if cfg[name] == SETTINGS[name].default]
    own_prior = objects.get("prior")
    return Setup(
        operator=operator,
        sampler=sampler.for_operator(operator),
        bare_prior=lambda: make(cfg.prior) if own_prior is None else own_prior.own(),
        tiled=make(cfg.tiling),
        config=config,
        choices=names,
        overrides=words,
        cosmetic=(*COSMETIC, "scores", *absent),
        scores=make(cfg.scores),
        stage_one=stage_of(cfg.stage_one),
    )


def invert_mask(cfg: DictConfig) -> None:
    """Let mask_invert=true reach what reads the mask; ValueError where nothing does."""
    node = cfg.operator.get("mask")
    if cfg.mask is None or not isinstance(node, DictConfig) or "path" not in node:
        raise ValueError(
            "mask_invert=true is of a mask that is read; give mask=FILE and task=inpaint"
        )
    with open_dict(node):
        node.invert = True


def choose_schedule(cfg: DictConfig, own_sampler: bool) -> None:
    """Let steps=, quality=, detail= and init= decide on the sampler's schedule.

    Raises:
        ValueError: there is something to decide on, but the sampler is an object of the caller's;
            or detail= is given to a sampler that has none.
    """
    chosen = [name for name in ("steps", "quality", "detail") if cfg[name] is not None]
    if own_sampler and "detail" in chosen:
        raise ValueError(
            "detail= is of samplers made by name; give yours its own: Auto(detail=...)"
        )
    if own_sampler and chosen:
        raise ValueError(
            "steps= and quality= are of samplers made by name; give yours a schedule of its own: "
            "Schedule(steps=...)"
        )

    with open_dict(cfg):
        if cfg.steps is not None:
            cfg.sampler.schedule.steps = cfg.steps
        elif cfg.quality is not None and cfg.sampler.schedule.steps == "auto":
            cfg.sampler.rate, cfg.sampler.draws = EFFORT[cfg.quality]
        elif cfg.quality is not None:
            cfg.sampler.schedule.steps = QUALITY[cfg.quality]

        if cfg.detail is not None:
            if "detail" not in cfg.sampler:
                raise ValueError(
                    f"detail={cfg.detail} is of sampler=auto and sampler=anchored; other samplers "
                    "draw as their papers have it"
                )
            cfg.sampler.detail = float(cfg.detail)
        if not (cfg.init is None and cfg.stage_one is None) and cfg.sampler.schedule.start == 1:
            cfg.sampler.schedule.start = "auto"


def make(node: Mapping[Any, Any]) -> Any:
    """Make what a node's `_target_` names.

    Raises:
        ValueError, TypeError, OSError: the target's own error, without Hydra's wrapping.
    """
    try:
        plain = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
        import_targets(plain)
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


def check_part(part: Any, kind: type) -> None:
    """Raise TypeError unless a part is an operator, or a sampler."""
    if isinstance(part, kind):
        return
    name, bases = "operator", "operators.base.Operator or LinearOperator"
    if kind is Restorer:
        name, bases = "sampler", "samplers.base.Sampler"
    raise TypeError(f"{public_name(type(part))} makes no {name}; derive it from {bases}")


def public_name(kind: type) -> str:
    """The name by which a class is known outside."""
    return public(f"{kind.__module__}.{kind.__qualname__}")
