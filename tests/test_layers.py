"""Who may import whom: operators -> torch; gdp -> torch; samplers -> gdp, operators; Hydra only at the doors."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"gdp", "operators", "samplers", "benchmarks", "run", "tests"}
ALLOWED = {"operators": {"operators"}, "gdp": {"gdp"}, "samplers": {"samplers", "gdp", "operators"}}
FILES = [f for folder in (*ALLOWED, "benchmarks") for f in sorted((ROOT / folder).glob("*.py"))]
BARE = {"torch", "numpy", "PIL", "tqdm", "safetensors", "accelerate", "gdp"}


def imports(file: Path, everywhere: bool = True) -> set[str]:
    """Top-level names of the modules a file imports; what is only for type checkers does not count."""
    tree = ast.parse(file.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    nodes = ast.walk(tree) if everywhere else tree.body
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {a.name.split(".")[0] for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda f: f"{f.parent.name}/{f.name}")
def test_imports(file):
    layer, name = file.parent.name, f"{file.parent.name}/{file.name}"
    found = imports(file)
    if name != "gdp/compose/configuration.py":
        assert not found & {"hydra", "omegaconf"}
        assert layer == "benchmarks" or found & OURS <= ALLOWED[layer]
    assert not imports(file, everywhere=False) & {
        "kornia",
        "piq",
        "torchvision",
        "pooch",
        "skimage",
        "scipy",
    }


@pytest.mark.parametrize(
    "file", ["unet.py", "files.py", *(f.name for f in sorted((ROOT / "gdp").glob("train*.py")))]
)
def test_training_needs_little(file):
    assert imports(ROOT / "gdp" / file) - set(sys.stdlib_module_names) <= BARE


def test_help_needs_no_torch():
    code = "import sys, run; sys.exit('torch' in sys.modules or 'kornia' in sys.modules or 'piq' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
