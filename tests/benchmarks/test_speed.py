"""Speed: network, holes and operators in one run, also on a bare machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import speed
from benchmarks.costs import network_speed
from tests.benchmarks.conftest import run_main


def test_speed(monkeypatch, tmp_path):
    words = ["--sizes", "16", "--rounds", 1, "--reuse", "2", "--holes", "600x500"]
    words += ["--hole-steps", 1, "--operators", "blur_motion,gray,jpeg", "--operator-size", 32]
    run_main(monkeypatch, speed, *words, "--json", tmp_path / "s.json", "--out", tmp_path / "p.md")
    rows = json.loads((tmp_path / "s.json").read_text())["rows"]
    network, holes, (blurred, grey, jpeg) = (
        [r for r in rows if key in r] for key in ("what", "hole", "operator")
    )

    # The network
    layout = f"layout {os.environ['GDP_DTYPE']}"
    assert [r["what"] for r in network] == ["eager float32", layout, "exact", "reuse 2"]
    assert network[0]["ratio_to_fp32_eager"] == 1
    assert all(set(network_speed.COLUMNS) <= r.keys() for r in network)
    assert all(r["ms_per_nfe"] > 0 and r["tflops"] > 0 for r in network)

    # Holes
    assert [r["hole"] for r in holes] == [0.01, 0.05, 0.2, 1.0]
    assert holes[0]["share_of_pixels"] < holes[-1]["share_of_pixels"] == 1

    # Operators
    assert 0 < blurred["pinv_iterations"] <= 70 and 0 < blurred["prox_iterations"] <= 30
    assert blurred["pinv_share"] > blurred["A_AT_share"] > 0
    assert grey["pinv_iterations"] is None and grey["pinv_share"] > 0
    assert jpeg["pinv_share"] is None and jpeg["A_AT_share"] > 0

    # The page, once more from its rows
    written = (tmp_path / "p.md").read_text()
    (tmp_path / "more.md").write_text("the end\n")
    words = ["--only", tmp_path / "s.json", "--more", tmp_path / "more.md"]
    run_main(monkeypatch, speed, *words, "--out", tmp_path / "q.md")
    assert (tmp_path / "q.md").read_text() == written + "\nthe end\n"
    assert "## Holes" in written and "| blur_motion" in written


def test_a_network_that_is_not_at_hand_has_a_speed():
    prior = speed.load("photo64", untrained=True)
    with torch.no_grad():
        assert prior.predict(torch.randn(1, 3, 16, 16), 500)[0].isfinite().all()

    errors = {
        "custom": "describes no network",
        "none": "there is no conf/prior/none.yaml; choose from",
    }
    for name, words in errors.items():
        with pytest.raises(ValueError, match=words):
            speed.load(name)


def test_speed_on_a_bare_machine(tmp_path):
    """Without Hydra, kornia, piq or scipy."""
    words = "--sizes 16 --rounds 1 --reuse 2 --holes 300x300 --hole-steps 1 --operators none"
    absent = "hydra omegaconf kornia piq scipy pooch skimage"
    script = f"""
import sys
sys.modules.update(dict.fromkeys({absent.split()!r}))
sys.argv = {["speed.py", *words.split()]!r}
from benchmarks.speed import main
main()
"""
    root = Path(speed.__file__).parents[1]
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, cwd=root, check=False)
    assert done.returncode == 0 and "reuse 2" in done.stdout, done.stderr
