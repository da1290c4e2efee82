"""Weights: find or download them, verify them, load them into a UNet, and say clearly what is missing."""

import logging
import os
import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gdp.network.convert import from_ddpm, is_ddpm
from gdp.network.unet import UNet
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.prior.symmetry import check_symmetry
from gdp.storage import fingerprint
from gdp.storage.places import BUNDLED, cache_folder

log = logging.getLogger(__name__)


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
    """The prior kept in `path`: a file, or the name of a bundled, cached or downloadable (`url`) one; `page` is where a person finds it.

    `unet` holds UNet's arguments and `diffusion` those of `gdp.schedule.betas`; left out, both are read from the `config.yaml`
    beside the weights. `label` is the class of a class-conditional network. `device` is auto, cpu, cuda ...; `dtype` is auto
    (bfloat16 where the device computes in it natively, else float32), float32, bfloat16 or float16. `symmetry` is none, mirror or square:
    the ways in which the network is shown pictures, another at each time (gdp/prior/symmetry.py).
    Raises FileNotFoundError (not there, and how to get it) or ValueError (wrong hash, not weights, not this network's).
    """
    check_symmetry(symmetry)
    prior = None if unet is None else untrained(path, unet, diffusion, label)
    file = locate(path, url, sha256, page)
    digest = verify(file, sha256)
    if prior is None:
        beside = read_config(file)
        diffusion = diffusion or beside.pop("diffusion", None)
        prior = untrained(path, beside, diffusion, label)
    where = pick_device(device)
    weights = read_weights(file)
    if is_ddpm(weights):
        weights = from_ddpm(weights)
    assert prior.net is not None
    check_fit(file, weights, {k: v.shape for k, v in prior.net.state_dict().items()})
    prior.net.load_state_dict(weights, assign=True)
    prior.net.to(where, pick_dtype(dtype, where)).to(memory_format=torch.channels_last)
    prior.source, prior.symmetry = {"file": file.name, "sha256": digest}, symmetry
    return prior.eval().requires_grad_(False)


def untrained(
    name: str, unet: Mapping[str, Any], diffusion: Mapping[str, Any] | None, label: int | None
) -> Prior:
    """The prior without its weights, on the meta device: settings are checked before anything is fetched or read."""
    try:
        with torch.device("meta"):
            net = UNet(**{k: v for k, v in unet.items() if v is not None and k != "diffusion"})
    except TypeError as error:
        raise ValueError(
            f"the UNet of {name} cannot be built: {str(error).replace('UNet.__init__() ', '')}"
        ) from None
    return Prior(net, betas(**(diffusion or {})), label)


def locate(
    path: str, url: str | None = None, sha256: str | None = None, page: str | None = None
) -> Path:
    """The file named `path`: at hand, or downloaded from `url` into the user's cache folder."""
    file = at_hand(path)
    if file is not None:
        return file
    name, cache = Path(path).name, cache_folder()
    if url is not None:
        return download(name, url, sha256, cache)
    if page is not None:
        raise FileNotFoundError(
            f"{name} cannot be fetched by a program; get it from {page} and put it at {cache / name}"
        )
    raise FileNotFoundError(f"no weights at {path}; give prior.path= of a .safetensors or .pt file")


def at_hand(path: str) -> Path | None:
    """The file named `path`: as given, bundled, or in the user's cache folder; None where it is in none of them."""
    for file in (Path(path).expanduser(), BUNDLED / path):
        if file.is_file():
            return file
    cached = cache_folder() / Path(path).name
    return cached if cached.is_file() else None


def download(name: str, url: str, sha256: str | None, cache: Path) -> Path:
    """Fetch `url` into `cache` with a progress bar; nothing is left there when it fails."""
    import pooch

    log.info("downloading %s to %s", url, cache)
    pooch.get_logger().setLevel("ERROR")
    try:
        known = f"sha256:{sha256}" if sha256 else None
        return Path(pooch.retrieve(url, known, fname=name, path=cache, progressbar=True))
    except (OSError, ValueError) as error:
        wrong = isinstance(error, ValueError)
        what = "arrived with another sha256 than expected" if wrong else "cannot be downloaded"
        raise FileNotFoundError(
            f"{name} {what} ({url}); fetch it where you can and put it at {cache / name}"
        ) from None


