"""Batches: which crops of which size, on any process, from any step on."""

import torch

from gdp.train.data import batches, ladder
from tests.train.conftest import photos_of


def test_batches_resume_anywhere_and_divide_over_processes(folder):
    def take(first: int, number: int, rank: int = 0, world: int = 1):
        def plan(step):
            return 8 + 8 * (step % 2), 6

        stream = batches(photos_of(folder), 5, first, plan, rank, world, workers=3)
        return [next(stream) for _ in range(number)]

    whole = take(0, 4)
    assert [tuple(b.x0.shape) for b in whole] == [(6, 3, 8, 8), (6, 3, 16, 16)] * 2

    for batch, later in zip(whole[2:], take(2, 2), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(batch, later, strict=True))
    for rank in (0, 1):
        assert torch.equal(take(1, 1, rank, 2)[0].x0, whole[1].x0[rank::2])

    assert whole[0].x0.is_contiguous(memory_format=torch.channels_last)
    assert -1 <= whole[0].x0.min() < whole[0].x0.max() <= 1


def test_ladder_keeps_the_pixels_of_a_batch():
    rungs = ladder("32:0.25,64:0.75", 64, 16, 8)
    assert [tuple(r) for r in rungs] == [(32, 64, 0.25), (64, 16, 1.0)]
    assert [r.items for r in ladder("32:0.5:10,64:0.5", 64, 16, 8)] == [10, 16]
