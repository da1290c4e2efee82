"""Transparency: hidden colours tell nothing, and it comes back on the result."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from benchmarks.odd_files import encoded, values
from gdp.picture import read, write
from gdp.picture.alpha import extend_alpha, fill_transparent, resize_alpha
from gdp.picture.codec.png16 import png16
from gdp.restore.noise.estimate import estimate
from tests.picture.codec.files import SOUND


@pytest.mark.parametrize("depth", [8, 16])
def test_what_is_under_transparency_does_not_bleed(photo, depth):
    hidden, other = (values(4).copy() for _ in range(2))
    for array, colour in ((hidden, (255, 0, 255)), (other, (0, 255, 0))):
        array[..., 3] = 200
        array[4:12, 5:15] = (*colour, 0)
    files = [
        encoded(Image.fromarray(a), "PNG") if depth == 8 else png16(a.astype(np.uint16) * 257)
        for a in (hidden, other)
    ]
    one, two = (photo(data) for data in files)
    assert torch.equal(one.pixels, two.pixels) and torch.equal(one.alpha, two.alpha)
    seen = one.alpha[0, 0] > 0
    torch.testing.assert_close(
        one.pixels[0][:, seen],
        torch.from_numpy(hidden[..., :3] / 255).float().permute(2, 0, 1)[:, seen],
    )
    around, filled = one.pixels[0][:, seen], one.pixels[0][:, ~seen]
    assert float(filled.min()) >= float(around.min()) - 1e-6
    assert float(filled.max()) <= float(around.max()) + 1e-6
    edge = seen[:, 1:] != seen[:, :-1]
    assert float(one.pixels.diff(dim=-1)[0][:, edge].abs().max()) < 0.25


def test_what_is_filled_in_is_as_noisy_as_the_rest():
    """A smooth filling passed for a photo without noise."""
    x = torch.from_numpy(data.coffee()[:192, :192] / 255).permute(2, 0, 1)[None].float()
    y = (x + 0.1 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    alpha = torch.ones_like(y[:, :1])
    alpha[..., 60:, 100:] = 0
    filled = fill_transparent(y, alpha)
    assert estimate(filled).std == pytest.approx(estimate(y).std, rel=0.1)

    # As a mirror image, and from two sides where both are seen.
    assert torch.equal(filled[..., 100:160, 100:140], y[..., 100:160, 59:99].flip(-1))
    assert torch.equal(filled[..., 60:80, 160:], y[..., 39:59, 160:].flip(-2))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31))
@settings(max_examples=50, deadline=None)
def test_spread_leaves_what_is_seen(h, w, seed):
    rng = torch.Generator().manual_seed(seed)
    pixels, alpha = (
        torch.rand(1, 3, h, w, generator=rng),
        (torch.rand(1, 1, h, w, generator=rng) * 2 - 1).clamp(0),
    )
    out = fill_transparent(pixels, alpha)
    assert torch.equal(
        torch.where(alpha > 0, out, 0 * out), torch.where(alpha > 0, pixels, 0 * pixels)
    )
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    torch.testing.assert_close(
        fill_transparent(torch.full_like(pixels, 0.3), alpha),
        torch.full_like(pixels, 0.3 if bool((alpha > 0).any()) else 0.5),
    )


def test_alpha_comes_back_at_the_results_size(photo, tmp_path):
    like = photo(SOUND["rgba.png"])
    alpha = like.alpha
    write(like.pixels, tmp_path / "same.png", like)
    assert torch.equal(read(tmp_path / "same.png").alpha, alpha)
    write(torch.rand(1, 3, 64, 80), tmp_path / "big.png", like)
    big = read(tmp_path / "big.png")
    assert big.alpha.shape == (1, 1, 64, 80)
    assert float((torch.nn.functional.avg_pool2d(big.alpha, 4) - alpha).abs().max()) < 0.08
    assert extend_alpha(alpha, None) is alpha
    assert extend_alpha(alpha, (1, 2, 3, 4)).shape == (
        1,
        1,
        23,
        23,
    )
    assert float(extend_alpha(alpha, (1, 2, 3, 4))[0, 0, 0, 0]) == 1
    assert resize_alpha(alpha, 3, 2).shape == (
        1,
        1,
        3,
        2,
    )
