"""Samples of a prior, and the sheet that shows them."""

import numpy as np
import pytest
import torch

from gdp.prior.gaussian import GaussianPrior
from gdp.train.samples import sample, sheet


def test_sheet_is_a_grid():
    images = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 3, 64, 80)
    pixels = np.asarray(sheet(images))
    assert pixels.shape == (64 + 2 + 64, 80 + 2 + 80 + 2 + 80, 3)
    assert pixels[0, ::82, 0].tolist() + pixels[66, ::82, 0].tolist() == [0, 51, 102, 153, 204, 255]
    assert (pixels[64:66] == 128).all() and (pixels[:, 80:82] == 128).all()


def test_tiny_images_are_enlarged_on_the_sheet():
    image = torch.rand(1, 3, 8, 8) * 2 - 1
    pixels = np.asarray(sheet(image))
    assert pixels.shape == (64, 64, 3)
    assert np.array_equal(pixels, pixels[::8, ::8].repeat(8, 0).repeat(8, 1))


def test_samples_are_the_priors_and_do_not_depend_on_their_number():
    prior = GaussianPrior(0.5, 0.1)
    prior.here = torch.nn.Parameter(torch.zeros(()))
    two, five = (sample(prior, number, 8, eta=0.5) for number in (2, 5))
    torch.testing.assert_close(two, five[:2])
    assert five.mean() == pytest.approx(0.5, abs=0.05) and 0.05 < five.std() < 0.2
