"""The clock of a training run."""

from types import SimpleNamespace

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
