"""Files of weights: read, or refused in a sentence."""

import os
import pickle

import pytest
import torch
import yaml

from gdp.prior.weights import load_prior
from gdp.prior.weights.read import read_config, read_weights
from gdp.storage.places import BUNDLED, CONF
from tests.prior.weights.networks import ARGUMENTS


class Evil:
    """Makes a file when unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (os.mkdir, (str(self.file),))


@pytest.mark.parametrize("whole", [True, False])
def test_pickled_code_never_runs(tmp_path, whole):
    file, trace = tmp_path / "evil.pt", tmp_path / "ran"
    if whole:
        file.write_bytes(pickle.dumps(Evil(trace)))
    else:
        torch.save({"time_embed.0.weight": Evil(trace)}, file)
    with pytest.raises(ValueError, match="not executed"):
        load_prior(str(file), ARGUMENTS)
    assert not trace.exists()


@pytest.mark.parametrize("name", ["w.pt", "w.safetensors"])
def test_not_weights(tmp_path, name):
    for content in (b"", b"hello", b"PK\x03\x04 not a zip"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=name):
            read_weights(tmp_path / name)
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ValueError, match="state dict"):
        read_weights(tmp_path / "list.pt")


def test_wrappings_of_a_state_dict(tmp_path, weights):
    for wrapped in (
        {"state_dict": weights, "epoch": 3},
        {f"module.{k}": v for k, v in weights.items()},
    ):
        torch.save(wrapped, tmp_path / "w.ckpt")
        read = read_weights(tmp_path / "w.ckpt")
        assert read.keys() == weights.keys() and all(
            torch.equal(read[k], weights[k]) for k in weights
        )


def test_bundled_prior_may_be_trained_on():
    """Its config.yaml, which training reads, says what conf/ says."""
    conf = yaml.safe_load((CONF / "prior" / "photo64.yaml").read_text())
    config = read_config(BUNDLED / "photo64.safetensors")
    assert config["diffusion"] == conf["diffusion"] and config.items() >= conf["unet"].items()
