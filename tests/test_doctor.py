"""task=doctor: what it finds is so, and what is wrong is told with a remedy and exit code 1."""

import configparser
import re
import shutil
import sys
import types
from pathlib import Path

import pytest
import torch

from gdp import cli
from gdp.doctor import examine, machine
from gdp.prior.weights import find as checkpoint

ROOT = Path(__file__).parents[1]


@pytest.fixture
def examined(monkeypatch, capsys, tmp_path):
    """Runs `run.py task=doctor` here, with an empty cache folder: (exit code, stdout)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(examine, "SPEED_SECONDS", 0.0)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["run.py", "task=doctor", *words])
        return cli.main(), capsys.readouterr().out

    return call


def test_all_is_well(examined, tmp_path):
    code, said = examined()
    assert code == 0 and said.endswith("all is well\n") and "WRONG" not in said
    assert f"torch {torch.__version__.split('+')[0]}" in said and str(tmp_path / "cache") in said
    assert re.search(r"photo64: .*photo64\.safetensors, sha256 2d81b0bef0c2\.\.\., verified", said)
    assert re.search(r"4 network calls: consistent within \d\.\de-\d\d", said)
    assert all(
        float(found) > 0
        for found in re.findall(r"([\d.]+) s a network call at (?:64x64|256x256)", said)
    )
    assert len(re.findall("s a network call", said)) == 2
    assert all(
        p.parent == tmp_path / "cache" and p.name.startswith("kernels-")
        for p in tmp_path.rglob("*")
        if p.is_file()
    )


@pytest.mark.parametrize(
    "words, remedy",
    [
        (["prior=custom", "prior.path=nowhere.pt"], "no weights at nowhere.pt; give prior.path="),
        (["device=nonsense"], "use auto, cpu"),
        (["prior=imagenet256_cond"], "prior.label=0..999"),
    ],
)
def test_what_a_job_would_stumble_over(examined, words, remedy):
    code, said = examined(*words)
    assert (
        code == 1
        and remedy in said.splitlines()[-1]
        and said.splitlines()[-1].startswith("wrong: ")
    )


def test_damaged_weights(examined, tmp_path, monkeypatch):
    shutil.copytree(checkpoint.BUNDLED, tmp_path / "priors")
    monkeypatch.setattr(checkpoint, "BUNDLED", tmp_path / "priors")
    with (tmp_path / "priors" / "photo64.safetensors").open("r+b") as stream:
        stream.seek(10**6)
        stream.write(b"damage")
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "ffhq_10m.pt").write_bytes(b"anything")
    code, said = examined()
    assert code == 1 and re.search(
        r"WRONG: photo64: .* it is damaged or another file; delete it to fetch it again", said
    )
    assert re.search(r"ffhq256: .*, not verified", said)


def test_a_network_that_gives_nonsense(examined, monkeypatch):
    monkeypatch.setattr(
        "gdp.prior.prior.Prior.predict", lambda self, x, t: (torch.full_like(x, float("nan")), None)
    )
    code, said = examined()
    assert code == 1 and "NaN" in said


def test_little_memory_and_no_room(examined, monkeypatch):
    monkeypatch.setattr(machine.facts, "free_memory", lambda: (0.3e9, 4e9))
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: types.SimpleNamespace(free=1e6))
    code, said = examined()
    assert (
        code == 1
        and "0.3 of 4.0 GB of memory are free; close other programs" in said
        and "make room" in said
    )


def test_memory_is_the_containers(monkeypatch):
    free, total = machine.facts.free_memory()
    assert 0 < free <= total
    files = {"memory.max": "2000000000\n", "memory.current": "500000000\n"}
    real = Path.read_text
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda self, *a: files[self.name] if self.name in files else real(self, *a),
    )
    free, total = machine.facts.free_memory()
    assert total == 2e9 and free <= 1.5e9


@pytest.mark.parametrize(
    ("cuda", "error", "says"),
    [
        (None, "", "built without CUDA; install its CUDA build"),
        ("13.0", "The NVIDIA driver on your system is too old", "driver is too old for CUDA 13.0"),
        ("13.0", "No CUDA GPUs are available", "No CUDA GPUs are available; see CUDA_VISIBLE"),
    ],
)
def test_a_gpu_that_torch_does_not_see(monkeypatch, cuda, error, says):
    def zeros(*_, **__):
        raise RuntimeError(error)

    monkeypatch.setattr(torch.version, "cuda", cuda)
    monkeypatch.setattr(torch, "zeros", zeros)
    assert says in machine.unseen_gpu()


def test_every_extra_is_looked_for():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    assert sorted(examine.EXTRAS) == sorted(config["options.extras_require"])
