"""What a type checker knows of `gdp.restore`: a result is of the kind of its photo."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CODE = """
import numpy as np
import torch
import gdp

reveal_type(gdp.restore("photo.png", task="sr4").image)
reveal_type(gdp.restore(np.zeros((8, 8))).samples)
reveal_type(gdp.restore(torch.zeros(3, 8, 8), samples=2).std)
"""


def test_results_are_of_the_kind_of_their_photo(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "caller.py").write_text(CODE)
    command = [sys.executable, "-m", "mypy", "--config-file", "setup.cfg", tmp_path / "caller.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    kinds = [line.split('"')[1] for line in done.stdout.splitlines() if "Revealed" in line]
    assert done.returncode == 0 and kinds[0] == "PIL.Image.Image", done.stdout
    assert kinds[1].startswith("list[numpy.ndarray[") and kinds[2] == "torch._tensor.Tensor | None"
