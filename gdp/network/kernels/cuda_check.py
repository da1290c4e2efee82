"""Whether the Triton kernels compile on a device, and compute there what torch does."""

import functools
import logging
import os
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.kernels import cuda_launch as launch

log = logging.getLogger(__name__)


@functools.cache
def matches_torch(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether the kernels compile for the device and give what torch does in `dtype`.

    Raises:
        torch.cuda.OutOfMemoryError: there was no memory to find out.
    """
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
    random = torch.Generator().manual_seed(0)
    shapes = (2, 96, 18, 14), (2, 32, 18, 14), (2, 128, 9, 7), (2, 256), (2, 128), (128,), (128,)
    x, skip, residual, film, more, weight, bias = (
        torch.randn(shape, generator=random).to(device, dtype) for shape in shapes
    )
    norm = nn.GroupNorm(8, 128, device=device, dtype=dtype)
    norm.weight.copy_(weight)
    norm.bias.copy_(bias)

    # By the kernels.
    ab = launch.norms(x, skip, norm, film, more)
    result = launch.finish(launch.activate(x, ab, skip), bias, residual, True)

    # By torch.
    scale, shift = film.float()[..., None, None].chunk(2, 1)
    h = torch.cat([x, skip], 1).float() + more.float()[..., None, None]
    h = F.group_norm(h, 8, weight.float(), bias.float(), norm.eps)
    h = F.silu(torch.addcmul(shift, h, 1 + scale)) + bias.float()[:, None, None]
    return result, h + F.interpolate(residual.float(), scale_factor=2)
