"""The truth of a photo that is degraded already."""

import numpy as np
import pytest
import torch
from PIL import Image

import gdp
from gdp.picture import to_image
from gdp.restore.scores import truth
from gdp.restore.scores.metrics import psnr
from tests.photos import astronaut
from tests.test_cli import cli  # noqa: F401 (a fixture)


@pytest.fixture(scope="module")
def pair():
    """A noisy photo and its truth, [3, 48, 48] in [0, 1]."""
    clean = to_image(astronaut(48))[0]
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    return (clean + 0.1 * noise).clamp(0, 1), clean


def test_result_and_photo_are_scored(pair):
    noisy, clean = pair
    result = gdp.restore(noisy, task="denoise", sigma_y=0.1, reference=clean)
    report = result.report
    assert report["scores"]["psnr"] > report["scores_of_input"]["psnr"] + 3
    before = float(psnr(noisy[None], clean[None]))
    assert report["scores_of_input"]["psnr"] == pytest.approx(before, abs=0.1)
    assert report["scores"]["psnr_gain_matched"] >= report["scores"]["psnr"] - 0.05


def test_a_smaller_photo_is_scored_as_viewers_enlarge_it(pair):
    small = torch.nn.functional.avg_pool2d(pair[1], 2)
    report = gdp.restore(small, task="sr4", reference=pair[1], **{"operator.r": 2}).report
    assert 15 < report["scores_of_input"]["psnr"] < 40


def test_the_truth_must_fit(pair):
    noisy, clean = pair
    with pytest.raises(ValueError, match="reference= is a 40x48 picture, but the result is 48x48"):
        gdp.restore(noisy, task="denoise", reference=clean[..., :40])
    with pytest.raises(ValueError, match="the photo is the truth itself"):
        gdp.restore(noisy, task="denoise", reference=clean, degrade=True)


def test_gain_is_what_exposure_alone_explains():
    clean = to_image(astronaut(48))
    assert truth.gain(0.4 * clean, clean) == pytest.approx(2.5)
    scores, _ = truth.scores("photo", 0.4 * clean, None, clean)
    assert scores["psnr_gain_matched"] > scores["psnr"] + 10


def test_a_shifted_truth_is_found(caplog):
    picture = to_image(astronaut(96))
    assert truth.shift(picture, picture) == (0, 0)
    assert truth.shift(picture, picture.roll((2, -3), (-2, -1))) == (-3, 2)
    noise = torch.rand(2, 1, 3, 96, 96, generator=torch.Generator().manual_seed(0))
    assert truth.shift(noise[0], noise[1]) == (0, 0)
    truth.scores("photo", picture, None, picture.roll(4, -1))
    assert "shifted by 4 pixels to the right and 0 down" in caplog.text


def test_a_folder_of_truths(
    cli,  # noqa: F811
    tmp_path,
    pair,
):
    """Namesakes; the tables have the photo's own scores and a row of means."""
    for kind, pixels in zip(("noisy", "clean"), pair, strict=True):
        (tmp_path / kind).mkdir()
        for name in ("a.png", "b.png"):
            array = (255 * pixels.permute(1, 2, 0).numpy()).round().astype(np.uint8)
            Image.fromarray(array).save(tmp_path / kind / name)

    code, _, _ = cli("input=noisy", "reference=clean", "output=o", "task=denoise")
    assert code == 0
    lines = (tmp_path / "o" / "summary.csv").read_text().splitlines()
    names = lines[0].split(",")
    assert {"psnr", "psnr_gain_matched", "input_psnr", "input_haarpsi"} <= set(names)
    assert [line.split(",")[0] for line in lines[1:]] == ["a", "b", "mean"]
    assert "input_psnr" in (tmp_path / "o" / "index.html").read_text()
