"""The parts of all that a configuration describes, also where it was sent to another process.

A row of tasks (gdp/compose/tasks.py) has a setup for each; a configuration travels as plain values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from gdp.compose.building import build
from gdp.compose.configuration import compose, compose_line
from gdp.compose.refusal import choices_of, nearest
from gdp.compose.settings import SETTINGS
from gdp.compose.tasks import ALONE, CLEANED, DECODED
from gdp.restore.setup import AUTO, Setup

# What a stage has of its own, or of the photo as it was before the first.
OF_FIRST = ("sigma_y", "noise", "jpeg")
OF_LAST = (
    *("before", "init", "reference", "degrade", "poisson", "impulse", "scene", "samples"),
    *("strength", "detail", "colourfix", "stage_one", "fidelity"),
)


def build_all(
    cfg: DictConfig,
    choices: Mapping[str, str] | None = None,
    overrides: Sequence[str] = (),
    objects: Mapping[str, Any] | None = None,
) -> Setup:
    """Make the parts of a configuration, and those of the tasks before it; see `build`.

    Raises:
        ValueError: a task before it does not exist, or y is to be made of a clean photo.
    """
    if not cfg.before:
        setup = build(cfg, choices, overrides, objects)
        chosen = choices or {}
        return setup._replace(decoded=decoding(cfg, chosen), cleaned=cleaning(cfg, chosen))
    if cfg.degrade:
        raise ValueError(
            "degrade=true makes y by one operator, and before= has several; give the photo as it "
            "is, and reference= for scores"
        )
    given, cfg = {word.partition("=")[0] for word in overrides}, cfg.copy()
    tasks, known = list(cfg.before), choices_of("task")
    for name in tasks:
        if name not in known or name in ALONE:
            raise ValueError(f"before={tasks}: {name!r} cannot go before{nearest(name, known)}")

    # The photo's own noise and compression are the first task's; later ones see its result.
    setups = []
    for k, name in enumerate(tasks):
        own = {"jpeg": "off"} if k else {key: cfg[key] for key in OF_FIRST if key in given}
        if k > 0 and name == "denoise":
            own["sigma_y"] = AUTO
        setups.append(setup_ahead(name, cfg, own))

    last = compose(f"task={(choices or {}).get('task', 'sr4')}")
    cfg.sigma_y, cfg.noise, cfg.jpeg = last.sigma_y, last.noise, "off"
    return build(cfg, choices, overrides, objects)._replace(
        before=tuple(zip(tasks, setups, strict=True))
    )


def cleaning(cfg: DictConfig, choices: Mapping[str, str]) -> Setup | None:
    """What takes the noise of photos away before a task that finds their colours, if any.

    What is found along with a picture leaves noise no closed form but that of white noise, and no
    result by which noise and texture are told apart.
    """
    if choices.get("task") not in CLEANED or cfg.sigma_y != AUTO or not taken_as_is(cfg):
        return None
    stage = setup_ahead("enhance", cfg, {"jpeg": cfg.jpeg})
    return stage._replace(operator=stage.operator.denoising())


def decoding(cfg: DictConfig, choices: Mapping[str, str]) -> Setup | None:
    """What undoes the compression of JPEG files before a task that may bring it out, if any."""
    if choices.get("task") not in DECODED or cfg.jpeg != AUTO or not taken_as_is(cfg):
        return None
    return setup_ahead("jpeg", cfg, {})


def taken_as_is(cfg: DictConfig) -> bool:
    """Whether photos are taken one by one as they are, and nothing is told of their noise."""
    return cfg.noise == AUTO and not (cfg.degrade or cfg.video)


def setup_ahead(task: str, cfg: DictConfig, own: Mapping[str, Any]) -> Setup:
    """A task ahead of a configuration's, with its settings but for those of y, and `own` ones."""
    stage = compose(f"task={task}")
    for setting in SETTINGS:
        if setting not in (*OF_LAST, *OF_FIRST):
            stage[setting] = cfg[setting]
    for setting, value in own.items():
        stage[setting] = value
    return build(stage, {"task": task})


def plain(cfg: DictConfig) -> dict[str, Any]:
    """A configuration as nested plain values, which can be pickled."""
    values = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(values, dict)
    return {str(key): value for key, value in values.items()}


def rebuild(config: Mapping[str, Any], choices: Mapping[str, str], words: Sequence[str]) -> Setup:
    """What a configuration describes.

    Raises:
        ValueError, TypeError, OSError: as `build_all` refuses it.
    """
    cfg = OmegaConf.create(dict(config))
    OmegaConf.set_struct(cfg, True)
    return build_all(cfg, choices, words)


def changed(
    words: Sequence[str], settings: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The configuration of a command line of which some settings are others.

    Args:
        words: of the command line.
        settings: what goes in place of its words, or beside them, as text.

    Returns:
        Its plain values, what it chooses of each group, and the words that may change numbers.

    Raises:
        ValueError: a value is refused.
    """
    rest = [word for word in words if word.partition("=")[0].lstrip("+~") not in settings]
    rest = [word for word in rest if not word.startswith(("hydra.", "hydra/", "+hydra"))]
    own = [f"{name}={spoken(value)}" for name, value in settings.items()]
    cfg, choices = compose_line([*rest, *own])
    return plain(cfg), choices, [*rest, *own]


def spoken(value: str) -> str:
    """A value as Hydra's grammar reads it: a word or a number as it is, anything else in quotes."""
    if value.replace("_", "").replace(".", "").replace("-", "").isalnum():
        return value
    if value[0] + value[-1] in ("[]", "{}"):
        return value
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
