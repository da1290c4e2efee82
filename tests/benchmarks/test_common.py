"""What benchmarks share; and that each can start."""

import re
import sys
from importlib import import_module

import pytest

from benchmarks import common
from benchmarks.common import ROOT, table

FILES = [f for f in sorted((ROOT / "benchmarks").rglob("*.py")) if f.name != "__init__.py"]


def test_table():
    rows = [{"a": 1, "b": 2.34567}, {"a": None, "b": "x"}]
    assert table(rows, ["a", "b"]).splitlines()[2:] == ["| 1 | 2.346 |", "| - | x     |"]


def test_the_command_is_the_path_below_the_root(monkeypatch):
    monkeypatch.setattr(sys, "argv", [ROOT / "benchmarks" / "costs" / "x.py", "--size", "a b"])
    assert common.meta()["command"] == "python benchmarks/costs/x.py --size 'a b'"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_benchmark_can_be_imported_and_finds_the_root_as_a_file(file):
    depth = len(file.relative_to(ROOT).parts) - 1
    for n in re.findall(
        r"sys.path.insert\(0, str\(Path\(__file__\).*parents\[(\d)\]", file.read_text()
    ):
        assert int(n) == depth
    import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))
