"""Degradations in a row of which not all are linear: undone part by part, or counted as noise."""

import pytest
import torch
import torch.nn.functional as F

import gdp
from gdp.picture import to_image, to_model
from operators.blur import blur
from operators.blur.kernels import gaussian
from operators.coded.chain import chain
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.coded.quantise import Quantise
from operators.coded.rows.rounded import Rounded
from operators.coded.rows.undone import Undone
from operators.identity import NoiseHere
from operators.light.tone import Clip, Gamma
from operators.missing.gray import Gray
from operators.missing.mosaic import Mosaic
from operators.size.avgpool import AvgPool
from samplers.start import first_guess
from tests.photos import astronaut

AVG, SIGMA = {"avgpool": {"r": 2}}, 0.02
ROWS = [
    ["noise", "clip"],
    ["blur_gaussian", "clip"],
    [AVG, "clip"],
    ["clip", AVG],
    ["clip", "noise"],
    ["clip", "jpeg"],
    [AVG, "quantise"],
    ["quantise", AVG],
    ["quantise", "jpeg"],
    ["jpeg", "quantise"],
    ["jpeg", "jpeg"],
    ["noise", "jpeg"],
    ["jpeg", "noise"],
    ["jpeg", AVG],
]


def soft():
    return blur(gaussian(5, 1.0))


def photo(side=32):
    return F.avg_pool2d(astronaut(2 * side), 2)


def as_it_is(y):
    return y


def psnr(x, truth):
    return float(-10 * (to_image(x).clamp(0, 1) - to_image(truth)).square().mean().log10())


@pytest.mark.parametrize("ops", ROWS, ids=str)
def test_a_row_ends_above_its_input(ops, photo64):
    words = {"operator": "compose", "operator.ops": ops, "degrade": True, "device": "cpu"}
    noise = SIGMA if "noise" in ops else 0.0
    report = gdp.restore(to_image(photo(48))[0], prior=photo64, sigma_y=noise, **words).reports[0]
    assert report["scores"]["psnr"] > report["scores_of_input"]["psnr"]
    if "clip" in ops:  # by what is known of light, not by its scale alone
        assert report["scores"]["psnr"] > report["scores_of_input"]["psnr"] + 5


@pytest.mark.parametrize("ops", [["gray", "quantise"], ["jpeg", "gray"]], ids=str)
def test_what_is_grey_gains_where_colours_are_invented(ops, photo64):
    """As with grey alone: of the colours y tells nothing, and the grey is y's or better."""
    x = to_image(photo(48))
    words = {"operator": "compose", "operator.ops": ops, "degrade": True, "device": "cpu"}
    found = gdp.restore(x[0], prior=photo64, **words).pixels[0]
    A = chain([{"gray": Gray(), "quantise": Quantise(3), "jpeg": JPEG(10)}[op] for op in ops])
    before, after = (z.mean(1) - x.mean(1) for z in (to_image(A(to_model(x))), found))
    assert after.norm() < before.norm()


def test_dps_is_refused_in_a_row_with_what_it_is_refused_for():
    words = {"operator": "compose", "operator.ops": [AVG, "quantise"], "degrade": True}
    with pytest.raises(ValueError, match="DPS ends below the photo with AvgPool"):
        gdp.restore(to_image(photo(48))[0], sampler="dps", device="cpu", **words)


@pytest.mark.parametrize(
    "ops",
    [
        (AvgPool(2), Clip(2.0)),
        (Clip(2.0), AvgPool(2)),
        (Gamma(2.2), AvgPool(2)),
        (AvgPool(2), Gamma(2.2), Quantise(4)),
        (Mosaic(), Clip(2.0)),
    ],
    ids=lambda ops: "-".join(type(op).__name__ for op in ops),
)
def test_without_noise_what_is_nearest_gives_y(ops):
    A, x = chain(ops), photo()
    y, A = A.degrade(x, as_it_is)
    assert isinstance(A, Undone)
    A = A.for_photo(y, 0.0)
    v = x + 0.05 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    found = v
    for _ in range(10):
        found = A.project(found, y)
    assert (A(found) - y).abs().mean() < 0.3 * (A(v) - y).abs().mean() + 1e-6


