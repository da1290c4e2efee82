"""Blocks and chroma planes of JPEG: what is undone comes back."""

import pytest
import torch

from operators.coded.planes import blocks, downsample, join_blocks, undo_upsample, upsample


@pytest.mark.parametrize("size", [(16, 24), (9, 17), (1, 1)])
def test_blocks_join(size):
    plane = torch.rand(2, *size)
    assert blocks(plane).shape[-2:] == (8, 8)
    assert torch.equal(join_blocks(blocks(plane), plane), plane)


@pytest.mark.parametrize("factor", [1, 2])
@pytest.mark.parametrize("n", [2, 7, 12])
def test_upsampling_is_undone(factor, n):
    small = torch.rand(3, -(-n // factor), dtype=torch.float64)
    large = upsample(small, factor, n)
    assert large.shape == (3, n)
    torch.testing.assert_close(undo_upsample(large, factor), small)
    assert downsample(large, factor).shape == small.shape
