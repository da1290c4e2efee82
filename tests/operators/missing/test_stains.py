"""Stains of toned photos, and photos that have faded."""

import pytest
import torch

import gdp
from operators.auto import FromPhoto
from operators.missing.gray import Gray
from operators.missing.oldphoto import FoundMask, fading, old_photo
from operators.missing.stains import has_colours, mask_of_stains, stained

SEPIA = torch.tensor([0.14, 0.03, -0.17]).view(1, 3, 1, 1)


def toned(H=72, W=80):
    """A picture in sepia, [1, 3, H, W] in [-1, 1]: smooth light, with some grain."""
    rows, columns = torch.linspace(-1, 1, H)[:, None], torch.linspace(-1, 1, W)[None]
    grey = 0.7 * (2.5 * rows + torch.sin(4 * columns)).tanh()[None, None]
    grain = 0.02 * torch.randn(1, 1, H, W, generator=torch.Generator().manual_seed(1))
    return grey + grain + SEPIA * (1 - 0.3 * grey)


def stain(H=72, W=80):
    where = torch.zeros(H, W, dtype=torch.bool)
    where[20:44, 10:30] = True
    return where


def test_where_the_tone_is_lost():
    x, where = toned(), stain()
    x[..., where] = x.mean(1, keepdim=True).expand_as(x)[..., where] + 0.1
    lost = mask_of_stains(x)[0, 0] == 0
    assert lost[where].all()
    assert lost[~where].float().mean() < 0.15  # a rim about it
    assert not lost[:, 50:].any()


def test_what_has_no_stains():
    assert mask_of_stains(toned()).all()
    assert mask_of_stains(toned().mean(1, keepdim=True)).all()
    colour = toned()
    colour[:, 0, :, :40] += 0.3
    colour[..., stain()] -= 0.3
    assert mask_of_stains(colour).all()
    assert mask_of_stains(toned(12, 12)).all()


def test_bare_paper_that_touches_a_stain():
    """It has the tone of the whites, and is lighter than those; a light place elsewhere stays."""
    x, where = toned(120, 160), stain(120, 160)
    x[..., where] = x.mean(1, keepdim=True).expand_as(x)[..., where] + 0.1
    for rows, columns in ((slice(26, 36), slice(30, 44)), (slice(90, 96), slice(130, 136))):
        x[..., rows, columns] = 0.95 + 0.7 * SEPIA
    lost = mask_of_stains(x)[0, 0] == 0
    assert lost[where].all()
    assert lost[28:34, 34:42].all()
    assert not lost[92:94, 132:134].any()


def test_colours_of_its_own_are_kept():
    x = toned()
    assert not has_colours(x)
    assert not has_colours(x.mean(1, keepdim=True).expand_as(x))
    A = old_photo(find=True).for_photo(x, 0.0)
    assert [type(op) for op in A.parts()] == [Gray, FoundMask]

    colour = x.clone()
    colour[:, 0, :, :40] += 0.3
    colour[:, 2, 36:] += 0.2
    assert has_colours(colour)
    A = old_photo(find=True, r=2).for_photo(colour, 0.0)
    assert not any(isinstance(op, Gray) for op in A.parts())
    assert A.x_shape(colour) == (1, 3, 144, 160)
    assert "colours of its own" in A.findings[-1]


def test_auto_names_the_stains_of_warm_prints_alone():
    x, where = toned(), stain()
    x[..., where] = x.mean(1, keepdim=True).expand_as(x)[..., where] + 0.1
    share = 1 - float(mask_of_stains(x).mean())
    assert stained(x) == pytest.approx(share)
    assert stained(x.flip(1)) == 0  # a blue one
    assert stained(toned()) == 0
    left = FromPhoto().for_photo(x.clamp(-1, 1), 0.02).findings[-1]
    assert f"stains over {share:.0%} (task=oldphoto)" in left


def test_fading():
    values = torch.linspace(-0.9, 0.85, 999)
    assert fading(values) == (1.0, 0.0)
    gain, offset = fading(0.4 * values + 0.2)
    assert (gain, offset) == pytest.approx((0.4, 0.2), abs=0.02)
    assert fading(torch.zeros(0)) == (1.0, 0.0)
    assert fading(torch.zeros(9) + 0.3)[0] == pytest.approx(0.2)


def test_a_faded_mask_is_a_projection():
    A = FoundMask(torch.ones(1, 1, 6, 6), 0.4, 0.2)
    x = torch.rand(2, 3, 6, 6) - 0.5
    y = A.observe(0.4 * x + 0.2)
    assert torch.allclose(A(x), y, atol=1e-6)
    assert torch.allclose(A.pinv(y), x, atol=1e-5)
    assert torch.allclose(A.spectral(x, lambda s: s**2), A.adjoint(A(x)), atol=1e-6)
    assert A.known(y) is None


def test_found_in_a_photo():
    """Stains are shown as a mask to correct, and faded contrast comes back."""
    x, where = toned(), stain()
    x[..., where] = x.mean(1, keepdim=True).expand_as(x)[..., where] + 0.1
    photo = ((0.35 * x + 0.25) + 1) / 2
    out = gdp.restore(photo[0], task="oldphoto", steps=2)
    shown = torch.as_tensor(out.found["scratches"]).squeeze()
    assert (shown[where] == 1).all()
    assert out.report["operator"]["contrast_left"] == pytest.approx(0.35, abs=0.08)
    grey = torch.as_tensor(out.image).mean(0)[~shown.bool()]
    assert grey.std() > 2 * photo[0].mean(0)[~shown.bool()].std()
    found = old_photo(find=True).for_photo(x, 0.0)
    assert "mask=" in found.findings[0]
