"""Where a `_target_` is found: among what is installed, and only then in the current folder.

The current folder is no place for imports otherwise: it is where photos lie, and a file in it that
is called as some library would be run in its stead.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

HOLD_NAMES = ("_target_", "path")  # `path` is the argument of hydra.utils.get_method


def import_targets(node: Any) -> None:
    """Import the modules of the current folder that a configuration's `_target_`s name.

    Raises:
        ValueError: a module cannot be imported, whatever it is that it raises.
    """
    for name in sorted(set(targets(node))):
        top = name.partition(".")[0]
        if not top.isidentifier() or top in sys.modules or found(top):
            continue
        here = Path.cwd()
        if not (here / f"{top}.py").is_file() and not (here / top / "__init__.py").is_file():
            continue

        # Its own imports come from beside it, as long as it is being imported.
        sys.path.append(str(here))
        try:
            import_module(name)
        except Exception as error:
            text = " ".join(str(error).split())
            raise ValueError(
                f"{here / top} cannot be imported for {name} ({type(error).__name__}: {text})"
            ) from error
        finally:
            if str(here) in sys.path:
                sys.path.remove(str(here))


def import_module(name: str) -> None:
    """Import the module in which module.Class lies, and the packages it lies in."""
    parts = name.split(".")
    module = parts[0]
    importlib.import_module(module)
    for part in parts[1:-1]:
        module = f"{module}.{part}"
        if find_spec(module) is None:
            return
        importlib.import_module(module)


def found(top: str) -> bool:
    """Whether a module of this name is installed."""
    try:
        return find_spec(top) is not None
    except (ImportError, ValueError):
        return False


def targets(node: Any) -> Iterator[str]:
    """The names of classes and functions in nested settings."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in HOLD_NAMES and isinstance(value, str):
                yield value
            else:
                yield from targets(value)
    elif isinstance(node, Sequence) and not isinstance(node, str):
        for value in node:
            yield from targets(value)
