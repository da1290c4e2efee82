"""Where the network runs, and in which type."""

import pytest
import torch

from gdp.prior.weights import device
from gdp.prior.weights.device import choose_device, pick_device, pick_dtype


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


def has(monkeypatch, *names, broken=()):
    """Have torch see these devices; of a broken one nothing can be had."""
    real = torch.zeros

    def zeros(*shape, device="cpu"):
        if device in broken:
            raise RuntimeError("The NVIDIA driver on your system is too old (found version 11040)")
        return real(*shape)

    monkeypatch.setattr(torch, "zeros", zeros)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: "cuda" in names)
    monkeypatch.setattr(torch.xpu, "is_available", lambda: "xpu" in names)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: "mps" in names)


def test_auto_takes_cuda_then_xpu_then_mps(monkeypatch):
    for names, first in (
        (("mps", "xpu", "cuda"), "cuda"),
        (("mps", "xpu"), "xpu"),
        (("mps",), "mps"),
        ((), "cpu"),
    ):
        has(monkeypatch, *names)
        assert choose_device().device.type == first == pick_device("auto").type


def test_auto_says_why_a_device_is_left_out(monkeypatch, caplog):
    has(monkeypatch, "cuda", broken=["cuda"])
    assert pick_device("auto").type == "cpu"
    assert "device=auto takes the CPU: cuda fails (The NVIDIA driver" in caplog.text
    has(monkeypatch, "cuda", "mps", broken=["cuda"])
    assert choose_device().device.type == "mps" and "cuda fails" in choose_device().why


def test_amd_is_called_by_its_name(monkeypatch):
    has(monkeypatch, "cuda")
    monkeypatch.setattr(torch.version, "hip", "6.3.1")
    assert choose_device().why == "torch has AMD's ROCm 6.3.1"
    monkeypatch.setattr(torch.version, "hip", None)
    assert device.maker("cuda").startswith("NVIDIA's CUDA")


def test_types_by_device(monkeypatch):
    """float16 on a GPU, which all of them have; float32 where nothing was measured."""
    monkeypatch.delenv("GDP_DTYPE", raising=False)
    types = {name: pick_dtype("auto", torch.device(name)) for name in ("cuda", "mps", "xpu")}
    assert types == {"cuda": torch.float16, "mps": torch.float32, "xpu": torch.float32}
