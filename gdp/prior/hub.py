"""Priors in diffusers' form: UNet2DModel with the settings of its scheduler.

    epsilon:       eps = out
    v_prediction:  eps = sqrt(1 - a) x_t + sqrt(a) out           (Salimans & Ho, ICLR 2022)
    sample:        eps = (x_t - sqrt(a) out) / sqrt(1 - a)

A grey network (one channel) becomes a prior of grey pictures in colour. Their three channels hold
one x0 under three draws of noise, so all that x_t tells of it is their mean,

    m = x0 + sigma_t / sqrt(3) n, the mean of x_t / sqrt(a_t) over channels,

which is what the network knows at an earlier time:

    u   = the time with sigma_u = sigma_t / sqrt(3)
    x0  = x0_net(sqrt(a_u) m, u)
    eps = (x_t - sqrt(a_t) x0) / sqrt(1 - a_t)
"""

import math
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from gdp.prior.prior import Prior
from gdp.prior.symmetry import check_symmetry
from gdp.prior.weights.device import pick_device, pick_dtype
from gdp.prior.weights.diffusers_folder import (
    WEIGHTS,
    check_scheduler,
    check_unet,
    download,
    load_unet,
    read_settings,
    scheduler_betas,
)
from gdp.prior.weights.find import verify
from gdp.storage.places import expand


class HubPrior(Prior):
    """A prior whose network predicts eps, v or x0, of pictures in colour or grey.

    Args:
        net: as of Prior.
        betas: [T], beta_1..beta_T.
        label: the class that a class-conditional network draws.
        kind: what the network predicts: epsilon, v_prediction or sample, which is x0.
        channels: of the network's pictures: 3, or 1.
    """

    def __init__(
        self,
        net: nn.Module,
        betas: Tensor,
        label: int | None = None,
        kind: str = "epsilon",
        channels: int = 3,
    ):
        super().__init__(net, betas, label)
        self.kind, self.channels = kind, channels
        self.sigmas = (1 / self.alpha_bar[1:] - 1).sqrt()

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        a = self.a(t)
        if self.channels == x.shape[1]:
            out, v = super().predict(x, t)
            return self.eps(out, x, a), v

        # The time at which the noise is as weak as that of the mean of channels
        sigma = self.sigma(t) / x.shape[1] ** 0.5
        u = 1 + int((self.sigmas.log() - math.log(sigma)).abs().argmin())
        b = self.a(u)

        mean = (b / a) ** 0.5 * x.mean(1, keepdim=True)
        out, _ = super().predict(mean, u)
        x0 = (mean - (1 - b) ** 0.5 * self.eps(out, mean, b)) / b**0.5
        return (x - a**0.5 * x0) / (1 - a) ** 0.5, None

    def eps(self, out: Tensor, x: Tensor, a: float) -> Tensor:
        """The noise in x, from the network's output, at alpha_bar = a."""
        signal, noise = math.sqrt(a), math.sqrt(1 - a)
        if self.kind == "v_prediction":
            return noise * x + signal * out
        return (x - signal * out) / noise if self.kind == "sample" else out


class Network(nn.Module):
    """diffusers' UNet2DModel as Prior calls its network.

    A learned variance is handed on where it is a fraction (learned_range).

    Args:
        unet: the UNet2DModel.
        scheduler: the settings of its scheduler.
    """

    def __init__(self, unet: Any, scheduler: Mapping[str, Any]):
        super().__init__()
        self.unet, config = unet, unet.config
        size = config.sample_size or 0
        self.image_size = int(max(size) if isinstance(size, list | tuple) else size)
        self.divisor = 2 ** (len(config.block_out_channels) - 1)
        self.model_channels = int(config.block_out_channels[0])
        self.num_classes = None if config.num_class_embeds is None else int(config.num_class_embeds)

        self.in_channels = int(config.in_channels)
        fraction = scheduler.get("variance_type") == "learned_range"
        self.out_channels = int(config.out_channels) if fraction else self.in_channels

        # Of no consequence where no gradient is asked for
        if getattr(unet, "_supports_gradient_checkpointing", False):
            unet.enable_gradient_checkpointing()

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        """The network's output at x_t.

        Args:
            x: [B, C, H, W].
            timesteps: [B], the network's own indices 0..T-1.
            labels: [B], classes.
        """
        out: Tensor = self.unet(
            x.to(self.unet.dtype), timesteps, class_labels=labels, return_dict=False
        )[0]
        return out[:, : self.out_channels]


def load_hub_prior(
    repo: str,
    revision: str | None = None,
    sha256: str | None = None,
    label: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    symmetry: str = "none",
) -> HubPrior:
    """Load a prior in diffusers' form; only safetensors are read.

    Args:
        repo: a folder saved by diffusers, or NAME/MODEL on the Hugging Face hub, which is
            downloaded, and stays in its cache.
        revision: a branch, tag or commit on the hub.
        sha256: what the file of weights must have.
        label: the class that a class-conditional network draws.
        device, dtype, symmetry: as of gdp.prior.weights.load_prior.

    Raises:
        FileNotFoundError: the model is not there; says how to get it.
        ValueError: it is no unconditional DDPM, has another hash or other classes, or diffusers is
            not installed.
    """
    check_symmetry(symmetry)
    if find_spec("diffusers") is None:
        raise ValueError("prior=hub needs the library diffusers; pip install -e '.[hub]'")

    folder = expand(repo)
    local = folder.is_dir()
    folder = folder if local else download(repo, revision)
    unet_folder, unet = read_settings(folder, "unet", "config.json")
    channels = check_unet(repo, unet)
    _, scheduler = read_settings(folder, "scheduler", "scheduler_config.json")
    prediction = check_scheduler(repo, scheduler)

    file = unet_folder / WEIGHTS
    if not file.is_file():
        raise FileNotFoundError(
            f"{repo} has no {WEIGHTS}; a pickled .bin is not read, since it may run code. "
            "Where you trust one, convert it once: DDPMPipeline.from_pretrained(OLD, "
            "use_safetensors=False).save_pretrained(NEW), and give prior.repo=NEW"
        )
    chosen_device, digest = pick_device(device), verify(file, sha256)
    net = Network(load_unet(unet_folder, repo), scheduler)
    prior = HubPrior(net, scheduler_betas(scheduler), label, prediction, channels)

    prior.source = {"file": str(file.relative_to(folder)), "sha256": digest, "repo": repo}
    if not local:
        prior.source["revision"] = folder.name
    prior.symmetry = symmetry
    net.to(chosen_device, pick_dtype(dtype, chosen_device)).to(memory_format=torch.channels_last)
    prior.may_widen = dtype == "auto"
    return prior.eval().requires_grad_(False)
