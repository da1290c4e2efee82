"""What a measurement shows of its photo, and adapt= from Python."""

import numpy as np
import pytest
import torch

import gdp
from gdp.compose.configuration import build, compose
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.restore.first.adapting import adapting, seen_of
from operators.identity import Identity
from operators.missing.gray import Gray
from operators.missing.mask import Mask
from operators.size.avgpool import AvgPool
from tests.networks import small_unet
from tests.photos import astronaut


def test_noise_and_smaller_pictures_are_seen_as_they_are():
    x = astronaut(64)
    A = Identity().with_noise(0.2)
    assert torch.equal(seen_of(A, x, 1).picture, x) and seen_of(A, x, 1).noise == 0.2
    small = AvgPool(2)
    assert torch.equal(seen_of(small, small(x), 1).picture, small(x))


def test_around_a_hole_is_seen_and_of_scattered_pixels_the_half_size():
    x = astronaut(64)
    box = torch.ones(1, 1, 64, 64)
    box[..., 10:20, 10:20] = 0
    seen = seen_of(Mask(box), Mask(box)(x), 1)
    assert torch.equal(seen.where, box) and torch.equal(seen.picture * box, x * box)

    lost = (torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    seen = seen_of(Mask(lost), Mask(lost)(x), 1)
    assert seen.picture.shape[-2:] == (32, 32) and bool(seen.where.all())


def test_a_blurred_photo_is_seen_at_half_its_size():
    x = astronaut(64)
    blur = build(compose("task=deblur")).operator
    assert seen_of(blur, blur(x), 1).picture.shape[-2:] == (32, 32)


def test_what_shows_no_picture_is_refused():
    grey = Gray()
    with pytest.raises(ValueError, match="Gray shows no picture of it in colour; leave adapt= out"):
        seen_of(grey, grey(astronaut(32)), 3)


def test_no_steps_are_the_prior_as_it_is():
    with adapting(None, Identity(), astronaut(16), 0, 0) as seconds:
        assert seconds == 0


def test_learning_is_of_a_restorations_time():
    prior = Prior(small_unet(channel_mult=(1, 2)), betas(50))
    with adapting(prior, Identity(), astronaut(32), 1, 0) as seconds:
        assert seconds > 0


@pytest.mark.parametrize("sampler", ["auto", "ddnm", "dps", "gdp_linesearch", "reddiff"])
def test_every_kind_of_sampler_takes_the_prior_that_learnt(sampler):
    photo = ((astronaut(32)[0].permute(1, 2, 0).numpy() + 1) / 2).clip(0, 1)
    prior = Prior(small_unet(channel_mult=(1, 2)), betas(50))
    options = {"task": "inpaint_random", "degrade": True, "device": "cpu", "steps": 2}
    plain, learnt = (
        gdp.restore(photo, **options, sampler=sampler, prior=prior, adapt=steps).image
        for steps in (0, 2)
    )
    assert np.isfinite(learnt).all() and not (plain == learnt).all()


def test_from_python():
    photo = ((astronaut(32)[0].permute(1, 2, 0).numpy() + 1) / 2).clip(0, 1)
    options = {"task": "denoise", "sigma_y": 0.1, "degrade": True, "device": "cpu"}
    plain, one, again = (gdp.restore(photo, **options, adapt=steps).image for steps in (0, 2, 2))
    assert (one == again).all() and not (one == plain).all()
    assert not build(compose("task=denoise", "adapt=2")).shareable
    with pytest.raises(ValueError, match="adapt=-1"):
        gdp.restore(photo, **options, adapt=-1)
    with pytest.raises(ValueError, match="shows no picture of it in colour"):
        gdp.restore(photo, task="colorize", degrade=True, device="cpu", adapt=2)