def verify(file: Path, sha256: str | None) -> str:
    """The file's sha256; ValueError where another one is expected."""
    digest = fingerprint.sha256(file)
    if sha256 and digest != sha256.lower():
        raise ValueError(
            f"{file} has sha256 {digest[:12]}..., expected {sha256[:12]}...: it is damaged or another file; "
            "delete it to fetch it again, or load it knowingly with prior.sha256=null"
        )
    return digest


def read_config(weights: Path) -> dict[str, Any]:
    """The `config.yaml` beside the weights: UNet arguments and `diffusion`."""
    import yaml

    file = weights.with_name("config.yaml")
    if not file.is_file():
        raise FileNotFoundError(
            f"{weights.name} needs its UNet arguments: give prior.unet=..., or put a config.yaml beside it"
        )
    try:
        config = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(config, dict):
        raise ValueError(
            f"{file} holds no settings; it needs UNet arguments such as model_channels: 64"
        )
    return config


def read_weights(file: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file, or of a .pt file read as plain tensors only: no pickled code ever runs."""
    if file.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(file)
        except SafetensorError as error:
            raise ValueError(
                f"{file} is not a readable safetensors file ({error}); fetch it again"
            ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            weights = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{file} holds more than tensors (or is no checkpoint) and was not executed; convert it to .safetensors "
            "on a machine you trust it on"
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        raise ValueError(
            f"{file} cannot be read as a PyTorch checkpoint ({' '.join(str(error).split())[:100] or type(error).__name__})"
        ) from None
    if isinstance(weights, dict) and isinstance(weights.get("state_dict"), dict):
        weights = weights["state_dict"]  # Lightning's
    if not isinstance(weights, dict) or not all(isinstance(w, Tensor) for w in weights.values()):
        raise ValueError(f"{file} is no state dict; it must map parameter names to tensors")
    return {
        name.removeprefix("module."): weight for name, weight in weights.items()
    }  # DataParallel's prefix


def check_fit(file: Path, weights: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> None:
    """ValueError unless names and shapes of the weights are exactly the network's."""
    missing, extra = sorted(shapes.keys() - weights.keys()), sorted(weights.keys() - shapes.keys())
    other = sorted(k for k in shapes.keys() & weights.keys() if weights[k].shape != shapes[k])
    problems = [
        f"{len(names)} {what} (such as {names[0]})"
        for names, what in ((missing, "missing"), (extra, "unknown"), (other, "of another shape"))
        if names
    ]
    if problems:
        raise ValueError(
            f"{file} is not of this UNet: parameters {', '.join(problems)}; check prior.unet"
        )


def pick_device(device: str) -> torch.device:
    """auto is CUDA where there is one, else the CPU."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(1, device=chosen)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ValueError(
            f"device={device} is not at hand; use auto, cpu, or a device that torch sees here"
        ) from None
    return chosen


def pick_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The type of the network's weights and activations; nothing else is computed in it.

    `auto` is what the environment variable GDP_DTYPE says, or the fastest type that the device
    computes in natively.

    Raises:
        ValueError: the name is none of auto, float32, bfloat16 and float16.
    """
    setting = "prior.dtype"
    if dtype == "auto" and os.environ.get("GDP_DTYPE"):
        setting, dtype = "GDP_DTYPE", os.environ["GDP_DTYPE"]
    if dtype != "auto":
        chosen = getattr(torch, dtype, None)
        if chosen not in (torch.float32, torch.bfloat16, torch.float16):
            raise ValueError(f"{setting}={dtype}; it is auto, float32, bfloat16 or float16")
        return chosen

    if device.type == "cuda":
        return (
            torch.bfloat16
            if torch.cuda.is_bf16_supported(including_emulation=False)
            else torch.float16
        )
    return torch.bfloat16 if device.type == "cpu" and cpu_has_bfloat16() else torch.float32


def cpu_has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 natively (AVX512-BF16 or AMX); elsewhere it is emulated and slower than float32."""
    tests = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in tests)
