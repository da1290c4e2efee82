"""python -m operators.check tells a kept contract from a broken one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from operators import cost
from operators.check import findings, main
from operators.cost import suits
from tests.conftest import OPERATORS, operator_of

SOURCE = """
import time
import torch
from operators.base import LinearOperator, Operator, SpectralOperator

class Fog(LinearOperator):
    def __init__(self, density=0.5):
        super().__init__()
        self.density = density
    def forward(self, x):
        return (1 - self.density) * x

class WrongAdjoint(Fog):
    def adjoint(self, y):
        return y

class WrongPinv(Fog):
    def pinv(self, y):
        return y

class NotLinear(LinearOperator):
    def forward(self, x):
        return x**3 + 0.1

class WrongShape(Operator):
    def forward(self, x):
        return x[..., ::2]

class Deaf(Operator):
    def forward(self, x):
        return x.detach()

class Square(Operator):
    def forward(self, x):
        return x**2

class OneSize(Operator):
    def __init__(self):
        super().__init__()
        self.register_buffer("mask", torch.ones(32, 48))
    def forward(self, x):
        return self.mask * x

class Mixer(Operator):
    def forward(self, x):
        return x - x.mean(0)

class Affine(LinearOperator):
    def forward(self, x):
        return 0.5 * x + 0.4

class KSpace(LinearOperator):
    x_channels = 1
    def forward(self, x):
        return torch.fft.fft2(x, norm="ortho") * (torch.arange(x.shape[-1]) % 3 != 1)
    def x_shape(self, y):
        return len(y), 1, *y.shape[-2:]

class Bands(LinearOperator):
    x_channels = 7
    def forward(self, x):
        return x.sum(1)
    def x_shape(self, y):
        return len(y), 7, *y.shape[1:]

class Dear(LinearOperator):
    def forward(self, x):
        time.sleep(0.02)
        return x + 0.3 * x.roll(1, -1)

class WrongSpectrum(SpectralOperator):
    def forward(self, x):
        return 0.5 * x
    def spectral(self, x, f):
        return f(torch.ones((), dtype=x.dtype)) * x
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine_to_check.py").write_text(SOURCE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    sys.modules.pop("mine_to_check", None)


def test_a_good_operator(folder, capsys):
    assert main(["mine_to_check.Fog", "density=0.3"]) == 0
    assert "all kept; works with sampler=ddnm" in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, says",
    [
        ("WrongAdjoint", "leave adjoint out"),
        ("WrongPinv", "pinv does not undo"),
        ("NotLinear", "derive it from Operator"),
        ("WrongShape", "define it"),
        ("Deaf", "gradient"),
        ("OneSize", "any size"),
        ("Mixer", "depends on others"),
        ("Affine", "A(0) is not 0: derive it from AffineOperator"),
        ("WrongSpectrum", "singular values"),
    ],
)
def test_every_fault_is_named(folder, capsys, name, says):
    assert main([f"mine_to_check.{name}"]) == 1
    said = capsys.readouterr().out
    assert "FAIL" in said and says in said and "violates" in said and "all kept" not in said
    assert len(said.splitlines()) < 12  # a line per property, at the worst size


@pytest.mark.parametrize("name", ["KSpace", "Bands"])
def test_y_of_any_shape(folder, capsys, name):
    """Complex, without channels, of an x of one channel or of seven."""
    assert main([f"mine_to_check.{name}"]) == 0
    said = capsys.readouterr().out
    assert "adjoint (dot test)" in said and "all kept" in said and "at most 30 of A and A^T" in said


def test_what_a_step_costs(folder, monkeypatch):
    """And which sampler suits: A and A^T alone, where solving takes long."""
    import mine_to_check as mine

    monkeypatch.setattr(cost, "LONGEST", 0.1)
    costs, suited = suits(mine.Fog(), 16)
    assert costs.startswith("cost at 16x16: A ") and "prox" in costs and "sampler=auto" in suited
    costs, suited = suits(mine.Dear(), 16)
    seconds = float(re.search(r"prox ([0-9.]+) s \(reckoned", costs)[1])
    assert 30 * 0.04 <= seconds < 10 and "sampler=dds" in suited and "sampler=dps" in suited
    costs, suited = suits(mine.Square(), 16)
    assert "its gradient" in costs and "gdp_linesearch" in suited
    assert not list(suits(mine.OneSize(), 16))


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["Fog"],
        ["nowhere.Fog"],
        ["mine_to_check.Nope"],
        ["mine_to_check.Fog", "x=1"],
        ["torch.nn.ReLU"],
    ],
)
def test_what_cannot_be_made(folder, capsys, words):
    assert main(words) == 2 and capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize("name", OPERATORS)
def test_our_own_pass(name, mask_file):
    broken = [f for f in findings(operator_of(name, mask_file)) if not f.holds]
    assert not broken


def test_as_a_user_runs_it(folder, tmp_path):
    root = str(Path(__file__).parents[2])
    command = [sys.executable, "-m", "operators.check", "mine_to_check.Fog", "density=0.7"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        check=False,
    )
    assert done.returncode == 0 and "all kept" in done.stdout


def test_the_readmes_operator_as_a_new_user_runs_it(tmp_path):
    """Its file and its two commands, from a folder of the user's own."""
    root = Path(__file__).parents[2]
    section = (root / "README.md").read_text().split("## Your own operator")[1].split("\n## ")[0]
    assert len(section.strip().splitlines()) <= 40 and section.strip().endswith(
        "python -m operators.check mine.Fog density=0.3\n```"
    )
    blocks = [block.split("\n", 1)[1] for block in section.split("```")[1::2]]
    (tmp_path / "mine.py").write_text(blocks[0])
    (tmp_path / "misty.png").write_bytes(
        (root / "gdp" / "picture" / "samples" / "cat.png").read_bytes()
    )
    for line in blocks[1:]:
        words = line.replace("run.py", str(root / "run.py")).split()[1:]
        words += ["steps=1", "output=o"] if "run.py" in line else []
        environment = {**os.environ, "PYTHONPATH": str(root)}
        done = subprocess.run(
            [sys.executable, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert "Fog: all kept" in done.stdout and (tmp_path / "o" / "misty.png").is_file()
