"""Scores by a formula alone, against published values and by hand."""

import numpy as np
import pytest
import torch

import gdp
from gdp.picture import to_image
from gdp.restore.scores import formulas
from gdp.restore.scores.choice import SCORES, Choice
from gdp.restore.scores.metrics import Subject, score, scores
from tests.photos import astronaut


def flat(*rgb, side=8):
    """A picture of one colour."""
    return torch.tensor(rgb).float().view(1, 3, 1, 1).expand(1, 3, side, side).clone()


def test_luma_is_bt_601():
    """16 to 235 of 255, and MATLAB's rgb2ycbcr of pure colours: 81.481, 144.553, 40.966."""
    values = [255 * float(formulas.luma(flat(*c))[0, 0, 0, 0]) for c in np.eye(3)]
    assert values == pytest.approx([81.481, 144.553, 40.966], abs=1e-3)
    assert 255 * float(formulas.luma(flat(1, 1, 1)).mean()) == pytest.approx(235, abs=1e-3)


def test_psnr_of_luma_of_a_known_error():
    """A grey error of e is 219/255 of it in luma."""
    a, b = flat(100 / 255, 100 / 255, 100 / 255), flat(110 / 255, 110 / 255, 110 / 255)
    found = scores(a, b, Choice(names=["psnr", "psnr_y"]))
    assert found["psnr"] == pytest.approx(20 * np.log10(25.5), abs=1e-3)
    assert found["psnr_y"] == pytest.approx(20 * np.log10(25.5 * 255 / 219), abs=1e-3)


def test_borders_are_left_out():
    a, b = flat(0.4, 0.4, 0.4, side=32), flat(0.4, 0.4, 0.4, side=32)
    b[..., :4, :] += 0.2
    found = scores(a, b, Choice(names=["psnr", "psnr_y"], border=4))
    assert found["psnr_crop"] > 60 > found["psnr"] and found["psnr_y_crop"] > 60 > found["psnr_y"]
    tiny = scores(a, b, Choice(names=["psnr"], border=16))
    assert tiny["psnr_crop"] is None and "leaves nothing" in tiny["psnr_crop_why_not"]
    assert "psnr_crop" not in scores(a, b)


def test_ciede2000_is_cie_s():
    """sRGB black and white are 100 apart; a grey pair by its published formula."""
    pytest.importorskip("skimage")
    assert formulas.ciede2000(flat(0, 0, 0), flat(1, 1, 1)) == pytest.approx(100, abs=0.01)
    assert formulas.ciede2000(flat(0.2, 0.4, 0.6), flat(0.2, 0.4, 0.6)) == 0

    # Of greys of lightness L it is dL / (1 + 0.015 (L - 50)^2 / sqrt(20 + (L - 50)^2)), L the mean.
    from skimage.color import rgb2lab

    light = [float(rgb2lab(np.full((1, 1, 3), v))[0, 0, 0]) for v in (0.3, 0.5)]
    middle = (np.mean(light) - 50) ** 2
    expected = (light[1] - light[0]) / (1 + 0.015 * middle / np.sqrt(20 + middle))
    found = formulas.ciede2000(flat(0.3, 0.3, 0.3), flat(0.5, 0.5, 0.5))
    assert found == pytest.approx(expected, abs=1e-3)


def test_order_of_light():
    """What only brightens keeps the order; a reversal changes it for every pair but those alike."""
    photo = to_image(astronaut(64))
    assert formulas.order_error(photo.sqrt(), photo) < 10  # but for means of pixels
    assert formulas.order_error(0.5 * photo, photo) == 0
    ramp = torch.linspace(0, 1, 50).view(1, 1, 1, 50).expand(1, 3, 50, 50).contiguous()
    assert formulas.order_error(1 - ramp, ramp) == pytest.approx(2500 - 50)
    assert formulas.order_error(ramp, torch.zeros_like(ramp)) == pytest.approx((2500 - 50) / 2)


def test_consistency_in_the_papers_units():
    misfit = torch.full((1, 3, 4, 4), -2 / 255)
    assert formulas.misfit_l1(misfit) == pytest.approx(48 * 2 / 255)
    assert formulas.misfit_mse(misfit) == pytest.approx(4)


def test_scores_need_what_they_compare_with():
    picture = flat(0.5, 0.5, 0.5, side=64)
    assert score(Subject(picture), Choice()) == {}
    assert score(Subject(picture, photo=picture), Choice(names=["psnr", "loe"])) == {"loe": 0.0}


def test_unknown_scores_are_refused():
    with pytest.raises(ValueError, match="no score named 'lpip'; did you mean lpips"):
        Choice(names=["lpip"])
    with pytest.raises(ValueError, match=r"it is a list: \[psnr\]"):
        Choice(names="psnr")
    with pytest.raises(ValueError, match=r"scores\.border=-1"):
        Choice(border=-1)
    with pytest.raises(ValueError, match="no score named 'psrn'"):
        gdp.restore(flat(0.5, 0.5, 0.5), **{"scores.names": ["psrn"]})


def test_a_dark_photo_without_truth_has_its_order_of_light():
    photo = (0.2 * to_image(astronaut(48)))[0]
    report = gdp.restore(photo, task="lowlight", scores="light", steps=1).report
    assert set(report["scores"]) == {"loe"} and report["scores_of_input"] is None
    assert set(SCORES) >= {"loe", "ciede2000"}
