"""Zero-shot photo restoration with a pretrained, unconditional diffusion prior."""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from gdp.moved import Finder
from gdp.version import __version__ as __version__

if TYPE_CHECKING:
    from gdp.api import Result as Result
    from gdp.api import load_prior as load_prior
    from gdp.api import restore as restore

__all__ = ["Result", "load_prior", "restore"]

sys.meta_path.append(Finder)


class Package(ModuleType):
    """`gdp.restore` is the function, also once the folder of that name has been imported."""

    @property
    def restore(self) -> Any:
        """gdp.api.restore."""
        from gdp import api

        return api.restore

    @restore.setter
    def restore(self, room: ModuleType) -> None:
        """The import system puts every module into its package; this one is in sys.modules."""


sys.modules[__name__].__class__ = Package


def __getattr__(name: str) -> Any:
    """What Python code uses, imported when first asked for: `import gdp` alone costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'gdp' has no attribute {name!r}")
    from gdp import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
