"""A denoiser of white noise as a prior, and the mean of one and a prior.

    x0  = D(x_t / sqrt(a_t), sigma_t)          sigma_t = sqrt((1 - a_t) / a_t)
    eps = (x_t / sqrt(a_t) - x0) / sigma_t

What removes white noise of every std knows the score of photos at all of them (Miyasawa 1961;
Vincent, Neural Computation 2011), which is all that samplers ask for. D is trained up to some std;
where there is more, the picture is shrunk until there is not, which leaves what is visible in it.

    eps = w eps_D + (1 - w) eps_prior          w = share, to 0 where sigma_t is above `until`

Two networks err differently, so their mean errs less than either where both are good.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.denoisers import denoiser_of
from gdp.prior.exact import exact_float32
from gdp.prior.prior import Prior, reflect_to_multiple
from gdp.prior.schedule import betas
from gdp.prior.symmetry import check_symmetry, turn, turn_back
from gdp.prior.weights import load_prior, pick_device, pick_dtype, verify
from gdp.prior.weights.find import locate
from gdp.prior.weights.read import check_fit, read_weights

MOST = 75 / 255  # std in [0, 1] that FFDNet is trained up to; DRUNet 50 / 255
CONTRAST = 0.5  # std of photos, [-1, 1] units
FADE = 2.0  # from `until` to this times it, a mean becomes the prior alone

Denoiser = Callable[[Tensor, float], Tensor]


class DenoiserPrior(Prior):
    """A denoiser as a prior, with DDPM's times.

    Args:
        net: net(x [B, 3, H, W] in [0, 1], sigma) gives the clean picture; sides are divisible by
            `net.divisor` (1 if it has none).
        most: std in [0, 1] units up to which it is good.

    Raises:
        ValueError: `most` is not above 0.
    """

    def __init__(self, net: nn.Module, most: float = MOST):
        if not most > 0:
            raise ValueError(f"prior.most={most}; it is a std in [0, 1] units, above 0")
        super().__init__(net, betas())
        self.most = most
        self.register_buffer(
            "here", torch.zeros(0), persistent=False
        )  # of networks without weights

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        sigma, k = self.sigma(t), self.orientation(t)
        noisy = x / self.a(t) ** 0.5
        x0 = turn_back(self.denoise(turn(noisy, k), sigma), k)
        return (noisy - x0) / sigma, None

    def denoise(self, noisy: Tensor, sigma: float) -> Tensor:
        """x0 [B, 3, H, W] of a picture with white noise of std `sigma`, [-1, 1] units."""
        assert self.net is not None
        factor = 2 ** max(0, math.ceil(math.log2(sigma / 2 / self.most)))
        factor = min(factor, 2 ** int(math.log2(min(noisy.shape[-2:]))))
        H, W = noisy.shape[-2:]

        # The mean of factor^2 pixels has noise of sigma / factor.
        divisor = factor * int(getattr(self.net, "divisor", 1))
        z = reflect_to_multiple(noisy, divisor)
        small = F.avg_pool2d(z, factor) if factor > 1 else z
        self.pixels += len(z) * small.shape[-2] * small.shape[-1]

        # What cannot be shrunk further is all but noise: back to grey, as far as that says.
        left = sigma / factor
        if left / 2 > self.most:
            small = small * CONTRAST**2 / (CONTRAST**2 + left**2)

        # The network's own type and units.
        dtype = next((p.dtype for p in self.net.parameters()), torch.float32)
        level = min(left / 2, self.most)
        with exact_float32():
            clean = self.net(((small + 1) / 2).to(dtype), level).to(noisy.dtype)
        clean = 2 * clean - 1
        if factor > 1:
            clean = F.interpolate(clean, z.shape[-2:], mode="bicubic", align_corners=False)
        return clean[..., :H, :W]


class MixedPrior(Prior):
    """The mean of a denoiser and a prior.

    Args:
        prior: at all times.
        denoiser: where noise is little.
        share: of the denoiser there, 0 to 1.
        until: std in [0, 1] units up to which it counts in full.

    Raises:
        ValueError: share or until is out of its range, or the priors have other times.
    """

    def __init__(self, prior: Prior, denoiser: Prior, share: float = 0.3, until: float = 0.2):
        if not 0 <= share <= 1 or not until > 0:
            raise ValueError(
                f"prior.share={share}, prior.until={until}; the share is from 0 to 1, and "
                "`until` a std in [0, 1] units, above 0"
            )
        self.wrap(prior)
        if prior.T != denoiser.T or not torch.allclose(prior.alpha_bar, denoiser.alpha_bar):
            raise ValueError(
                "prior=mix needs a prior with DDPM's linear schedule of 1000 steps, as photo64 has"
            )
        self.prior, self.denoiser, self.share, self.until = prior, denoiser, share, until

    def weight(self, t: int) -> float:
        """The denoiser's share at time t."""
        beyond = math.log(max(self.sigma(t) / 2 / self.until, 1e-9)) / math.log(FADE)
        return self.share * (1 - min(max(beyond, 0.0), 1.0))

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        w, before = self.weight(t), self.prior.pixels + self.denoiser.pixels
        eps, v = self.prior.predict(x, t) if w < 1 else self.denoiser.predict(x, t)
        if 0 < w < 1:
            eps = w * self.denoiser.predict(x, t)[0] + (1 - w) * eps
        self.pixels += self.prior.pixels + self.denoiser.pixels - before
        return eps, v


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
    mixed.source = {f"denoiser_{k}": v for k, v in (own.source or {}).items()} | (
        mixed.source or {}
    )
    return mixed.eval().requires_grad_(False)
