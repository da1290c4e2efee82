"""The weights of a small network."""

import pytest

from gdp.network.unet import UNet
from tests.prior.weights.networks import ARGUMENTS


@pytest.fixture(scope="package")
def weights():
    return UNet(**ARGUMENTS).state_dict()
