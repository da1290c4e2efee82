"""Priors in diffusers' form: UNet2DModel with the configuration of its scheduler, from a local folder or the Hugging Face hub.

    epsilon:       eps = out
    v_prediction:  eps = sqrt(1 - a) x_t + sqrt(a) out           (Salimans & Ho, 2022)
    sample:        eps = (x_t - sqrt(a) out) / sqrt(1 - a)

A grey network (one channel) becomes a prior of grey pictures in colour. Their three channels hold one x0 under three draws of noise, so
all that x_t tells of it is the mean m = x0 + sigma_t / sqrt(3) n of x_t / sqrt(a_t), which is what the network knows at an earlier time:

    u = the time with sigma_u = sigma_t / sqrt(3),   x0 = x0_net(sqrt(a_u) m, u),   eps = (x_t - sqrt(a_t) x0) / sqrt(1 - a_t)
"""

import contextlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gdp.prior.prior import Prior
from gdp.prior.symmetry import check_symmetry
from gdp.prior.weights import pick_device, pick_dtype, verify

WEIGHTS = "diffusion_pytorch_model.safetensors"
FILES = ("model_index.json", "config.json", "scheduler_config.json", WEIGHTS)
KINDS = ("epsilon", "v_prediction", "sample")
log = logging.getLogger(__name__)


def load_hub_prior(
    repo: str,
    revision: str | None = None,
    sha256: str | None = None,
    label: int | None = None,
    device: str = "auto",
    dtype: str = "auto",
    symmetry: str = "none",
) -> "HubPrior":
    """The prior of `repo`: a folder saved by diffusers, or NAME/MODEL on the hub (at `revision`), which is downloaded and kept.

    Only safetensors are read. Raises FileNotFoundError (not there, and how to get it) or ValueError (no unconditional DDPM, wrong hash,
    wrong label, diffusers not installed).
    """
    check_symmetry(symmetry)
    if find_spec("diffusers") is None:
        raise ValueError("prior=hub needs the library diffusers; pip install -e '.[hub]'")
    folder = Path(repo).expanduser()
    local = folder.is_dir()
    folder = folder if local else download(repo, revision)
    unet_folder = part(folder, "unet", "config.json")
    config = checked_unet(repo, read(unet_folder / "config.json"))
    schedule = checked_schedule(
        repo, read(part(folder, "scheduler", "scheduler_config.json") / "scheduler_config.json")
    )
    weights = unet_folder / WEIGHTS
    if not weights.is_file():
        raise FileNotFoundError(
            f"{repo} has no {WEIGHTS}; a pickled .bin is not read, since it may run code. Where you trust one, convert it once: "
            "DDPMPipeline.from_pretrained(OLD, use_safetensors=False).save_pretrained(NEW), and give prior.repo=NEW"
        )
    where, digest = pick_device(device), verify(weights, sha256)
    net = Network(loaded(weights, repo), schedule)
    prior = HubPrior(
        net,
        betas(schedule),
        label,
        schedule.get("prediction_type", "epsilon"),
        config["in_channels"],
    )
    prior.source, prior.symmetry = (
        {"file": str(weights.relative_to(folder)), "sha256": digest, "repo": repo},
        symmetry,
    )
    if not local:
        prior.source["revision"] = folder.name
    net.to(where, pick_dtype(dtype, where)).to(memory_format=torch.channels_last)
    return prior.eval().requires_grad_(False)


class HubPrior(Prior):
    """A prior whose network predicts `kind` (epsilon, v_prediction or sample) of pictures with `channels` channels, 1 or 3."""

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
        u = 1 + int(
            (self.sigmas.log() - math.log(self.sigma(t) / x.shape[1] ** 0.5)).abs().argmin()
        )
        b = self.a(u)
        mean = (b / a) ** 0.5 * x.mean(1, keepdim=True)
        out, _ = super().predict(mean, u)
        x0 = (mean - (1 - b) ** 0.5 * self.eps(out, mean, b)) / b**0.5
        return (x - a**0.5 * x0) / (1 - a) ** 0.5, None

    def eps(self, out: Tensor, x: Tensor, a: float) -> Tensor:
        """The noise in x at alpha_bar = a, of what the network says."""
        signal, noise = math.sqrt(a), math.sqrt(1 - a)
        if self.kind == "v_prediction":
            return noise * x + signal * out
        return (x - signal * out) / noise if self.kind == "sample" else out


class Network(nn.Module):
    """diffusers' UNet2DModel as gdp.prior.Prior calls it; a learned variance is handed on where it is a fraction (learned_range)."""

    def __init__(self, unet: Any, schedule: Mapping[str, Any]):
        super().__init__()
        self.unet, config = unet, unet.config
        size = config.sample_size or 0
        self.image_size = int(max(size) if isinstance(size, list | tuple) else size)
        self.model_channels = int(config.block_out_channels[0])
        self.in_channels = int(config.in_channels)
        self.num_classes = None if config.num_class_embeds is None else int(config.num_class_embeds)
        self.divisor = 2 ** (len(config.block_out_channels) - 1)
        fraction = schedule.get("variance_type") == "learned_range"
        self.out_channels = int(config.out_channels) if fraction else self.in_channels
        if getattr(unet, "_supports_gradient_checkpointing", False):
            unet.enable_gradient_checkpointing()  # of no consequence where no gradient is asked for

    def forward(self, x: Tensor, timesteps: Tensor, labels: Tensor | None = None) -> Tensor:
        """The network's output at x_t; `timesteps` [B] are its own indices 0..T-1, `labels` [B] classes."""
        out: Tensor = self.unet(
            x.to(self.unet.dtype), timesteps, class_labels=labels, return_dict=False
        )[0]
        return out[:, : self.out_channels]


