"""What is written about a restoration: NAME.json beside NAME.png."""

import json
import platform
import resource
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from gdp.storage.files import atomic
from gdp.version import __version__

PACKAGES = ("torch", "numpy", "scipy", "kornia", "piq", "hydra-core", "pillow", "safetensors")


def versions() -> dict[str, str]:
    """This program's, Python's and the packages' versions."""
    found = {"gdp": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_memory_mb(device: torch.device) -> float:
    """The most memory held so far, in MB: the device's on CUDA, else the process's."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def hardware(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    threads = torch.get_num_threads()
    return f"{platform.machine()} CPU, {threads} thread{'s' if threads != 1 else ''}"


def write_json(report: dict[str, Any], path: Path) -> None:
    """Save a report, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(report, indent=2, ensure_ascii=False, default=str) + "\n")
