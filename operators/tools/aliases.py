"""Former names of modules, which users' code and YAML files hold, lead to where the modules lie."""

import importlib
import sys
from collections.abc import Mapping
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class Aliases(MetaPathFinder, Loader):
    """Imports a module by a former name.

    Both names give one and the same module, so classes and `isinstance` agree, whichever name they
    were imported by. Nothing is imported before it is asked for.

    Args:
        table: dotted names of old -> those of today.
    """

    def __init__(self, table: Mapping[str, str]):
        self.table = table
        self.specs: dict[str, ModuleSpec | None] = {}

    def install(self) -> None:
        """Have the import system ask here for what it does not find itself."""
        sys.meta_path.append(self)

    def find_spec(
        self, fullname: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's question for a module of this name."""
        return ModuleSpec(fullname, self) if fullname in self.table else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module of today's name; it keeps that as its own."""
        module = importlib.import_module(self.table[spec.name])
        self.specs[spec.name] = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run, it has run; but the import system has put the alias into its spec."""
        assert module.__spec__ is not None
        module.__spec__ = self.specs.pop(module.__spec__.name)
