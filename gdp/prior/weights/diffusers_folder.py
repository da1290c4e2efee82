"""A folder as diffusers saves it: found or downloaded, checked to be of a DDPM, and its network."""

import contextlib
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

WEIGHTS = "diffusion_pytorch_model.safetensors"
FILES = ("model_index.json", "config.json", "scheduler_config.json", WEIGHTS)
PREDICTIONS = ("epsilon", "v_prediction", "sample")
log = logging.getLogger("gdp.prior.hub")


def download(repo: str, revision: str | None) -> Path:
    """Get the files that are needed into huggingface_hub's cache; offline, what is there.

    Args:
        repo: NAME/MODEL on the Hugging Face hub.
        revision: a branch, tag or commit.

    Raises:
        FileNotFoundError: they cannot be had; says how to get them.
    """
    from huggingface_hub import snapshot_download

    log.info("looking up %s on the Hugging Face hub", repo)
    wanted = [f"{folder}{name}" for folder in ("", "unet/", "scheduler/") for name in FILES]
    try:
        return Path(snapshot_download(repo, revision=revision, allow_patterns=wanted))
    except Exception as error:  # whatever the network and the hub say
        reason = " ".join(str(error).split())[:160]
        raise FileNotFoundError(
            f"{repo} is neither a folder here nor can it be fetched from the hub "
            f"({type(error).__name__}: {reason}); "
            "check the name, or copy the model's folder here and give prior.repo=FOLDER"
        ) from None


def read_settings(folder: Path, part: str, name: str) -> tuple[Path, dict[str, Any]]:
    """Read the settings of a part of a pipeline.

    Args:
        folder: the pipeline's.
        part: the part's folder in it; in older pipelines and single models it is the pipeline's.
        name: of the file of settings.

    Returns:
        The folder that the part lies in, and the settings.

    Raises:
        FileNotFoundError: the file is in neither folder.
        ValueError: it holds no settings.
    """
    places = [place for place in (folder / part, folder) if (place / name).is_file()]
    if not places:
        raise FileNotFoundError(
            f"{folder} has no {name}, neither in {part}/ nor itself; "
            "it must be what diffusers' DDPMPipeline saves"
        )

    file = places[0] / name
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError):
        settings = None
    if not isinstance(settings, dict):
        raise ValueError(f"{file} holds no JSON settings; save the model again with diffusers")
    return places[0], settings


def check_unet(repo: str, settings: Mapping[str, Any]) -> int:
    """Check that a network is that of an unconditional DDPM on pixels.

    Returns:
        Its channels: 1 or 3.

    Raises:
        ValueError: it is another; says which would do.
    """
    name = settings.get("_class_name", "UNet2DModel")
    if name != "UNet2DModel":
        raise ValueError(
            f"{repo} has the network {name}; prior=hub takes UNet2DModel on pixels, "
            "as google/ddpm-celebahq-256"
        )
    time = settings.get("time_embedding_type", "positional")
    if time != "positional":
        raise ValueError(
            f"{repo} has {time} times: a score model of continuous time, no DDPM; "
            "take one such as google/ddpm-celebahq-256"
        )

    channels, out = settings.get("in_channels", 3), settings.get("out_channels", 3)
    if channels not in (1, 3) or out not in (channels, 2 * channels):
        raise ValueError(
            f"{repo} takes {channels} channels and gives {out}; "
            "pictures have 1 or 3, and as many or twice as many come out"
        )
    classes = settings.get("class_embed_type")
    if classes is not None:
        raise ValueError(
            f"{repo} has class embeddings of type {classes}; "
            "only a table of classes (num_class_embeds) can be asked for"
        )
    return int(channels)


def check_scheduler(repo: str, settings: Mapping[str, Any]) -> str:
    """Check that a scheduler's noise is that of a DDPM.

    Returns:
        What the network predicts: one of PREDICTIONS.

    Raises:
        ValueError: the noise, or what is predicted, is something else.
    """
    name = settings.get("_class_name", "DDPMScheduler")
    with quiet():
        from diffusers.schedulers.scheduling_utils import KarrasDiffusionSchedulers
    if name not in {known.name for known in KarrasDiffusionSchedulers}:
        raise ValueError(
            f"{repo} was trained for {name}, which is no DDPM (DDPMScheduler, DDIMScheduler ...); "
            "take another model"
        )

    prediction: str = settings.get("prediction_type", "epsilon")
    if prediction not in PREDICTIONS:
        raise ValueError(
            f"{repo} predicts {prediction}; it must be one of {', '.join(PREDICTIONS)}"
        )
    return prediction


def scheduler_betas(settings: Mapping[str, Any]) -> Tensor:
    """beta_1..beta_T of a scheduler, float64.

    Times at which nothing is left of x0 (zero terminal SNR) are left out.
    """
    with quiet():
        from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

        public = {name: value for name, value in settings.items() if not name.startswith("_")}
        betas: Tensor = DDPMScheduler.from_config(public).betas.double()
    return betas[betas < 1]


def load_unet(folder: Path, repo: str) -> Any:
    """Load the network in a folder, as diffusers does.

    Raises:
        ValueError: diffusers cannot, or the weights are of another network.
    """
    with quiet():
        from diffusers.models.unets.unet_2d import UNet2DModel

        try:
            unet, report = UNet2DModel.from_pretrained(
                folder,
                use_safetensors=True,
                local_files_only=True,
                low_cpu_mem_usage=False,
                output_loading_info=True,
            )
        except Exception as error:  # whatever diffusers, safetensors or torch find wrong
            reason = " ".join(str(error).split())[:200]
            raise ValueError(
                f"{repo} cannot be loaded by diffusers ({reason}); fetch it again"
            ) from None

    for what in ("missing", "unexpected"):
        if names := sorted(report[f"{what}_keys"]):
            raise ValueError(
                f"{repo} has weights of another network: {len(names)} {what}, "
                f"such as {names[0]}; fetch it again"
            )
    return unet


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep diffusers' words off the log."""
    loggers = [logging.getLogger(name) for name in ("diffusers", "huggingface_hub")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
