"""Large holes: filled with patches of the photo, told of, and left alone where they are small."""

import logging

import pytest
import torch

import gdp
from gdp.restore.first.holes import patched
from gdp.restore.first.patches import fill, radius
from operators.missing.mask import Mask
from operators.size.crop import Crop


def stripes(H=64, W=72):
    """A texture that repeats every 6 pixels along, and every 4 across, [1, 3, H, W] in [-1, 1]."""
    rows, columns = torch.arange(H)[:, None], torch.arange(W)[None]
    grey = ((rows % 4 < 2) ^ (columns % 6 < 3)).float() * 1.4 - 0.7
    return grey.expand(1, 3, H, W).clone()


def hole(H=64, W=72):
    known = torch.ones(H, W, dtype=torch.bool)
    known[20:46, 22:48] = False
    return known


def test_radius():
    known = torch.ones(21, 30, dtype=torch.bool)
    known[5:14, 8:20] = False
    assert radius(known) == 5


def test_a_texture_goes_on():
    """Right to the pixel, where the texture repeats; what is known stays as it is."""
    x, known = stripes(), hole()
    out = fill(x * known, known)
    assert torch.equal(out[..., known], x[..., known])
    wrong = (out - x).abs().amax(1)[0] > 0.1
    assert wrong.float().sum() / (~known).sum() < 0.05
    assert torch.equal(out, fill(x * known, known))


def test_a_frame_goes_on():
    x, known = stripes(), torch.zeros(64, 72, dtype=torch.bool)
    known[16:48, 18:54] = True
    out = fill(x * known, known)
    inside = (out - x).abs().amax(1)[0, 12:52, 14:58] > 0.1  # the rim may lie another way
    assert inside.float().mean() < 0.1
    assert abs(float(out.std() / x.std()) - 1) < 0.1


def test_too_little_is_known():
    x, known = stripes(), torch.rand(64, 72) < 0.3
    assert fill(x * known, known) is None


def test_large_holes_are_told_of(caplog):
    x = (stripes() + 1) / 2
    mask = (~hole()).float()
    with caplog.at_level(logging.WARNING, "gdp"):
        ours = gdp.restore(x[0], task="inpaint", mask=mask)
    assert "13 pixels from what is known" in caplog.text
    assert ours.report["first"] == {"kind": "patches", "reach": 13}
    error = (torch.as_tensor(ours.image) - x[0]).square().mean().sqrt()
    smooth = gdp.restore(x[0], task="inpaint", mask=mask, holes="smooth")
    assert smooth.report["first"] is None
    assert error < 0.5 * (torch.as_tensor(smooth.image) - x[0]).square().mean().sqrt()


def test_small_holes_are_the_priors(caplog):
    x, mask = (stripes(32, 32) + 1) / 2, torch.zeros(32, 32)
    mask[10:20, 10:20] = 1
    assert gdp.restore(x[0], task="inpaint", mask=mask).report["first"] is None
    assert not caplog.records
    ours = gdp.restore(x[0], task="inpaint", mask=mask, holes="patches")
    assert ours.report["first"]["kind"] == "patches"
    other = gdp.restore(x[0], task="inpaint", mask=mask, holes="patches", sampler="ddnm", steps=3)
    assert other.report["first"] is None  # it begins with noise


def test_nothing_is_known():
    y = torch.zeros(1, 3, 32, 32)
    assert patched(Mask(y[:, :1]), y, "patches", "photo") is None


def test_no_middle_within_the_margins():
    with pytest.raises(ValueError, match=r"a 32x32 picture has no middle .* smaller operator"):
        gdp.restore(torch.rand(3, 32, 32), task="outpaint", degrade=True)
    assert Crop([2, 0, 0, 0])(torch.rand(1, 3, 3, 3)).shape == (1, 3, 1, 3)
