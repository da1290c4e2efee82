"""What a prior is loaded from: files of weights, and the devices and types that run them."""

from gdp.prior.weights.device import choose_device, pick_device, pick_dtype
from gdp.prior.weights.find import at_hand, locate, verify
from gdp.prior.weights.load import load_prior, untrained
from gdp.prior.weights.read import check_fit, read_checkpoint, read_config, read_weights
from gdp.storage.places import BUNDLED

__all__ = [
    "BUNDLED",
    "at_hand",
    "check_fit",
    "choose_device",
    "load_prior",
    "locate",
    "pick_device",
    "pick_dtype",
    "read_checkpoint",
    "read_config",
    "read_weights",
    "untrained",
    "verify",
]
