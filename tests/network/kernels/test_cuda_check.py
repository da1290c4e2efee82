"""The GPU's kernels run where they compile and give what torch does."""

import sys

import pytest
import torch

from gdp.network.kernels import cuda, cuda_check, cuda_launch
from gdp.network.kernels.cuda_check import matches_torch
from tests.network.kernels.device import (
    DEVICE,
    on_a_device,
    picture,
    same_arithmetic,  # noqa: F401
)


@on_a_device
def test_wrong_results_are_not_taken(monkeypatch):
    matches_torch.cache_clear()
    monkeypatch.setattr(cuda_launch, "finish", lambda y, bias, *_: y + bias[:, None, None])
    with torch.no_grad():
        assert not cuda.ready(picture(1, 32, 4, 4), [])
    monkeypatch.undo()
    matches_torch.cache_clear()


def test_without_triton(monkeypatch):
    """torch's own, and no word of it."""
    cuda_launch.kernels.cache_clear()
    monkeypatch.setitem(sys.modules, "gdp.network.kernels.triton", None)
    monkeypatch.delattr("gdp.network.kernels.triton", raising=False)
    assert not matches_torch.__wrapped__(torch.device("cpu"), torch.float32)
    monkeypatch.undo()
    cuda_launch.kernels.cache_clear()


@on_a_device
def test_turned_off(monkeypatch):
    assert matches_torch.__wrapped__(DEVICE, torch.float32)
    monkeypatch.setenv("GDP_KERNELS", "0")
    assert not matches_torch.__wrapped__(DEVICE, torch.float32)


def test_memory_that_ran_out_is_no_verdict(monkeypatch):
    def trial(*_):
        raise torch.cuda.OutOfMemoryError

    monkeypatch.setattr(cuda_check, "trial", trial)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        matches_torch.__wrapped__(torch.device("cpu"), torch.float32)
