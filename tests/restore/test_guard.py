"""The guard: photos and good results pass, worms, checkerboards and other pictures do not."""

import torch

from gdp.picture import to_image, to_model
from gdp.prior.noise import Noise
from gdp.restore.guard import beyond, contrasts, cracked, held, interpolated, judge
from operators.blur.blind.blind_blur import BlindBlur
from operators.blur.kernels import gaussian
from operators.blur.known import blur
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.light import Light
from operators.size.avgpool import AvgPool
from operators.size.soft_down import SoftDown
from operators.size.spread import Spread
from tests.photos import astronaut
from tests.samplers.test_coloured_noise import problem

SIZE = 192


def checkerboard(strength):
    """Pixels that are dark and bright in turn, [1, 1, SIZE, SIZE]."""
    i = torch.arange(SIZE)
    return strength * (1 - 2.0 * ((i[:, None] + i) % 2))


def test_a_photo_is_its_own_result():
    y = astronaut(SIZE)
    assert judge(to_image(y), Identity().with_noise(0.01), y).passed
    assert judge(to_image(y), AvgPool(4).with_noise(0.01), AvgPool(4)(y)).passed


def test_the_truth_passes_and_the_noisy_photo_too():
    x = astronaut(SIZE)
    A = blur(gaussian(13, 1.5)).with_noise(0.02)
    y = A(x) + 0.02 * Noise([0]).like(x)
    assert judge(to_image(x), A, y).passed
    noisy = x + 0.2 * Noise([0]).like(x)
    assert judge(to_image(noisy), Identity().with_noise(0.2), noisy).passed


def test_another_picture_does_not():
    y = astronaut(SIZE)
    verdict = judge(to_image(y.flip(-1)), Identity().with_noise(0.02), y)
    assert not verdict.passed and "explained" in verdict.why


def test_patterns_that_the_blur_hides_do_not():
    x = astronaut(SIZE)
    A = blur(gaussian(13, 1.5)).with_noise(0.02)
    verdict = judge(to_image(x + checkerboard(0.3)), A, A(x))
    assert not verdict.passed and "patterns" in verdict.why


def test_detail_of_the_photo_s_own_may_stay():
    y = astronaut(SIZE) / 2 + checkerboard(0.4)
    assert judge(to_image(y), Identity().with_noise(0.02), y).passed


def test_the_more_rings_the_less_is_kept_of_what_a_found_kernel_gives():
    x, stripes = astronaut(SIZE), 0.12 * torch.cos(torch.pi / 6 * torch.arange(SIZE))
    y = blur(gaussian(13, 2.0))(x)
    found, known = BlindBlur().bind(y), blur(gaussian(13, 2.0)).with_noise(0.1)
    right, said = held(to_image(x), found, y)
    assert beyond(x, y) < 0.35 and not said
    torch.testing.assert_close(right, to_image(y + (1.5 - 2.5 * beyond(x, y)) * (x - y)))

    striped, said = held(to_image(y + stripes), found, y)
    kept = 1.5 - 2.5 * beyond(y + stripes, y)
    assert 0 < kept < 0.6 and f"{1 - kept:.0%} of the photo stays" in said
    torch.testing.assert_close(striped, to_image(y + kept * stripes))
    assert torch.equal(held(to_image(y + 20 * stripes), found, y)[0], to_image(y))

    # A blur that is known may hide them.
    assert torch.equal(held(to_image(y + stripes), known, y)[0], to_image(y + stripes))


def test_noise_that_the_dark_hid_may_show():
    p = to_image(astronaut(SIZE))
    y = to_model((0.03 * p + 0.006 * Noise([0]).like(p)).clamp(0, 1))
    A = Light(mask=False).with_noise(0.012).bind(y)
    shown = A.developed(y).clamp(0, 1)
    assert cracked(to_model(shown), y) > 0.1 and judge(shown, A, y).passed

    # But not what the dark did not hide.
    worse = (shown + checkerboard(0.3)).clamp(0, 1)
    assert not judge(worse, A, y).passed


def test_colours_that_no_noise_has_changed_are_y_s():
    """A phone's: much noise in all, next to none of it in the means of many pixels."""
    y, jpeg = astronaut(SIZE), JPEG(90)
    A = Compressed(Identity(), jpeg, jpeg.error(y), torch.full((3, 8, 8), 0.15))
    noisy = y + 0.15 * Noise([0]).like(y)
    assert judge(to_image(y), A, noisy).passed and judge(to_image(noisy), A, noisy).passed

    browner = to_image(y) - 0.1 * torch.tensor([1.0, 0.0, 0.0]).view(1, 3, 1, 1)
    verdict = judge(browner, A, noisy)
    assert not verdict.passed and "light or colours" in verdict.why


def test_blotches_may_be_taken_away():
    x, y, A = problem(SIZE)
    assert judge(to_image(x), A, y).passed and judge(to_image(y), A, y).passed
    assert not judge(to_image(x) - 0.3, A, y).passed


def test_a_photo_that_may_be_good_is_not_moved_far():
    y, A = astronaut(SIZE), Identity().with_noise(0.02)
    far, near = (to_image(y + std * Noise([0]).like(y)) for std in (0.1, 0.01))
    assert held(far, A, y)[0] is far

    A.moves = 0.03
    both, _ = held(torch.cat([far, near]), Compressed(A, JPEG(75), 0.01, torch.tensor(0.0)), y)
    moved = (to_model(both) - to_model(to_image(y))).square().mean((1, 2, 3)).sqrt()
    assert abs(float(moved[0]) - 0.03) < 1e-4 and torch.allclose(both[1:], near, atol=1e-6)


def test_contrasts_are_those_of_two_scales():
    fine, coarse = contrasts(checkerboard(0.3).expand(1, 3, SIZE, SIZE))
    assert fine.shape == coarse.shape == (1, 1, SIZE // 32, SIZE // 32)
    torch.testing.assert_close(fine, torch.full_like(fine, 0.3))
    assert coarse.max() < 1e-6


def stripes(period, strength):
    """Slanted stripes, as moiré has them, [1, 1, SIZE, SIZE]."""
    i = torch.arange(SIZE)
    return strength * torch.sin(2 * torch.pi * (i[:, None] + 2 * i) / 5**0.5 / period)


def test_moire_that_a_photo_has_may_stay_and_zebras_may_not_come():
    x, A = astronaut(SIZE), Identity().with_noise(0.3)
    striped = x + stripes(2.2, 0.25)
    assert judge(to_image(striped), A, striped).passed
    assert judge(to_image(x), A, striped).passed  # it may also go
    verdict = judge(to_image(striped), A, x)
    assert not verdict.passed and "patterns" in verdict.why


def test_rings_of_an_enlargement_go_back_to_interpolation():
    x = astronaut(SIZE)
    y = AvgPool(2)(x)
    soft = SoftDown(AvgPool(2), Spread(1.0)).with_noise(0.01)
    assert torch.equal(held(to_image(x), soft, y)[0], to_image(x))
    soft.may_ring = True
    assert torch.equal(held(to_image(x), soft, y)[0], to_image(x))

    rings = 0.6 * torch.cos(torch.arange(SIZE) / 2).expand(1, 3, SIZE, SIZE)
    kept, said = held(to_image(x + rings), soft, y)
    plain = interpolated(to_image(y), kept)
    assert "rings" in said and plain.shape == kept.shape
    assert (kept - plain).square().mean() < 0.3 * (to_image(x + rings) - plain).square().mean()
