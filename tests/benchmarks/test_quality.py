"""Quality: its rows mean what they say, and a run that was cut off goes on."""

import json

import pytest

from benchmarks import quality, rows
from benchmarks.classical import CLASSICAL
from benchmarks.rows import TooFewCallsError, with_steps
from gdp.compose.configuration import build, compose
from gdp.prior.gaussian import GaussianPrior
from tests.benchmarks.conftest import run_main
from tests.conftest import SAMPLERS


def test_quality(monkeypatch, tmp_path, cat, capsys):
    words = ["--images", cat.parent, "--tasks", "sr4,denoise", "--samplers", "ddnm,gdp_x0"]
    words += ["--steps", "2,4", "--samples", 2, "--size", 16, "--limit", 1]
    run_main(monkeypatch, quality, *words, "--json", tmp_path / "q.json")
    data = json.loads((tmp_path / "q.json").read_text())
    assert {"command", "commit", "versions", "hardware"} <= data["meta"].keys()

    rows = {(r["task"], r["sampler"], r["steps"]): r for r in data["rows"]}
    assert rows.keys() == {
        *((t, s, n) for t in ("sr4", "denoise") for s in ("ddnm", "gdp_x0") for n in (2, 4)),
        *(("sr4", name, 0) for name in ("pinv", "bicubic")),
        *(("denoise", name, 0) for name in ("pinv", "input")),
    } | {key for key in rows if key[1] in CLASSICAL}
    assert ("denoise", "tv_best", 0) in rows
    for row in data["rows"]:
        assert set(quality.COLUMNS) <= row.keys() and row["psnr"] > 5

    assert rows["sr4", "pinv", 0]["null_energy"] < 1e-3 < rows["sr4", "ddnm", 4]["null_energy"]
    assert rows["sr4", "ddnm", 4]["consistency"] < 1e-4 and rows["sr4", "ddnm", 4]["nfe"] == 4
    assert rows["denoise", "pinv", 0]["psnr"] == pytest.approx(20, abs=0.7)
    assert rows["denoise", "ddnm", 2]["null_energy"] is None
    assert "null_energy" in capsys.readouterr().out

    # Scores by photo and sample, whose mean the row says
    for row in data["rows"]:
        (photo,) = row["each"]["psnr"]
        assert row["psnr"] == pytest.approx(sum(photo) / len(photo))


def test_quality_refuses_what_it_cannot_do(monkeypatch, tmp_path, cat):
    for words in (["--images", tmp_path / "none"], ["--images", cat.parent, "--size", 1000]):
        with pytest.raises(SystemExit) as stop:
            run_main(monkeypatch, quality, *words)
        assert stop.value.code == 2


def test_quality_goes_on_from_what_it_kept(monkeypatch, tmp_path, cat):
    def table_of(samplers):
        words = ["--images", cat.parent, "--tasks", "denoise:sigma_y=0.2", "--samplers", samplers]
        words += ["--nfe", "6", "--size", 16]
        run_main(monkeypatch, quality, *words, "--out", tmp_path / "field")
        return json.loads((tmp_path / "field" / "results.json").read_text())["rows"]

    first = table_of("ddnm")
    kept = tmp_path / "field" / "rows.jsonl"
    with kept.open("a") as stream:
        stream.write('{"key": {"cut off')

    monkeypatch.setattr(rows, "baselines", lambda cases: pytest.fail("made again"))
    again = table_of("ddnm,daps")
    assert again[: len(first)] == first and again[-1]["sampler"] == "daps" and again[-1]["nfe"] <= 6
    assert "| denoise:sigma_y=0.2 |" in (tmp_path / "field" / "results.md").read_text()


def test_too_few_calls_have_no_row(monkeypatch, tmp_path, cat, capsys):
    words = ["--images", cat.parent, "--tasks", "denoise", "--samplers", "auto@1,dps@1"]
    words += ["--nfe", 1, "--size", 16, "--limit", 1, "--json", tmp_path / "q.json"]
    run_main(monkeypatch, quality, *words)
    rows = json.loads((tmp_path / "q.json").read_text())["rows"]
    assert [row["nfe"] for row in rows if row["sampler"] == "auto"] == [1]

    setup = build(compose("task=sr4", "sampler=daps"))
    with pytest.raises(TooFewCallsError, match="1 network calls"):
        with_steps(setup, GaussianPrior(), 1, True)


def test_steps_fit_a_number_of_network_calls():
    for name in SAMPLERS:
        setup = build(compose("task=denoise", f"sampler={name}"))
        sampler = with_steps(setup, GaussianPrior(), 40, True)
        assert 20 <= sampler.nfe(1000) <= 40 and list(sampler.schedule.pairs(1000))
