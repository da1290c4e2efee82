"""Zero-shot photo restoration with a pretrained, unconditional diffusion prior."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gdp.api import Result as Result
    from gdp.api import load_prior as load_prior
    from gdp.api import restore as restore

__version__ = "0.1.0"
__all__ = ["Result", "load_prior", "restore"]


def __getattr__(name: str) -> Any:
    """What Python code uses, imported when it is first asked for: `import gdp` alone costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'gdp' has no attribute {name!r}")
    from gdp import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
