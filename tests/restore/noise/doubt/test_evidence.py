"""What may lack light keeps what is fine in it, unless that is noise as surely as can be."""

from dataclasses import replace

import pytest
import torch

from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.doubt.evidence import (
    DIM_SURE,
    HIDES_NONE,
    LIES_EVENLY,
    dark_share,
    grain_taken,
    low_taken,
)
from gdp.restore.noise.model import OPPONENT
from operators.auto import FromPhoto
from operators.identity import Identity
from tests.photos import astronaut


def noise(std, sure):
    spectrum = torch.full((3, 32, 32), std)
    return replace(NoiseModel(spectrum, torch.ones(17), OPPONENT), sure=sure)


def found(light):
    """What `auto` finds in a noisy photo in so much light; a lamp is in it."""
    photo = (light * (astronaut(96) + 1) - 1).clamp(-1, 1)
    photo[..., :24, :24] = 1
    return FromPhoto().for_photo(photo, 0.026)


def test_a_photo_that_stays_dark_keeps_what_may_be_texture():
    A = found(0.25)
    assert isinstance(A, Identity) and A.dim and A.bind(torch.zeros(1, 3, 8, 8)).dim
    sures = (0.9 * DIM_SURE[0], sum(DIM_SURE) / 2, DIM_SURE[1])
    shares = [dark_share(A, noise(0.013, sure)) for sure in sures]
    assert shares == pytest.approx([0.0, 0.5, 1.0], abs=1e-6)

    # Of a bright photo nothing is said, nor of little noise.
    assert dark_share(A, noise(0.9 * HIDES_NONE, 0.0)) == 1
    assert dark_share(found(1.0), noise(0.013, 0.0)) == 1


def test_low_frequencies_tell_of_a_jpeg_where_its_noise_lies_evenly():
    """No codec touches them, and of texture less is taken there."""
    claimed = torch.full((3, 96, 96), 0.02)
    gone = 0.02 * Noise([0]).like(claimed[None])[0]
    unsure, sure = (noise(0.01, sure) for sure in LIES_EVENLY)
    assert low_taken(gone, sure, claimed) == 1
    assert low_taken(gone, unsure, claimed) == 0
    assert low_taken(0.5 * gone, sure, claimed) == 0

    # Where the codec took the colours, all of grey has to be gone.
    grey = gone * torch.tensor([1.0, 0, 0]).view(3, 1, 1)
    assert low_taken(0.8 * grey, sure, claimed) == 0
    assert low_taken(1.2 * grey, sure, claimed) == 1


def test_of_grain_in_a_jpeg_all_goes_at_the_finest_and_some_at_low_frequencies():
    claimed = torch.full((3, 96, 96), 0.06)
    gone = 0.06 * Noise([0]).like(claimed[None])[0]
    assert grain_taken(gone, noise(0.03, 1.0), claimed) == 1
    assert grain_taken(0.75 * gone, noise(0.03, 1.0), claimed) == 0
    assert grain_taken(gone, noise(0.015, 1.0), claimed) == 0  # texture is as loud
