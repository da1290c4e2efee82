"""Odd settings through the command line: taken, or refused in one line."""

from benchmarks.fuzz_settings import run, run_all
from benchmarks.odd_settings import odd_words

OFTEN = 17  # every n-th word is enough here; benchmarks/fuzz_settings.py takes them all


def test_odd_words(tmp_path):
    words = list(odd_words())
    assert len(words) >= 500 and len(set(words)) == len(words)
    figures = list(run_all(words[::OFTEN], tmp_path))
    bad = [figure for figure in figures if figure.outcome not in ("taken", "refused")]
    assert not bad and sum(figure.outcome == "refused" for figure in figures) > len(figures) / 2


def test_a_violation_is_seen(monkeypatch, tmp_path):
    def broken():
        raise KeyError("seed")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("gdp.cli.main", broken)
    assert run("seed=1", 0).outcome == "KeyError: 'seed'"
    monkeypatch.setattr("gdp.cli.main", lambda: 2)
    assert run("seed=1", 0).outcome == "not refused in a line"
