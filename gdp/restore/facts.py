"""What a report says of the program and the machine, and how it is written."""

import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from gdp.storage.files import atomic
from gdp.version import __version__

PACKAGES = ("torch", "numpy", "scipy", "kornia", "piq", "hydra-core", "pillow", "safetensors")


def versions() -> dict[str, str]:
    """Versions of this program, of Python, and of the packages that numbers depend on."""
    found = {"gdp": __version__, "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def peak_memory_mb(device: torch.device) -> float | None:
    """The most memory held so far, in MB: the device's on CUDA, else the process's.

    None where the system does not tell (Windows).
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    try:
        import resource
    except ImportError:
        return None

    unit = 1 if sys.platform == "darwin" else 1024  # bytes, or kilobytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def free_memory() -> tuple[float, float]:
    """Bytes of main memory that are free and that there are, within the container's limit.

    Zeros where the system does not tell.
    """
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        names = ("MemAvailable", "MemTotal")
        free, total = (float(lines[name].split()[0]) * 1024 for name in names)
    except (OSError, KeyError, ValueError):
        known = getattr(os, "sysconf_names", {})
        pages = [
            os.sysconf(name) if name in known else 0
            for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES")
        ]
        free, total = (float(n) * os.sysconf("SC_PAGE_SIZE") if n > 0 else 0.0 for n in pages)
        return free, total

    # A container may have less.
    try:
        group = Path("/sys/fs/cgroup")
        limit = float((group / "memory.max").read_text())
        used = float((group / "memory.current").read_text())
    except (OSError, ValueError):
        return free, total
    return min(free, max(limit - used, 0)), min(total, limit)


def hardware(device: torch.device) -> str:
    """The device by its name, such as "NVIDIA H100" or "x86_64 CPU, 2 threads"."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "xpu":
        return str(torch.xpu.get_device_name(device))
    if device.type != "cpu":
        maker = "Apple GPU" if device.type == "mps" else device.type
        return f"{platform.machine()} {maker}"
    threads = torch.get_num_threads()
    return f"{platform.machine()} CPU, {threads} thread{'s' if threads != 1 else ''}"


def write_json(report: dict[str, Any], path: Path) -> None:
    """Save a report as JSON, whole or not at all."""
    with atomic(path) as temporary:
        text = json.dumps(report, indent=2, ensure_ascii=False, default=str)
        temporary.write_text(text + "\n", encoding="utf-8", errors="replace")
