"""The global settings of a configuration, checked against their table."""

from omegaconf import DictConfig

from gdp.compose.setting import TRUTH_WORDS
from gdp.compose.settings import SETTINGS


def validate(cfg: DictConfig) -> None:
    """Check every global setting, and turn words such as `yes` and `off` into true or false.

    Raises:
        ValueError: a value is not of its setting's type, or out of bounds.
    """
    for name, setting in SETTINGS.items():
        if setting.type is bool and isinstance(cfg[name], str):
            cfg[name] = TRUTH_WORDS.get(cfg[name].lower(), cfg[name])

    for name, setting in SETTINGS.items():
        if not setting.accepts(cfg[name]):
            raise ValueError(setting.refusal(cfg[name]))
    if cfg.scene and cfg.page is not None:
        raise ValueError("page= is of single photos; give the exposures of a scene as files")
