"""Light, exposures, colour casts, haze: what is found of them."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from gdp.picture import to_image, to_model, write
from gdp.picture.scene import read_scene, shift
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.schedule import Schedule
from operators.light.dehaze import Dehaze
from operators.light.exposure import exposed
from operators.light.light import Light, Stacked
from operators.light.white_balance import WhiteBalance, cast
from samplers.anchored import Anchored


def photo(name="astronaut", size=96):
    """A public-domain photo [1, 3, size, size] in [0, 1]."""
    pixels = torch.from_numpy(getattr(data, name)()).float().permute(2, 0, 1)[None] / 255
    return F.interpolate(pixels, (size, size), mode="area")


def smooth_map(size, seed=0):
    """A smooth random map [1, 1, size, size] in [0, 1]."""
    z = torch.rand(1, 1, 4, 4, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(z, (size, size), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("f", [0.05, 0.1, 0.3])
@pytest.mark.parametrize("per_channel", [False, True])
def test_fit_given_the_truth(f, per_channel):
    x, M = photo(), 0.3 * f * smooth_map(96)
    y = to_model(f * x + M)
    A = Light(per_channel=per_channel).bind(y)
    A.fit(to_model(x), y, 0.0)
    assert (A.f / f - 1).abs().max() < 0.02
    assert torch.corrcoef(torch.stack([A.map(x)[0, 0].flatten(), M.flatten()]))[0, 1] > 0.9


@pytest.mark.parametrize("f", [0.05, 0.1, 0.3])
def test_factor_of_dark_photos(f):
    errors = []
    for name in ("astronaut", "chelsea", "coffee"):
        factors, white = exposed(f * photo(name) + 0.015 * torch.randn(1, 3, 96, 96), 1, 0.015)
        errors.append(abs(float(factors) / f - 1))
        assert white >= 1
    assert sorted(errors)[1] < 0.1 and max(errors) < 0.3


def test_factor_knows_no_size():
    for noise in (0, 0.015):
        dark = [0.1 * photo(size=n) for n in (256, 384, 512)]
        found = [float(exposed(y + noise * torch.randn_like(y), 1, noise).factors) for y in dark]
        assert max(found) / min(found) < 1.02


def test_a_good_photo_is_left_alone():
    for name in ("astronaut", "chelsea", "coffee"):
        factors, white = exposed(photo(name), 1)
        assert 0.8 < float(factors) < 1.1 and float(white) < 1.2


def test_tangent_of_curve_and_gamma():
    A = Light(gamma=2.2).bind(to_model(0.2 * photo() ** 2.2))
    A.white = torch.full((1, 1, 1, 1), 3.0)
    A.point = photo("coffee")
    nudge = 1e-3 * torch.randn(1, 3, 96, 96)
    x = to_model(A.point)
    moved = A(x + nudge) - A(x)
    torch.testing.assert_close(A.linear()(nudge), moved, rtol=0.05, atol=2e-5)
    torch.testing.assert_close(A.linear()(x) + A.offset(A(x)), A(x), rtol=1e-4, atol=1e-4)


def test_burnt_out_pixels_only_bound():
    x = photo()
    y = to_model((2 * x).clamp(max=1))
    A = Light(mask=False).bind(y)
    lost = (2 * x).amax(1, keepdim=True) >= 1
    assert lost.any()
    A.point = torch.ones_like(x)
    assert not (A.linear_part().weights[(2 * x >= 1)]).any()
    A.point = torch.zeros_like(x)
    assert A.linear_part().weights.all()


def test_stacked_is_least_squares():
    w = torch.rand(1, 6, 8, 8)
    A, x = Stacked(w, 2), torch.randn(1, 3, 8, 8)
    torch.testing.assert_close(A.pinv(A(x)), x, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(A.spectral(x, lambda s: s**2), A.adjoint(A(x)))
    y = torch.randn(1, 6, 8, 8)
    assert torch.allclose((A(x) * y).sum(), (x * A.adjoint(y)).sum(), rtol=1e-4)


@pytest.mark.parametrize("level, word", [(0.0, "black"), (1.0, "white")])
def test_nothing_to_see(level, word):
    with pytest.raises(ValueError, match=word):
        Light().bind(to_model(torch.full((1, 3, 16, 16), level)))


def test_exposures_of_a_scene():
    x = photo()
    true = torch.tensor([1.6, 0.5, 0.2])
    y = torch.cat([(f * x).clamp(max=1) for f in true], 1)
    factors, _ = exposed(y, 3)
    ratios = factors[0] / factors[0, 1] * true[1] / true
    assert (ratios - 1).abs().max() < 0.02
    A = Light(mask=False).bind(to_model(y))
    gain = (A.point * x).sum() / (A.point * A.point).sum()
    assert (gain * A.point - x).abs().mean() < 0.02
    assert A.radiance(to_model(A.point)).shape == x.shape and A(to_model(x)).shape == y.shape


@settings(max_examples=15, deadline=None)
@given(h=st.integers(1, 40), w=st.integers(1, 40), K=st.integers(1, 3))
def test_any_size(h, w, K):
    y = to_model(
        torch.rand(2, 3 * K, h, w, generator=torch.Generator().manual_seed(h * w)) * 0.5 + 0.01
    )
    sampler = Anchored(schedule=Schedule(3, start="auto", spacing="squared", end="auto"))
    A = Light(factors=[1.0] * K)
    A.sigma_y = 0.02
    x, bound = sampler(GaussianPrior(), A, y, [0, 1])
    assert (
        x.shape == (2, 3, h, w)
        and x.isfinite().all()
        and (bound.f > 0).all()
        and bound.pictures(y).keys() == set(bound.pictured)
    )


def test_parameters_do_not_leak():
    A, sampler = (
        Light(),
        Anchored(schedule=Schedule(4, start="auto", spacing="squared", end="auto")),
    )
    A.sigma_y = 0.02
    before = {k: v.clone() for k, v in A.state_dict().items()}
    one = sampler(GaussianPrior(), A, to_model(0.1 * photo()), [0])
    sampler(GaussianPrior(), A, to_model(0.3 * photo("coffee")), [0])
    again = sampler(GaussianPrior(), A, to_model(0.1 * photo()), [0])
    assert torch.equal(one.x, again.x) and torch.equal(one.operator.f, again.operator.f)
    assert all(torch.equal(v, before[k]) for k, v in A.state_dict().items())
    both = sampler(
        GaussianPrior(), A, to_model(torch.cat([0.1 * photo(), 0.3 * photo("coffee")])), [0, 1]
    )
    torch.testing.assert_close(both.x[:1], one.x, atol=2e-3, rtol=0)


def angle(g):
    """Degrees between a light and grey."""
    return float(torch.rad2deg(torch.acos(F.cosine_similarity(g, torch.ones(3), dim=0))))


@pytest.mark.parametrize("name", ["astronaut", "coffee", "rocket", "chelsea"])
def test_a_cast_is_halved(name):
    x = photo(name)
    own = angle(cast(x))
    for g in ([1.0, 0.8, 0.55], [0.6, 0.85, 1.0]):
        g = torch.tensor(g)
        left = g / cast(x * g.view(1, 3, 1, 1))
        assert angle(left) < max(0.5 * angle(g), own + 2)


def test_white_balance_reports_and_restores():
    x = photo("coffee")
    y = to_model(x * torch.tensor([1.0, 0.8, 0.6]).view(1, 3, 1, 1))
    A = WhiteBalance().bind(y)
    restored = to_image(A.linear().pinv(y - A.offset(y)))
    assert len(A.describe(y)["gains"]) == 3 and angle(cast(restored)) < angle(cast(to_image(y)))


def test_haze_is_found_and_a_clear_photo_left_alone():
    x = photo("astronaut", 128)
    t = torch.linspace(0.35, 0.8, 128).view(1, 1, 128, 1)
    y = to_model(t * x + (1 - t) * 0.85)
    A = Dehaze().bind(y)
    restored = to_image(A.linear().pinv(y - A.offset(y)))
    assert (restored - x).square().mean() < 0.3 * (to_image(y) - x).square().mean()
    assert A.pictures(y)["transmission"].shape == (1, 1, 128, 128)
    clear = Dehaze().bind(to_model(photo("chelsea", 128)))
    assert clear.transmission.min() > 0.8


@pytest.fixture
def exposures(tmp_path):
    """Two files of one scene."""
    x = photo()
    for name, f in (("long", 1.5), ("short", 0.4)):
        write((f * x).clamp(max=1), tmp_path / f"{name}.png")
    return [tmp_path / "long.png", tmp_path / "short.png"]


def test_scene(exposures, tmp_path):
    scene = read_scene(exposures)
    assert scene.pixels.shape == (1, 6, 96, 96)
    with pytest.raises(ValueError, match="2 to 7"):
        read_scene(exposures[:1])
    write(photo(size=90), tmp_path / "small.png")
    with pytest.raises(ValueError, match="different sizes"):
        read_scene([*exposures, tmp_path / "small.png"])
    with Image.open(exposures[1]) as picture:
        Image.fromarray(np.roll(np.asarray(picture), (5, -9), (0, 1))).save(tmp_path / "moved.png")
    with pytest.raises(ValueError, match="-9 pixels to the right and 5 down"):
        read_scene([exposures[0], tmp_path / "moved.png"])


def test_shift_of_unlike_pictures_is_not_believed():
    assert shift(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 64, 64)) == (0, 0)
    assert shift(torch.rand(1, 3, 2, 2), torch.rand(1, 3, 2, 2)) == (0, 0)
