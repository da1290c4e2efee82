"""The clock of a training run."""

from types import SimpleNamespace

import pytest
import torch

from gdp.train import machine as training_machine


def test_time_in_which_the_process_is_stopped_does_not_count(monkeypatch):
    now = SimpleNamespace(monotonic=lambda: wall, process_time=lambda: cpu)
    monkeypatch.setattr(training_machine, "time", now)
    wall, cpu = 1000.0, 50.0
    clock = training_machine.Stopwatch(7)

    wall, cpu = wall + 3, cpu + 6  # a step on two cores
    assert clock.read() == 10
    wall, cpu = wall + 4, cpu + 4  # one that feeds a GPU
    assert clock.read() == 14

    wall, cpu = wall + 3600, cpu + 0.5  # stopped for an hour, in the middle of a step
    assert clock.read() == 16
    assert clock.read() == 16


@pytest.mark.parametrize("native", [True, False])
def test_a_gpu_trains_in_bfloat16_if_it_has_it(monkeypatch, native):
    """Whatever type it restores in."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *_, **__: native)
    cast = training_machine.bf16(torch.device("cuda"))
    assert cast.fast_dtype == torch.bfloat16 and cast._enabled == native


def test_a_cpu_does_where_that_is_known_to_pay(monkeypatch):
    for dtype in ("float32", "bfloat16", "float16"):
        monkeypatch.setenv("GDP_DTYPE", dtype)
        with training_machine.bf16(torch.device("cpu")):
            assert torch.is_autocast_enabled("cpu") == (dtype == "bfloat16")