def betas(schedule: Mapping[str, Any]) -> Tensor:
    """beta_1..beta_T of a scheduler's configuration, in float64; times at which nothing is left of x0 (zero terminal SNR) are left out."""
    with quiet():
        from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

        found: Tensor = DDPMScheduler.from_config(
            {k: v for k, v in schedule.items() if not k.startswith("_")}
        ).betas.double()
    return found[found < 1]


def checked_unet(repo: str, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the network; ValueError where it is none of an unconditional DDPM on pixels."""
    name = config.get("_class_name", "UNet2DModel")
    channels, out = config.get("in_channels", 3), config.get("out_channels", 3)
    time, classes = config.get("time_embedding_type", "positional"), config.get("class_embed_type")
    if name != "UNet2DModel":
        raise ValueError(
            f"{repo} has the network {name}; prior=hub takes UNet2DModel on pixels, as google/ddpm-celebahq-256"
        )
    if time != "positional":
        raise ValueError(
            f"{repo} has {time} times: a score model of continuous time, no DDPM; take one such as google/ddpm-celebahq-256"
        )
    if channels not in (1, 3) or out not in (channels, 2 * channels):
        raise ValueError(
            f"{repo} takes {channels} channels and gives {out}; pictures have 1 or 3, and as many or twice as many come out"
        )
    if classes is not None:
        raise ValueError(
            f"{repo} has class embeddings of type {classes}; only a table of classes (num_class_embeds) can be asked for"
        )
    return {**config, "in_channels": channels}


def checked_schedule(repo: str, config: dict[str, Any]) -> dict[str, Any]:
    """The configuration of the scheduler; ValueError where its noise is not a DDPM's."""
    name, kind = (
        config.get("_class_name", "DDPMScheduler"),
        config.get("prediction_type", "epsilon"),
    )
    with quiet():
        from diffusers.schedulers.scheduling_utils import KarrasDiffusionSchedulers
    if name not in {known.name for known in KarrasDiffusionSchedulers}:
        raise ValueError(
            f"{repo} was trained for {name}, which is no DDPM (DDPMScheduler, DDIMScheduler ...); take another model"
        )
    if kind not in KINDS:
        raise ValueError(f"{repo} predicts {kind}; it must be one of {', '.join(KINDS)}")
    return config


def loaded(weights: Path, repo: str) -> Any:
    """diffusers' network with the weights of its folder."""
    with quiet():
        from diffusers.models.unets.unet_2d import UNet2DModel

        try:
            unet, info = UNet2DModel.from_pretrained(
                weights.parent,
                use_safetensors=True,
                local_files_only=True,
                low_cpu_mem_usage=False,
                output_loading_info=True,
            )
        except Exception as error:  # whatever diffusers, safetensors or torch find wrong
            raise ValueError(
                f"{repo} cannot be loaded by diffusers ({' '.join(str(error).split())[:200]}); fetch it again"
            ) from None
    for what in ("missing", "unexpected"):
        if names := sorted(info[f"{what}_keys"]):
            raise ValueError(
                f"{repo} has weights of another network: {len(names)} {what}, such as {names[0]}; fetch it again"
            )
    return unet


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """diffusers without its words on the log."""
    loggers = [logging.getLogger(name) for name in ("diffusers", "huggingface_hub")]
    before = [one.level for one in loggers]
    for one in loggers:
        one.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for one, level in zip(loggers, before, strict=True):
            one.setLevel(level)


def part(folder: Path, name: str, config: str) -> Path:
    """Where a part of a pipeline lies: its own folder, or, in older ones and in single models, the pipeline's."""
    for place in (folder / name, folder):
        if (place / config).is_file():
            return place
    raise FileNotFoundError(
        f"{folder} has no {config}, neither in {name}/ nor itself; it must be what diffusers' DDPMPipeline saves"
    )


def read(file: Path) -> dict[str, Any]:
    """A configuration in JSON."""
    try:
        config = json.loads(file.read_text())
    except (ValueError, UnicodeDecodeError):
        config = None
    if not isinstance(config, dict):
        raise ValueError(f"{file} holds no JSON settings; save the model again with diffusers")
    return config


def download(repo: str, revision: str | None) -> Path:
    """The hub's files that are needed, in huggingface_hub's cache; without a network what is there."""
    from huggingface_hub import snapshot_download

    log.info("looking up %s on the Hugging Face hub", repo)
    wanted = [f"{folder}{name}" for folder in ("", "unet/", "scheduler/") for name in FILES]
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=wanted))
    except Exception as error:  # whatever the network and the hub say
        reason = " ".join(str(error).split())[:160]
        raise FileNotFoundError(
            f"{repo} is neither a folder here nor can it be fetched from the hub ({type(error).__name__}: {reason}); "
            "check the name, or copy the model's folder here and give prior.repo=FOLDER"
        ) from None
