"""A prior from a file of weights: find it, verify it, build its network, read it, move it."""

from collections.abc import Mapping
from typing import Any

import torch

from gdp.network.convert import from_ddpm, is_ddpm
from gdp.network.unet import UNet
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.prior.symmetry import check_symmetry
from gdp.prior.weights.device import pick_device, pick_dtype
from gdp.prior.weights.find import locate, verify
from gdp.prior.weights.read import check_fit, read_config, read_weights


def load_prior(
    path: str,
    unet: Mapping[str, Any] | None = None,
    diffusion: Mapping[str, Any] | None = None,
    url: str | None = None,
    sha256: str | None = None,
    label: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    page: str | None = None,
    symmetry: str = "none",
) -> Prior:
    """Load a prior.

    Args:
        path: a file of weights, or the name of a bundled, cached or downloadable one.
        unet: UNet's arguments; left out, they are read from the config.yaml beside the weights.
        diffusion: arguments of gdp.prior.schedule.betas; left out, as `unet`.
        url: where to download the file from.
        sha256: what the file must have.
        label: the class that a class-conditional network draws.
        device: auto, cpu, cuda ...
        dtype: auto, float32, bfloat16 or float16: of the network (`pick_dtype`).
        page: where a person finds the file, if no program can fetch it.
        symmetry: none, mirror or square: the orientations in which the network is shown pictures,
            another at each time (gdp/prior/symmetry.py).

    Raises:
        FileNotFoundError: the file is not there; says how to get it.
        ValueError: it has another hash, holds no weights, or those of another network.
    """
    # Settings are checked before anything is fetched or read.
    check_symmetry(symmetry)
    prior = None if unet is None else untrained(path, unet, diffusion, label)

    file = locate(path, url, sha256, page)
    digest = verify(file, sha256)
    if prior is None:
        config = read_config(file)
        diffusion = diffusion or config.pop("diffusion", None)
        prior = untrained(path, config, diffusion, label)
    chosen_device = pick_device(device)

    weights = read_weights(file)
    if is_ddpm(weights):
        weights = from_ddpm(weights)
    assert prior.net is not None
    check_fit(file, weights, {name: w.shape for name, w in prior.net.state_dict().items()})
    prior.net.load_state_dict(weights, assign=True)

    # Cast first, so that a device is never given more than it needs.
    assert isinstance(prior.net, UNet)
    prior.net.compute_in(pick_dtype(dtype, chosen_device))
    prior.net.to(chosen_device).to(memory_format=torch.channels_last)
    prior.may_widen = dtype == "auto"
    prior.source, prior.symmetry = {"file": file.name, "sha256": digest}, symmetry
    return prior.eval().requires_grad_(False)


def untrained(
    name: str, unet: Mapping[str, Any], diffusion: Mapping[str, Any] | None, label: int | None
) -> Prior:
    """Build a prior without its weights, on the meta device.

    Args:
        name: of the prior, for messages.
        unet: UNet's arguments; None among them leaves one out.
        diffusion: arguments of gdp.prior.schedule.betas.
        label: the class that a class-conditional network draws.

    Raises:
        ValueError: there is no such network, schedule or class.
    """
    try:
        with torch.device("meta"):
            net = UNet(**{k: v for k, v in unet.items() if v is not None and k != "diffusion"})
    except TypeError as error:
        raise ValueError(
            f"the UNet of {name} cannot be built: {str(error).replace('UNet.__init__() ', '')}"
        ) from None

    return Prior(net, betas(**(diffusion or {})), label)