def test_what_clipping_hid_is_left_as_it_is():
    A, x = chain([soft(), Clip(2.0)]), photo()
    y = A(x)
    bright = y >= 1
    assert bright.any() and not bright.all()

    # The truth agrees already, and stays but for what is white within half a level.
    assert torch.allclose(A.project(x, y), x, atol=0.02)
    assert torch.allclose(A.prox(x, y, 0.1), x, atol=0.02)


def test_a_first_guess_goes_through_the_parts():
    x = photo()
    for ops in ([AvgPool(2), Clip(2.0)], [Clip(2.0), AvgPool(2)], [soft(), Gamma(2.2)]):
        A = chain(ops)
        y = A(x)
        shown = F.interpolate(y, x.shape[-2:], mode="bicubic")
        assert psnr(first_guess(A, y), x) > psnr(shown, x) + 3


def test_noise_is_as_strong_as_what_follows_makes_it():
    x = torch.full((1, 3, 32, 32), -0.5)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    for ops, gain in (
        ([NoiseHere(), Clip(1.5)], 1.5),
        ([Clip(1.5), NoiseHere()], 1.0),
        ([Clip(1.5), NoiseHere(), AvgPool(2)], 0.5),
    ):
        y, A = chain(ops).degrade(x, lambda z: z + 0.01 * noise)
        assert A.noise_gain == pytest.approx(gain, rel=0.05)
        assert y.std() == pytest.approx(0.01 * gain, rel=0.05)


def test_rounding_is_noise_of_what_is_linear():
    x, r = photo(), 2 / 7 / 12**0.5
    A = chain([AvgPool(2), Quantise(3)])
    assert isinstance(A, Rounded)
    found = A.for_photo(A(x), 0.0)
    assert found.offers("spectral") and r <= found.sigma_y <= 3 * r

    # Before block means it is half as strong; twice the same is once.
    assert chain([Quantise(3), AvgPool(2)]).for_photo(A(x), 0.0).sigma_y == pytest.approx(
        r / 2, rel=0.05
    )
    once = chain([Quantise(3), NoiseHere()]).for_photo(x, 0.0).sigma_y
    assert chain([Quantise(3), Quantise(3)]).for_photo(x, 0.0).sigma_y == pytest.approx(once)
    assert chain([Quantise(3), Quantise(4)]).for_photo(x, 0.0).sigma_y > once


def test_bands_of_a_smooth_picture_hide_more():
    smooth, A = blur(gaussian(9, 3.0))(photo(48)), Quantise(3)
    assert A.banded(A(photo(48))) < A.banded(A(smooth)) <= 3


def test_two_codecs_with_the_same_tables_are_one():
    x = photo()
    two, other = chain([JPEG(10), JPEG(10)]), chain([JPEG(30), JPEG(10)])
    y = two(x)
    one = chain([NoiseHere(), JPEG(10)]).for_photo(y, 0.0)
    found = two.for_photo(y, 0.0)
    assert isinstance(found, Compressed) and found.sigma_y == pytest.approx(one.sigma_y)
    assert other.for_photo(y, 0.0).sigma_y > one.sigma_y


def test_a_jpeg_of_one_channel_is_refused():
    with pytest.raises(ValueError, match="JPEG after Gray, whose pictures have 1 channels"):
        chain([Gray(), JPEG(10)])
    assert isinstance(chain([JPEG(10), Gray()]), Rounded)


def test_what_cannot_be_undone_and_clips_is_refused(photo64):
    words = {"operator": "compose", "operator.ops": ["nonlinear_blur", "clip"], "degrade": True}
    with pytest.raises(ValueError, match=r"GDPLineSearch ends below .* Clip: .*; force="):
        gdp.restore(to_image(photo())[0], prior=photo64, **words)
    result = gdp.restore(to_image(photo())[0], prior=photo64, force=True, steps=2, **words)
    assert torch.as_tensor(result.pixels).isfinite().all()
