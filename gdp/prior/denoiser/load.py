"""A denoiser as a prior, from a file of weights or a module of the user's own."""

from pathlib import Path
from typing import Any

from torch import nn

from gdp.network.denoisers import denoiser_of
from gdp.prior.denoiser.mixed import MixedPrior
from gdp.prior.denoiser.score import MOST, DenoiserPrior
from gdp.prior.symmetry import check_symmetry
from gdp.prior.weights import load_prior, pick_device, pick_dtype, verify
from gdp.prior.weights.find import locate
from gdp.prior.weights.read import check_fit, read_weights


def load_denoiser(
    path: str | None = None,
    module: nn.Module | None = None,
    most: float = MOST,
    sha256: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    symmetry: str = "none",
) -> DenoiserPrior:
    """Load a denoiser as a prior.

    Args:
        path: a file of FFDNet's or DRUNet's weights for colour, read as plain tensors.
        module: in its place a network of your own: module(x [B, 3, H, W] in [0, 1], sigma), which
            brings its weights.
        most: std in [0, 1] units that it was trained up to.
        sha256: what the file must have.
        device, dtype, symmetry: as of gdp.prior.weights.load_prior.

    Raises:
        FileNotFoundError: the file is not there.
        ValueError: neither or both are given, or the file holds another network.
    """
    check_symmetry(symmetry)
    if (path is None) == (module is None):
        raise ValueError(
            "prior=denoiser takes prior.path=FILE, weights of FFDNet or DRUNet, or a network of "
            "your own by +prior.module._target_=file.Class"
        )

    source = None
    if module is None:
        file = locate(str(path), None, sha256)
        source = {"file": file.name, "sha256": verify(file, sha256)}
        module = from_file(file)
    where = pick_device(device)
    prior = DenoiserPrior(module.to(pick_dtype(dtype, where)), most).to(where)
    prior.source, prior.symmetry = source, symmetry
    prior.may_widen = dtype == "auto"
    return prior.eval().requires_grad_(False)


def from_file(file: Path) -> nn.Module:
    """FFDNet or DRUNet with the weights of a file.

    Raises:
        ValueError: they are of neither, or not of colour pictures.
    """
    weights = read_weights(file)
    net = denoiser_of(weights)
    if net is None or net.channels != 3:
        what = "another network" if net is None else f"a network of {net.channels} channels"
        raise ValueError(
            f"{file} holds {what}; prior=denoiser reads FFDNet and DRUNet for colour, and others "
            "by +prior.module._target_=file.Class"
        )
    check_fit(file, weights, {name: w.shape for name, w in net.state_dict().items()})
    net.load_state_dict(weights, assign=True)
    return net


def load_mixed(
    path: str | None = None,
    module: nn.Module | None = None,
    prior: str = "photo64.safetensors",
    share: float = 0.3,
    until: float = 0.2,
    most: float = MOST,
    sha256: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    symmetry: str = "none",
    **of_prior: Any,
) -> MixedPrior:
    """Load a prior and a denoiser, whose mean is taken where noise is little.

    Args:
        path, module, most, sha256: of the denoiser, as of `load_denoiser`.
        prior: the prior's file of weights, with a config.yaml beside it.
        share, until: as of `MixedPrior`.
        device, dtype, symmetry: of both.
        **of_prior: more arguments of gdp.prior.weights.load_prior.
    """
    own = load_denoiser(path, module, most, sha256, device, dtype, symmetry)
    of_prior |= {"device": device, "dtype": dtype, "symmetry": symmetry}
    mixed = MixedPrior(load_prior(prior, **of_prior), own, share, until)

    of_denoiser = {f"denoiser_{key}": value for key, value in (own.source or {}).items()}
    mixed.source = of_denoiser | (mixed.source or {})
    return mixed.eval().requires_grad_(False)
