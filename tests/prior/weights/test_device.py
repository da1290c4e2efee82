"""Where the network runs, and in which type."""

import pytest
import torch

from gdp.prior.weights.device import pick_device, pick_dtype


def test_devices_and_types():
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(ValueError, match="not at hand"):
        pick_device("nonsense")
    assert pick_dtype("float16", torch.device("cpu")) == torch.float16
    assert pick_dtype("auto", torch.device("cpu")) in (torch.float32, torch.bfloat16)
    with pytest.raises(ValueError, match="float32"):
        pick_dtype("int8", torch.device("cpu"))


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_the_environment_says_what_auto_is(monkeypatch, name):
    cpu = torch.device("cpu")
    monkeypatch.setenv("GDP_DTYPE", name)
    assert pick_dtype("auto", cpu) == getattr(torch, name)
    assert pick_dtype("float32", cpu) == torch.float32  # what is asked for by name stays


@pytest.mark.parametrize("name", ["", "auto"])
def test_an_environment_without_a_wish_leaves_it_to_the_device(monkeypatch, name):
    cpu = torch.device("cpu")
    monkeypatch.delenv("GDP_DTYPE", raising=False)
    by_itself = pick_dtype("auto", cpu)
    monkeypatch.setenv("GDP_DTYPE", name)
    assert pick_dtype("auto", cpu) == by_itself


@pytest.mark.parametrize("name", ["int8", "float64", "nn", "double trouble"])
def test_a_wrong_type_in_the_environment_is_named(monkeypatch, name):
    monkeypatch.setenv("GDP_DTYPE", name)
    with pytest.raises(ValueError, match=f"GDP_DTYPE={name}; it is auto, float32"):
        pick_dtype("auto", torch.device("cpu"))
    assert pick_dtype("float16", torch.device("cpu")) == torch.float16
