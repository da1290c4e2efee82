"""What is in a file of weights, and in the config.yaml beside it."""

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def read_config(weights: Path) -> dict[str, Any]:
    """Read the config.yaml beside a file of weights: UNet's arguments, and `diffusion`.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it holds no settings.
    """
    import yaml

    file = weights.with_name("config.yaml")
    if not file.is_file():
        raise FileNotFoundError(
            f"{weights.name} needs its UNet arguments: "
            "give prior.unet=..., or put a config.yaml beside it"
        )
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(config, dict):
        raise ValueError(
            f"{file} holds no settings; it needs UNet arguments such as model_channels: 64"
        )
    return config


def read_weights(file: Path) -> dict[str, Tensor]:
    """Read the tensors of a file of weights, by the names of the network's parameters.

    Args:
        file: .safetensors, or .pt, which is read as plain tensors: no pickled code ever runs.

    Raises:
        ValueError: it is damaged, or holds something else than tensors.
    """
    weights = read_checkpoint(file)

    # Lightning puts the state dict into another dict, DataParallel a prefix before every name.
    if isinstance(weights, dict) and isinstance(weights.get("state_dict"), dict):
        weights = weights["state_dict"]
    if not isinstance(weights, dict) or not all(isinstance(w, Tensor) for w in weights.values()):
        raise ValueError(f"{file} is no state dict; it must map parameter names to tensors")
    return {name.removeprefix("module."): weight for name, weight in weights.items()}


def read_checkpoint(file: Path) -> Any:
    """Read what a file of weights holds, as it is: tensors, in dicts of whatever depth.

    Args:
        file: .safetensors, or .pt, which is read as plain tensors: no pickled code ever runs.

    Raises:
        ValueError: it is damaged, or holds something else than tensors and plain values.
    """
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
            # Mapped, not read: a file of 2 GB would be in memory twice otherwise.
            mapped = zipfile.is_zipfile(file)
            return torch.load(file, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{file} holds more than tensors (or is no checkpoint) and was not executed; "
            "convert it to .safetensors on a machine you trust it on"
        ) from None
    except (RuntimeError, EOFError, ValueError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise ValueError(f"{file} cannot be read as a PyTorch checkpoint ({reason})") from None


def check_fit(file: Path, weights: Mapping[str, Tensor], shapes: Mapping[str, torch.Size]) -> None:
    """Raise ValueError unless weights are exactly those of a network.

    Args:
        file: the weights' file, for the message.
        weights: parameters by name.
        shapes: of the network's parameters, by name.
    """
    missing, extra = sorted(shapes.keys() - weights.keys()), sorted(weights.keys() - shapes.keys())
    other = sorted(k for k in shapes.keys() & weights.keys() if weights[k].shape != shapes[k])

    kinds = ((missing, "missing"), (extra, "unknown"), (other, "of another shape"))
    problems = [f"{len(names)} {what} (such as {names[0]})" for names, what in kinds if names]
    if problems:
        raise ValueError(
            f"{file} is not of this UNet: parameters {', '.join(problems)}; check prior.unet"
        )
