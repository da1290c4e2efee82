"""The UNet's normalizations on a GPU, channels last, by Triton kernels of our own (triton.py); its
convolutions are cuDNN's.

torch's GroupNorm on CUDA copies a picture that lies channels last to channels first and back, and
adds biases and residuals in passes of their own. Triton comes with torch's CUDA builds; where it is
missing, does not compile, or its results are not torch's, `ready` says no and the network runs on
torch's own. GDP_KERNELS=0 turns the kernels off. They know no gradients; gdp/network/gradients.py
puts those together, of the adjoints here and of `activate_backward`. What each function computes
is said in kernels/interface.py.
"""

import os
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.kernels.cuda_backward import activate_backward as activate_backward
from gdp.network.kernels.cuda_check import gradients_match as gradients_match
from gdp.network.kernels.cuda_check import matches_torch as matches_torch
from gdp.network.kernels.cuda_launch import activate as activate
from gdp.network.kernels.cuda_launch import finish
from gdp.network.kernels.cuda_launch import norms as norms
from gdp.network.kernels.interface import UP as UP
from gdp.network.kernels.interface import UP_RESIDUAL as UP_RESIDUAL
from gdp.network.kernels.interface import channels_last, differentiated

TYPES = torch.float16, torch.bfloat16, torch.float32


def ready(x: Tensor, layers: Sequence[nn.Module]) -> bool:
    """Whether `layers` can run here on [x, skip], no gradients wanted."""
    return not differentiated(x, layers) and supports(x, layers)


def supports(x: Tensor, layers: Sequence[nn.Module], adjoint: bool = False) -> bool:
    """Whether the kernels are there and know the type of x: a GPU, one type for all.

    Args:
        x: pictures [B, C, H, W].
        layers: what is to run.
        adjoint: whether gradients in x are wanted too.
    """
    on_device = x.is_cuda or interpreted()
    if not on_device or x.dtype not in TYPES or x.ndim != 4 or not x.numel():
        return False

    parameters = (p for layer in layers for p in layer.parameters())
    if torch.is_autocast_enabled(x.device.type) or any(p.dtype != x.dtype for p in parameters):
        return False
    if not matches_torch(x.device, x.dtype):
        return False
    return not adjoint or gradients_match(x.device, x.dtype)


def interpreted() -> bool:
    """Whether Triton's kernels run on the CPU, for tests."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def conv3x3(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor | None,
    conv: nn.Module,
    residual: Tensor | None = None,
    up: int = 0,
    adjoint: bool = False,
) -> Tensor:
    """residual + conv(SiLU(a [x, skip] + b)), or of [x, skip] itself without `ab`.

    `adjoint`: the adjoint of the convolution alone, without the bias.
    """
    if adjoint:
        assert isinstance(conv, nn.Conv2d)
        return F.conv_transpose2d(x, conv.weight, padding=1)
    h = convolve(x, skip, ab, conv, up)
    return finish(h, bias_of(conv), residual, bool(up & UP_RESIDUAL))


def conv3x3_norms(
    x: Tensor,
    skip: Tensor | None,
    ab: Tensor | None,
    conv: nn.Module,
    up: int,
    more: Tensor | None,
    norm: nn.Module,
    film: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """h, without the bias and `more`, and (a, b): a h + b is the norm of h with both of them."""
    h = convolve(x, skip, ab, conv, up)
    return h, norms(h, None, norm, film, lacking(h, conv, more))


def lacking(h: Tensor, conv: nn.Module, more: Tensor | None) -> Tensor:
    """What the h of `conv3x3_norms` lacks [B, O]."""
    bias = bias_of(conv).expand(len(h), -1)
    return bias if more is None else bias + more


def convolve(x: Tensor, skip: Tensor | None, ab: Tensor | None, conv: nn.Module, up: int) -> Tensor:
    """conv3x3 without bias and residual."""
    assert isinstance(conv, nn.Conv2d)
    if ab is not None:
        x = activate(x, ab, skip)
    elif skip is not None:
        x = torch.cat([x, skip], 1)

    if up & UP:
        x = F.interpolate(x, scale_factor=2, mode="nearest")
    return F.conv2d(x, conv.weight, None, conv.stride, conv.padding, conv.dilation, conv.groups)


def bias_of(conv: nn.Module) -> Tensor:
    """The bias of a convolution [O]; 0 where it has none."""
    assert isinstance(conv, nn.Conv2d)
    return conv.weight.new_zeros(conv.out_channels) if conv.bias is None else conv.bias


def conv1x1(x: Tensor, skip: Tensor | None, conv: nn.Module, adjoint: bool = False) -> Tensor:
    """conv([x, skip]); `adjoint`: its adjoint, without the bias."""
    assert isinstance(conv, nn.Conv2d)
    weight, c = conv.weight.flatten(1), x.shape[1]
    if adjoint:
        return F.linear(x.permute(0, 2, 3, 1), weight.t()).permute(0, 3, 1, 2)
    y = F.linear(x.permute(0, 2, 3, 1), weight[:, :c], conv.bias)

    # The other part's share is added in place.
    if skip is not None:
        rows = channels_last(skip).permute(0, 2, 3, 1).flatten(0, 2)
        y.view(-1, len(weight)).addmm_(rows, weight[:, c:].t())
    return y.permute(0, 3, 1, 2)
