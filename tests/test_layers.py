"""Who may import whom: rooms and files form a graph without circles, along the arrows below.

Lazy imports and those for type checkers count like any other.
"""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOPS = ("gdp", "operators", "samplers", "benchmarks")
FILES = {
    file.relative_to(ROOT)
    .with_suffix("")
    .as_posix()
    .replace("/", ".")
    .removesuffix(".__init__"): file
    for top in TOPS
    for file in sorted((ROOT / top).rglob("*.py"))
} | {"run": ROOT / "run.py"}
OPERATORS = ("size", "blur", "light", "missing", "coded", "noise")
DOORS = ("gdp.cli", "gdp.compose")  # where Hydra ends
HEAVY = {"kornia", "piq", "torchvision", "pooch", "skimage", "scipy"}  # imported where needed
BARE = {"torch", "numpy", "PIL", "tqdm", "safetensors", "accelerate", "yaml"}  # to train with

# room -> the rooms that it may import from
ARROWS = {
    "gdp.version": (),
    "gdp.moved": ("operators.tools",),
    "gdp.storage": (),
    "gdp.network": ("gdp.storage",),
    "gdp.picture": ("gdp.storage",),
    "gdp.prior": ("gdp.network", "gdp.storage"),
    "gdp.train": ("gdp.prior", "gdp.network", "gdp.storage"),
    "gdp.report": ("gdp.storage", "gdp.picture"),
    "operators.tools": (),
    "operators": ("operators.tools",),
    **{f"operators.{room}": ("operators", "operators.tools") for room in OPERATORS},
    "operators.auto": ("operators", "operators.tools"),
    "operators.small_photo": ("operators", "operators.tools"),
    "samplers": ("gdp.prior", "gdp.storage", "operators", "operators.tools"),
    "gdp.restore": ("samplers", "operators", "gdp.prior", "gdp.picture", "gdp.storage"),
    "gdp.compose": (
        "gdp.restore",
        "samplers",
        "operators",
        "gdp.prior",
        "gdp.picture",
        "gdp.storage",
    ),
    "gdp.folder": (
        "gdp.restore",
        "samplers",
        "operators",
        "gdp.prior",
        "gdp.picture",
        "gdp.storage",
    ),
    "gdp.remote": ("gdp.storage",),
    "gdp.engine": (
        "gdp.folder",
        "gdp.compose",
        "gdp.restore",
        "gdp.prior",
        "gdp.picture",
        "gdp.remote",
        "gdp.storage",
    ),
    "gdp.api": ("gdp.compose", "gdp.restore", "samplers", "operators", "gdp.prior", "gdp.picture"),
    "gdp.doctor": (
        "gdp.compose",
        "gdp.restore",
        "gdp.prior",
        "gdp.network",
        "gdp.picture",
        "gdp.storage",
        "samplers",
    ),
    "gdp.cli": (
        "gdp.doctor",
        "gdp.engine",
        "gdp.remote",
        "gdp.prior",
        "gdp.compose",
        "gdp.folder",
        "gdp.report",
        "gdp.picture",
        "gdp.storage",
        "gdp.stops",
    ),
    "gdp.studio": (
        "gdp.cli",
        "gdp.compose",
        "gdp.folder",
        "gdp.report",
        "gdp.restore",
        "gdp.prior",
        "gdp.picture",
        "gdp.storage",
        "gdp.stops",
        "operators",
        "operators.blur",
        "operators.coded",
        "operators.light",
    ),
    "gdp": ("gdp.api",),
    "gdp.stops": (),
    "run": ("gdp.cli", "gdp.stops"),
}
ARROWS["gdp.folder"] += ("gdp.train",)  # pictures that a prior draws, as training shows them
ARROWS["gdp.restore"] += ("operators.coded", "operators.noise", "operators.missing")
ARROWS["gdp.restore"] += ("operators.tools",)
ARROWS["operators.auto"] += ("operators.blur", "operators.coded", "operators.light")
ARROWS["operators.small_photo"] += ("operators.blur", "operators.coded", "operators.size")
ARROWS["operators.auto"] += ("operators.missing",)
ARROWS["operators.blur"] += ("operators.light",)
ARROWS["operators.size"] += ("operators.blur",)
ARROWS["operators.missing"] += ("operators.size",)
ARROWS["operators.noise"] += ("operators.blur",)
ARROWS["operators.coded"] += ("operators.noise",)
OPEN = ("gdp.version", "gdp.moved")  # to everybody


def room(module: str) -> str:
    """The room that a module lies in."""
    parts = module.split(".")
    for length in (2, 1):
        name = ".".join(parts[:length])
        if name in ARROWS:
            return name
    return parts[0]


def imports(file: Path, everywhere: bool = True) -> set[str]:
    """What a file imports, by dotted names; only what is imported with it, unless `everywhere`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree) if everywhere else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports here are absolute"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def ours(module: str) -> set[str]:
    """The project's modules that a module imports; a package that only leads to one is none."""
    names = imports(FILES[module])
    deeper = {name.rpartition(".")[0] for name in names if name in FILES}
    return {name for name in names & FILES.keys() if name != module} - (
        deeper - imports_of_names(module)
    )


def imports_of_names(module: str) -> set[str]:
    """Packages of which a module imports something that is no module."""
    tree = ast.parse(FILES[module].read_text(encoding="utf-8"))
    return {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and any(f"{node.module}.{alias.name}" not in FILES for alias in node.names)
    }


@pytest.mark.parametrize("module", FILES)
def test_arrows_between_rooms(module):
    here = room(module)
    if here == "benchmarks":
        return
    for other in ours(module):
        there = room(other)
        assert there == here or there in ARROWS[here] or there in OPEN, f"{module} imports {other}"


def test_every_room_has_its_arrows_and_modules():
    assert {room(module) for module in FILES} - {"benchmarks"} == set(ARROWS)


def test_no_circles_between_rooms():
    list(TopologicalSorter(ARROWS).static_order())


def test_no_circles_between_files():
    graph = {
        module: ours(module) - {p for p in FILES if module.startswith(f"{p}.")} for module in FILES
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"files import each other in a circle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("module", FILES)
def test_libraries(module):
    """Hydra ends at the doors; what is heavy is imported where it is needed; operators know
    torch.
    """
    tops = {name.split(".")[0] for name in imports(FILES[module])}
    if not module.startswith((*DOORS, "benchmarks")):
        assert not tops & {"hydra", "omegaconf"}
    at_once = {name.split(".")[0] for name in imports(FILES[module], everywhere=False)}
    assert not at_once & HEAVY or module.startswith("benchmarks")
    if module.startswith("operators"):
        assert not tops & {"gdp", "samplers", "benchmarks", "run"}


def test_training_needs_little():
    """`python -m gdp.train` runs where torch is, and little else."""
    known, left = set(), {module for module in FILES if room(module) == "gdp.train"}
    while left:
        module = left.pop()
        known.add(module)
        left |= {name for name in ours(module) if room(name) != "gdp"} - known
    optional = {
        "gdp.storage.places",
        "gdp.prior.weights",
        "gdp.prior.hub",
        "gdp.storage.trackers",
    }  # ask where they need it
    for module in known - optional:
        others = {name.split(".")[0] for name in imports(FILES[module])} - set(TOPS)
        assert others - set(sys.stdlib_module_names) <= BARE | {"triton"}, module


def test_help_needs_no_torch():
    code = (
        "import sys, run; "
        "sys.exit('torch' in sys.modules or 'kornia' in sys.modules or 'piq' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
