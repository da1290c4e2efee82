"""The network that a run starts from: that of --init, as it was or deeper."""

import pytest
import torch
from safetensors.torch import load_file

from gdp.prior.weights import read_config
from gdp.train import setup as training_setup
from tests.train.conftest import curve, run


def test_init_goes_on_from_weights(finished, folder, tmp_path):
    start = finished / "weights.safetensors"
    net = "--batch 2 --samples 1 --device cpu".split()
    words = ("--steps", 1, "--lr", 0, "--init", start, "--holdout", 2)
    assert run(folder, tmp_path / "on", *words, net=net) == 0

    weights = load_file(tmp_path / "on" / "weights.safetensors")
    assert all(torch.equal(w, load_file(start)[k]) for k, w in weights.items())
    first, last = curve(tmp_path / "on", "heldout.jsonl")
    assert first["step"] == 0 and last["step"] == 1 and first["mse"] == pytest.approx(last["mse"])


@pytest.mark.parametrize("beside", [True, False])
def test_init_may_be_made_deeper(beside, finished, folder, tmp_path, monkeypatch):
    start = finished / "weights.safetensors"
    monkeypatch.setattr(training_setup, "DEFAULT_CONFIG", read_config(start))
    if not beside:
        start = tmp_path / "bare.safetensors"
        start.write_bytes((finished / "weights.safetensors").read_bytes())
    net = "--batch 2 --samples 1 --device cpu --num-res-blocks 2".split()
    words = ("--steps", 1, "--lr", 0, "--init", start, "--holdout", 2)
    assert run(folder, tmp_path / "on", *words, net=net) == 0

    assert read_config(tmp_path / "on" / "weights.safetensors")["num_res_blocks"] == 2
    folders = (finished, tmp_path / "on")
    before, after = (curve(out, "heldout.jsonl")[-1]["mse"] for out in folders)
    assert after == pytest.approx(before, rel=1e-2)


def test_config_beside_the_weights_that_lacks_the_shape(finished, folder, tmp_path, caplog):
    start = tmp_path / "weights.safetensors"
    start.write_bytes((finished / "weights.safetensors").read_bytes())
    lines = (finished / "config.yaml").read_text().splitlines()
    shapeless = "\n".join(line for line in lines if "num_res_blocks" not in line)
    (tmp_path / "config.yaml").write_text(shapeless)

    assert run(folder, tmp_path / "on", "--steps", 1, "--init", start, net=["--device", "cpu"]) == 2
    assert "num_res_blocks" in caplog.text and "cannot be built" in caplog.text
