"""The benchmarks run, and their tables mean what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import quality, scoring, speed
from benchmarks.common import table
from benchmarks.costs import network_speed, training_speed
from benchmarks.pages import field as field_page
from benchmarks.pages.pareto import plot
from gdp.compose.configuration import build, compose
from gdp.prior.gaussian import GaussianPrior
from gdp.restore.metrics import psnr, scores
from operators.size.avgpool import AvgPool
from tests.conftest import SAMPLERS


def run_main(monkeypatch, module, *words):
    monkeypatch.setattr(sys, "argv", ["x", *map(str, words)])
    with torch.no_grad():
        module.main()


def test_quality(monkeypatch, tmp_path, cat, capsys):
    words = (
        "--images",
        cat.parent,
        "--tasks",
        "sr4,denoise",
        "--samplers",
        "ddnm,gdp_x0",
        "--steps",
        "2,4",
        "--samples",
        2,
    )
    run_main(
        monkeypatch, quality, *words, "--size", 16, "--limit", 1, "--json", tmp_path / "q.json"
    )
    data = json.loads((tmp_path / "q.json").read_text())
    assert {"command", "commit", "versions", "hardware"} <= data["meta"].keys()
    rows = {(r["task"], r["sampler"], r["steps"]): r for r in data["rows"]}
    assert rows.keys() == {
        *((t, s, n) for t in ("sr4", "denoise") for s in ("ddnm", "gdp_x0") for n in (2, 4)),
        *(
            ("sr4", "pinv", 0),
            ("sr4", "bicubic", 0),
            ("denoise", "pinv", 0),
            ("denoise", "input", 0),
        ),
    }
    for row in data["rows"]:
        assert set(quality.COLUMNS) <= row.keys() and row["psnr"] > 5
    assert rows["sr4", "pinv", 0]["null_energy"] < 1e-3 < rows["sr4", "ddnm", 4]["null_energy"]
    assert rows["sr4", "ddnm", 4]["consistency"] < 1e-4 and rows["sr4", "ddnm", 4]["nfe"] == 4
    assert (
        rows["denoise", "pinv", 0]["psnr"] == pytest.approx(20, abs=0.7)
        and rows["denoise", "ddnm", 2]["null_energy"] is None
    )
    assert "null_energy" in capsys.readouterr().out


def test_quality_refuses_what_it_cannot_do(monkeypatch, tmp_path, cat):
    for words in (["--images", tmp_path / "none"], ["--images", cat.parent, "--size", 1000]):
        with pytest.raises(SystemExit) as stop:
            run_main(monkeypatch, quality, *words)
        assert stop.value.code == 2


def test_speed(monkeypatch, tmp_path):
    words = (
        "--operators",
        "blur_motion,gray,jpeg",
        "--operator-size",
        32,
        "--holes",
        "600x500",
        "--hole-steps",
        1,
    )
    page = ("--json", tmp_path / "s.json", "--out", tmp_path / "p.md")
    run_main(monkeypatch, speed, "--sizes", "16", "--rounds", 1, "--reuse", "2", *words, *page)
    rows = json.loads((tmp_path / "s.json").read_text())["rows"]
    network, holes, (blurred, grey, jpeg) = (
        [r for r in rows if key in r] for key in ("what", "hole", "operator")
    )
    assert [r["what"] for r in network] == [
        "eager float32",
        f"layout {os.environ['GDP_DTYPE']}",
        "exact",
        "reuse 2",
    ] and network[0]["ratio_to_fp32_eager"] == 1
    assert all(
        set(network_speed.COLUMNS) <= r.keys() and r["ms_per_nfe"] > 0 and r["tflops"] > 0
        for r in network
    )
    assert [r["hole"] for r in holes] == [0.01, 0.05, 0.2, 1.0] and holes[0][
        "share_of_pixels"
    ] < holes[-1]["share_of_pixels"] == 1
    assert 0 < blurred["pinv_iterations"] <= 70 and 0 < blurred["prox_iterations"] <= 30
    assert blurred["pinv_share"] > blurred["A_AT_share"] > 0
    assert (
        grey["pinv_iterations"] is None
        and grey["pinv_share"] > 0
        and jpeg["pinv_share"] is None
        and jpeg["A_AT_share"] > 0
    )
    written = (tmp_path / "p.md").read_text()
    (tmp_path / "more.md").write_text("the end\n")
    run_main(
        monkeypatch,
        speed,
        "--only",
        tmp_path / "s.json",
        "--out",
        tmp_path / "q.md",
        "--more",
        tmp_path / "more.md",
    )
    assert (
        (tmp_path / "q.md").read_text() == written + "\nthe end\n"
        and "## Holes" in written
        and "| blur_motion" in written
    )


def test_training_speed(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(
        sys,
        "argv",
        [
            "x",
            "--sizes",
            "16",
            "--pixels",
            "512",
            "--rounds",
            "1",
            "--json",
            str(tmp_path / "t.json"),
        ],
    )
    training_speed.main()
    (row,) = json.loads((tmp_path / "t.json").read_text())["rows"]
    assert row["batch"] == 2 and row["ratio"] == pytest.approx(row["torch_ms"] / row["kernels_ms"])
    assert "kernels_ms" in capsys.readouterr().out


def test_a_network_that_is_not_at_hand_has_a_speed():
    prior = speed.described("photo64", drawn=True)
    with torch.no_grad():
        assert prior.predict(torch.randn(1, 3, 16, 16), 500)[0].isfinite().all()
    for name, words in (
        ("custom", "describes no network"),
        ("none", "there is no conf/prior/none.yaml; choose from"),
    ):
        with pytest.raises(ValueError, match=words):
            speed.described(name)


def test_speed_on_a_bare_machine(tmp_path):
    """Without Hydra, kornia, piq or scipy."""
    words = (
        "--sizes 16 --rounds 1 --reuse 2 --holes 300x300 --hole-steps 1 --operators none".split()
    )
    absent = "import sys; sys.modules.update(dict.fromkeys(('hydra', 'omegaconf', 'kornia', 'piq', 'scipy', 'pooch', 'skimage')));"
    script = (
        f"{absent} sys.argv = {['speed.py', *words]!r}; from benchmarks.speed import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(speed.__file__).parents[1],
        check=False,
    )
    assert done.returncode == 0 and "reuse 2" in done.stdout, done.stderr


def test_null_energy_is_sharpness():
    A, truth = AvgPool(2), torch.rand(1, 3, 8, 8)
    smooth = (A.pinv(A(truth)) + truth) / 2
    assert scoring.null_energy(A, truth, truth) == pytest.approx(1)
    assert scoring.null_energy(A, smooth, truth) == pytest.approx(0.5, rel=1e-4)


def test_psnr_after_rounding():
    a = torch.full((1, 3, 40, 40), 0.5)
    assert float(psnr(a + 0.1, a)) == pytest.approx(20, abs=0.2)
    assert float(psnr(a + 0.001, a + 0.0005)) >= 90
    known = scores(a + 0.1 * torch.rand_like(a), a)
    assert (
        known["psnr"] == pytest.approx(float(psnr(a, a - 0.0567)), abs=2)
        and known["multi_scale_ssim"] is None
    )


def test_table():
    assert table([{"a": 1, "b": 2.34567}, {"a": None, "b": "x"}], ["a", "b"]).splitlines()[2:] == [
        "| 1 | 2.346 |",
        "| - | x     |",
    ]


def test_quality_goes_on_from_what_it_kept(monkeypatch, tmp_path, cat):
    def table_of(samplers):
        words = (
            "--images",
            cat.parent,
            "--tasks",
            "denoise:sigma_y=0.2",
            "--samplers",
            samplers,
            "--nfe",
            "6",
            "--size",
            16,
        )
        run_main(monkeypatch, quality, *words, "--out", tmp_path / "field")
        return json.loads((tmp_path / "field" / "results.json").read_text())["rows"]

    first = table_of("ddnm")
    kept = tmp_path / "field" / "rows.jsonl"
    with kept.open("a") as stream:
        stream.write('{"key": {"cut off')
    monkeypatch.setattr(quality, "baselines", lambda cases: pytest.fail("made again"))
    again = table_of("ddnm,daps")
    assert again[: len(first)] == first and again[-1]["sampler"] == "daps" and again[-1]["nfe"] <= 6
    assert "| denoise:sigma_y=0.2 |" in (tmp_path / "field" / "results.md").read_text()


def test_steps_fit_a_number_of_network_calls():
    for name in SAMPLERS:
        setup = build(compose("task=denoise", f"sampler={name}"))
        sampler = quality.with_steps(setup, GaussianPrior(), 40, True)
        assert 20 <= sampler.nfe(1000) <= 40 and list(sampler.schedule.pairs(1000))


def rows_of_a_field():
    scores = {"psnr_of_mean": 1.0, "consistency": 0.0, "seconds_per_image": 1.0}
    row = {
        "task": "sr4",
        "sampler": "auto",
        "nfe": 20,
        "psnr": 25.0,
        "ssim": 0.7,
        "haarpsi": 0.8,
        "null_energy": 0.7,
        **scores,
    }
    other = {**row, "sampler": "ddnm", "nfe": 100, "psnr": 24.5, "ssim": 0.75}
    return [row, other, {**row, "sampler": "bicubic", "nfe": 0, "psnr": 30.0}]


def test_page_of_the_field_says_who_is_ahead():
    rows = rows_of_a_field()
    found = field_page.verdict("sr4", rows)
    assert (
        found["psnr_gain"] == "+0.5"
        and found["ssim_gain"] == "-0.05"
        and found["psnr_by"] == "ddnm 100"
    )
    page = field_page.page(
        rows, {"command": "python x", "commit": "abc", "hardware": "CPU", "versions": {}}
    )
    assert (
        "python x" in page
        and "| bicubic |" in page
        and page.index("| bicubic |") < page.index("| auto ")
    )
    long = field_page.against_many_calls({"rows": rows, "meta": {"command": "python y"}})
    assert (
        "python y" in long
        and field_page.compared(rows) in long
        and field_page.compared(rows) in page
    )
    assert "| eta=1 " in field_page.ablation(
        {"eta=1": {"rows": rows[:1], "meta": {"command": "python x --override eta=1"}}}
    )


def test_pareto_plot(tmp_path):
    pytest.importorskip("matplotlib")
    assert (
        plot(rows_of_a_field(), tmp_path / "p.png") and (tmp_path / "p.png").stat().st_size > 5000
    )


def test_baselines_of_deepinv(monkeypatch, cat, capsys):
    pytest.importorskip("deepinv")
    words = (
        "--images",
        cat.parent,
        "--tasks",
        "denoise,sr4",
        "--size",
        16,
        "--limit",
        1,
        "--nfe",
        "5",
    )
    run_main(monkeypatch, quality, *words, "--samplers", "deepinv_ddrm,deepinv_diffpir,deepinv_dps")
    out, err = capsys.readouterr()
    assert [out.count(f"| deepinv_{name} ") for name in ("ddrm", "diffpir", "dps")] == [
        1,
        2,
        2,
    ] and "SVD" in err
