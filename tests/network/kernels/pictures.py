"""Pictures for the CPU's kernels, and how close they come to torch."""

import pytest
import torch

from gdp.network.kernels import cpu

needed = pytest.mark.skipif(cpu.library() is None, reason="no C compiler, or not Linux")


def picture(*shape, seed=0):
    """Noise, channels last; the same each time."""
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    return noise.contiguous(memory_format=torch.channels_last)


def joined(x, skip):
    """A picture in two parts, as one."""
    return x if skip is None else torch.cat([x, skip], 1)
