"""Where the GPU's kernels are tested: in Triton's interpreter on a CPU, or (-m gpu) on a GPU."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from gdp.network.kernels import cuda

INTERPRETED = cuda.interpreted()
DEVICE = torch.device("cpu" if INTERPRETED else "cuda:0")  # as a picture names it

# Of the largest value.
TOLERANCE = {torch.float32: 2e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}


@pytest.fixture(autouse=True)
def same_arithmetic(request, monkeypatch):
    """The same random numbers, and float32 that is float32."""
    torch.manual_seed(0)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    if request.node.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


def on_a_device(test):
    """It needs what runs the kernels: the interpreter, or a GPU."""
    return test if INTERPRETED else pytest.mark.gpu(test)


def picture(*shape, dtype=torch.float32):
    """Noise, channels last."""
    return torch.randn(shape).to(DEVICE, dtype).contiguous(memory_format=torch.channels_last)


def close(result, expected, dtype):
    """Equal to what the type can tell."""
    assert result.dtype == dtype and result.shape == expected.shape
    difference = (result.double() - expected).abs().max()
    assert difference <= TOLERANCE[dtype] * expected.abs().max()


def group_norm(channels, dtype):
    """GroupNorm with weights that are not 1 and 0."""
    norm = nn.GroupNorm(8, channels, eps=1e-6).to(DEVICE, dtype).requires_grad_(False)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    return norm


def normalized(h, norm, film):
    """FiLM(GroupNorm(h)), in float64."""
    weight, bias = norm.weight.double(), norm.bias.double()
    expected = F.group_norm(h.double(), norm.num_groups, weight, bias, norm.eps)
    if film is None:
        return expected
    scale, shift = film.double()[..., None, None].chunk(2, 1)
    return expected * (1 + scale) + shift
