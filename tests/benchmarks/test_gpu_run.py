"""What an hour on a GPU runs, tried on the CPU: every step is a command that there is."""

import json
import sys

import pytest
import torch

from benchmarks import gpu_run


def called(monkeypatch, *words):
    """The exit code of a run."""
    monkeypatch.setattr(sys, "argv", ["gpu_run.py", *map(str, words)])
    return gpu_run.main()


def test_a_run_in_small(monkeypatch, tmp_path):
    """Two steps, cut off and gone on with: one JSON, one page."""
    files = ["--json", tmp_path / "g.json", "--out", tmp_path / "g.md"]
    words = ["--small", "--device", "cpu", *files]
    dps, card = "DPS with many samples", "DPS on a card of 6 GB"
    assert called(monkeypatch, *words, "--only", dps) == 0
    began = json.loads((tmp_path / "g.json").read_text())["steps"]
    assert list(began) == [dps] and began[dps]["outcome"] == "well"

    monkeypatch.setattr(gpu_run, "LIMIT", 0.01)  # nothing gets done in that
    assert called(monkeypatch, *words, "--only", f"{dps},{card}") == 1
    found = json.loads((tmp_path / "g.json").read_text())["steps"]
    assert found[dps] == began[dps] and found[card]["outcome"] == "took too long"
    (row,) = found[dps]["rows"]
    assert row["samples"] == 2 and row["well"] and row["seconds_a_step"] > 0
    page = (tmp_path / "g.md").read_text()
    assert f"| {dps} | well |" in page and "seconds_a_step" in page


@pytest.mark.slow
def test_all_steps_in_small(monkeypatch, tmp_path):
    files = ["--json", tmp_path / "g.json", "--out", tmp_path / "g.md"]
    code = called(monkeypatch, "--small", "--device", "cpu", *files)
    steps = json.loads((tmp_path / "g.json").read_text())["steps"]
    assert code == 0, {name: step["outcome"] for name, step in steps.items()}
    assert [step.name for step in gpu_run.steps("cpu", True)] == list(steps)
    if not torch.cuda.is_available():
        assert steps["kernels against float64"]["outcome"] in ("well", "nothing to run here")


def test_what_is_missing_is_left_out(tmp_path):
    step = gpu_run.Step("tests", ["-m", "nothing"], needs="a_package_that_there_is_not")
    assert gpu_run.run(step, tmp_path)["outcome"].startswith("left out: no a_package")


def test_every_step_is_short_and_named_once():
    names = [step.name for step in gpu_run.steps("cuda", False)]
    assert len(names) == len(set(names)) and gpu_run.LIMIT < 600
    assert sum(name.startswith("speed, batch") for name in names) == 4
