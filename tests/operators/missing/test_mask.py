"""Masks: drawn at random, as boxes, and from a picture of another size."""

import math

import pytest
import torch

from operators.missing.mask import BoxMask, Mask, RandomMask


def test_masks():
    x = torch.ones(1, 3, 200, 300)
    assert abs(float(RandomMask(0.3)(x).mean()) - 0.7) < 0.01
    torch.testing.assert_close(RandomMask(0.3, seed=1)(x), RandomMask(0.3, seed=1)(x))
    assert not torch.equal(RandomMask(0.3, seed=1)(x), RandomMask(0.3, seed=2)(x))
    box = BoxMask(0.25, 0.5, 0.5, 0.5)(x)
    assert float(1 - box.mean()) == pytest.approx(0.25, abs=0.01)
    assert float(box[..., 100, 225].sum()) == 0
    small = torch.ones(1, 1, 2, 3)
    small[..., 0, 0] = 0
    assert float(Mask(small)(x)[..., :100, :100].sum()) == 0
    assert float(Mask(small)(x).mean()) == pytest.approx(5 / 6)


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: RandomMask(1.0), "rate"),
        (lambda: RandomMask(math.nan), "rate"),
        (lambda: BoxMask(0, 0, 1, 1), "box"),
        (lambda: BoxMask(0.7, 0, 0.5, 0.5), "box"),
        (lambda: Mask(torch.full((1, 1, 4, 4), 1.5)), "from 0"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
