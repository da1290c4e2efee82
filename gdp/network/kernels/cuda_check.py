"""Whether the Triton kernels compile on a device, and compute there what torch does."""

import functools
import logging
import os
import warnings
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.kernels import cuda_backward as backward
from gdp.network.kernels import cuda_launch as launch

log = logging.getLogger(__name__)
Trial = Callable[[torch.device, torch.dtype], tuple[Tensor, Tensor]]


@functools.cache
def matches_torch(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernels compile for the device and give what torch does in `dtype`.

    Raises:
        torch.cuda.OutOfMemoryError: there was no memory to find out.
    """
    return matches(trial, device, dtype)


@functools.cache
def gradients_match(device: torch.device, dtype: torch.dtype) -> bool:
    """The same for those that gradients take."""
    return matches(trial_of_gradients, device, dtype)


def matches(trial: Trial, device: torch.device, dtype: torch.dtype) -> bool:
    """Whether what a trial gives is twice the same, to the accuracy of the type."""
    if os.environ.get("GDP_KERNELS") == "0":
        return False

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Triton's, of its own defaults
            result, expected = trial(device, dtype)
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as error:  # whatever a compiler, a driver or a missing package may say
        log.debug("no kernels of our own on %s, torch's instead: %s", device, error)
        return False

    # Written so that NaN is no match.
    tolerance = max(1e-4, 2 * torch.finfo(dtype).eps)
    if not (result.float() - expected).abs().max() <= tolerance * expected.abs().max():
        log.debug(
            "the kernels' results on %s in %s are not torch's; torch's are taken", device, dtype
        )
        return False
    return True


@torch.no_grad()
def trial(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """A random picture in two parts, of odd size, normalized, activated and added to a residual.

    Returns:
        What the kernels make of it in `dtype`, and what torch makes of it in float32.
    """
    x, skip, residual, film, more, norm = example(device, dtype, (2, 128, 9, 7))
    weight, bias = norm.weight, norm.bias

    # By the kernels.
    ab = launch.norms(x, skip, norm, film, more)
    result = launch.finish(launch.activate(x, ab, skip), bias, residual, True)

    # By torch.
    scale, shift = film.float()[..., None, None].chunk(2, 1)
    h = torch.cat([x, skip], 1).float() + more.float()[..., None, None]
    h = F.group_norm(h, 8, weight.float(), bias.float(), norm.eps)
    h = F.silu(torch.addcmul(shift, h, 1 + scale)) + bias.float()[:, None, None]
    return result, h + F.interpolate(residual.float(), scale_factor=2)


@torch.no_grad()
def trial_of_gradients(device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The gradient in that picture of a random product with its activation.

    Returns:
        What the kernels make of it in `dtype`, and what torch makes of it in float32.
    """
    x, skip, g, film, more, norm = example(device, dtype, (2, 128, 18, 14))

    # By the kernels.
    ab = launch.norms(x, skip, norm, film, more)
    parts = backward.activate_backward(x, skip, ab, g, g, norm, more)
    result = torch.cat([part for part in parts if part is not None], 1)

    # By torch.
    scale, shift = film.float()[..., None, None].chunk(2, 1)
    with torch.enable_grad():
        h = torch.cat([x, skip], 1).float().requires_grad_()
        u = h + more.float()[..., None, None]
        u = F.group_norm(u, 8, norm.weight.float(), norm.bias.float(), norm.eps)
        y = F.silu(torch.addcmul(shift, u, 1 + scale))
        expected = torch.autograd.grad(y, h, g.float())[0]
    return result, expected + g.float()


def example(device: torch.device, dtype: torch.dtype, third: tuple[int, ...]) -> tuple[Any, ...]:
    """x, skip, a picture of another shape, film, more, and a GroupNorm: random, always the same."""
    random = torch.Generator().manual_seed(0)
    shapes = (2, 96, 18, 14), (2, 32, 18, 14), third, (2, 256), (2, 128), (128,), (128,)
    *values, weight, bias = (
        torch.randn(shape, generator=random).to(device, dtype) for shape in shapes
    )
    norm = nn.GroupNorm(8, 128, device=device, dtype=dtype)
    norm.weight.copy_(weight)
    norm.bias.copy_(bias)
    return *values, norm
