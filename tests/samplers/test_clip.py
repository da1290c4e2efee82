"""x0 within [-1, 1]: what y leaves open cannot run away."""

import pytest
import torch

from gdp.compose.configuration import compose
from gdp.prior.gaussian import GaussianPrior
from operators.missing.gray import Gray
from samplers.ddnm import DDNM
from samplers.ddrm import DDRM
from samplers.dds import DDS
from samplers.diffpir import DiffPIR
from samplers.pigdm import PiGDM
from tests.conftest import sampler_of

CLIPPED = {"ddnm": DDNM, "ddrm": DDRM, "dds": DDS, "diffpir": DiffPIR, "pigdm": PiGDM}


@pytest.mark.parametrize("name", CLIPPED)
def test_the_prior_s_pictures_stay_within_what_a_picture_can_be(name):
    """A prior of colours that no picture has: as it is they come out, clipped they do not."""
    prior, A = GaussianPrior(0.0, 2.0), Gray()
    y = A(torch.zeros(1, 3, 16, 16))
    wild, kept = (
        CLIPPED[name](clip=clip, schedule=sampler_of(name).schedule)(prior, A, y).x
        for clip in (False, True)
    )
    assert wild.abs().max() > 3 and kept.abs().max() < 2 and not prior.clips
    if CLIPPED[name].consistent:
        assert (A(kept) - y).square().mean() < 0.01**2


def test_runs_clip_and_papers_do_not():
    assert all(compose(f"sampler={name}").sampler.clip for name in CLIPPED)
    assert not compose("paper=ddnm_colorize", "input=x.png").sampler.clip
