"""`python run.py task=doctor`: what is here, whether it works, how fast it is, and what to do about what does not."""

import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from gdp.network.kernels import cpu as cpu_kernels
from gdp.network.kernels import cuda as cuda_kernels
from gdp.picture.image import read
from gdp.prior import weights as checkpoint
from gdp.prior.prior import Prior
from gdp.restore import facts as report
from gdp.restore import pipeline
from gdp.storage.places import CONF, SAMPLE, cache_folder

EXTRAS = {  # of setup.cfg, and the packages that each brings
    "bench": ("deepinv", "matplotlib"),
    "deepinv": ("deepinv",),
    "dev": ("pytest", "hypothesis", "ruff", "mypy", "skimage", "sklearn", "diffusers"),
    "gpu": ("accelerate",),
    "heic": ("pillow_heif",),
    "hub": ("diffusers",),
    "tiff": ("imagecodecs",),
}
KERNELS = (
    "convolutions by torch; a C compiler (on Linux) would bring faster ones",
    "convolutions by kernels of our own, compiled here",
)
GPU_KERNELS = (
    "normalizations by torch; Triton (with a C compiler) would bring faster ones",
    "normalizations by Triton kernels of our own",
)
CONSISTENT = 1e-4  # RMS of A x - y in [0, 1] units that enlarging without noise stays below
LITTLE_MEMORY, LITTLE_DISK = 1.5, 0.1  # GB
GB = 1e9
SPEED_SECONDS = 1.5  # for a size
Say = Callable[[str], None]
Line = tuple[bool, str]  # whether it is fine, and what it says


def examine(cfg: Any, say: Say = print) -> int:
    """Look at what a job of this configuration (OmegaConf) needs; 0, or 1 where something is wrong. `say` is told each line."""
    wrong: list[str] = []

    looks: list[tuple[str, Callable[[], Iterator[Line]]]] = [
        ("program", program),
        ("machine", machine),
        ("extras, pip install -e '.[NAME]'", extras),
        ("priors", priors),
        ("self-test", lambda: self_test(cfg)),
    ]
    for title, look in looks:
        say(f"{title}:")
        for fine, text in look():
            say(f"  {'' if fine else 'WRONG: '}{text}")
            wrong += [] if fine else [text]
    say(f"wrong: {'; '.join(wrong)}" if wrong else "all is well")
    return 1 if wrong else 0


def program() -> Iterator[Line]:
    """Versions."""
    found = report.versions()
    yield True, ", ".join(f"{name} {version}" for name, version in found.items())
    yield True, f"{sys.executable} on {platform.platform()}"
    for name in report.PACKAGES:
        if name not in found:
            yield False, f"the package {name} is missing; pip install -e . brings it"


def machine() -> Iterator[Line]:
    """Device, memory, threads, disk."""
    chosen = checkpoint.pick_device("auto")
    yield (
        True,
        f"device=auto is {chosen.type}: {report.hardware(chosen)}, computes in {str(checkpoint.pick_dtype('auto', chosen))[6:]}",
    )
    if chosen.type != "cuda" and shutil.which("nvidia-smi"):
        yield (
            True,
            "there seems to be an NVIDIA GPU, but this torch does not see it; install torch's CUDA build to use it",
        )
    if chosen.type == "cuda":
        yield free_memory("the device's memory", *torch.cuda.mem_get_info(chosen))
    free, total = memory()
    if total:
        yield free_memory("memory", free, total)
    if chosen.type == "cpu":
        yield True, KERNELS[cpu_kernels.library() is not None]
    if chosen.type == "cuda":
        yield True, GPU_KERNELS[cuda_kernels.right(chosen, checkpoint.pick_dtype("auto", chosen))]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield True, f"{torch.get_num_threads()} threads on {cores} cores"
    disk = shutil.disk_usage(Path.cwd()).free / GB
    yield (
        disk > LITTLE_DISK,
        f"{disk:.1f} GB of disk are free in {Path.cwd()}"
        + ("" if disk > LITTLE_DISK else "; make room"),
    )


def free_memory(what: str, free: float, total: float) -> Line:
    """How much is free, in bytes, and what to do where that is little."""
    enough = free / GB > LITTLE_MEMORY
    return enough, f"{free / GB:.1f} of {total / GB:.1f} GB of {what} are free" + (
        "" if enough else "; close other programs"
    )


def memory() -> tuple[float, float]:
    """Bytes of main memory that are free and that there are, within the container's limit; zeros where the system does not tell."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
        free, total = (
            float(lines[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal")
        )
    except (OSError, KeyError, ValueError):
        names = ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES")
        pages = [
            os.sysconf(name) if name in getattr(os, "sysconf_names", {}) else 0 for name in names
        ]
        return tuple(float(n) * os.sysconf("SC_PAGE_SIZE") if n > 0 else 0.0 for n in pages)  # type: ignore[return-value]
    try:
        group = Path("/sys/fs/cgroup")
        limit = float((group / "memory.max").read_text())
        used = float((group / "memory.current").read_text())
    except (OSError, ValueError):
        return free, total
    return min(free, max(limit - used, 0)), min(total, limit)


def extras() -> Iterator[Line]:
    """Optional packages."""
    for extra, packages in EXTRAS.items():
        missing = [name for name in packages if find_spec(name) is None]
        yield True, f"{extra}: {'not installed, lacks ' + ', '.join(missing) if missing else 'yes'}"


def priors() -> Iterator[Line]:
    """The cache folder, and the priors of conf/prior that are at hand, with their hashes."""
    import yaml

    cache = cache_folder()
    parent = next(p for p in (cache, *cache.absolute().parents) if p.exists())
    writable = os.access(parent, os.W_OK)
    yield (
        writable,
        f"downloads go to {cache}"
        + ("" if writable else ", which cannot be written; set GDP_CACHE to a folder that can"),
    )
    away = []
    for file in sorted((CONF / "prior").glob("*.yaml")):
        node = yaml.safe_load(file.read_text())
        path = node.get("path", "???")
        if path == "???":
            continue
        found = checkpoint.at_hand(path)
        if found is None:
            away.append(file.stem)
            continue
        try:
            digest = checkpoint.verify(found, node["sha256"])
            how = "verified" if node["sha256"] else "not verified: no hash of it is published"
            yield True, f"{file.stem}: {found}, sha256 {digest[:12]}..., {how}"
        except (ValueError, OSError) as error:
            yield False, f"{file.stem}: {error}"
    yield True, f"not at hand, fetched when asked for: {', '.join(away) or 'none'}"


def self_test(cfg: Any) -> Iterator[Line]:
    """A small restoration of the bundled sample by the configured prior, and its network's speed."""
    from gdp.compose.configuration import build

    began = time.perf_counter()
    try:
        setup = build(cfg)
        prior = setup.load_prior()
        y = pipeline.observe(
            read(SAMPLE).pixels[..., 24:40, 24:40].to(prior.device),
            setup.operator.to(prior.device),
            0.0,
            0.0,
        )
        outcome = pipeline.restore(prior, setup.operator, setup.sampler, y, [0])
        error = pipeline.consistency(outcome.pixels, outcome.operator, y)
    except Exception as problem:
        told = isinstance(problem, ValueError | TypeError | OSError)
        text = " ".join(str(problem).split()) or type(problem).__name__
        yield (
            False,
            text
            if told
            else f"a small restoration fails with {type(problem).__name__}: {text}; reinstall, or try device=cpu",
        )
        return
    size = f"{outcome.pixels.shape[-1]}x{outcome.pixels.shape[-2]}"
    what = f"a restoration at {size} with {prior.source['file'] if prior.source else 'this prior'}, {outcome.nfe} network calls"
    fine = bool(outcome.pixels.isfinite().all()) and error < CONSISTENT
    text = f"{what}: consistent within {error:.1e} (bound {CONSISTENT:.0e}), {time.perf_counter() - began:.1f} s with loading"
    yield (
        fine,
        text
        if fine
        else f"{text}; the result does not agree with its input: try prior.dtype=float32 or device=cpu",
    )
    for side in (64, 256):
        yield True, f"{seconds_per_call(prior, side):.3f} s a network call at {side}x{side}"


def seconds_per_call(prior: Prior, side: int) -> float:
    """The least time of a prediction of `side` x `side` pixels, of as many as fit into a second and a half."""
    x, best, until = (
        torch.randn(1, 3, side, side, device=prior.device),
        float("inf"),
        time.perf_counter() + SPEED_SECONDS,
    )
    while best == float("inf") or time.perf_counter() < until:
        began = time.perf_counter()
        with torch.no_grad():
            float(prior(x, prior.T // 2).eps.sum())  # waits for the device
        best = min(best, time.perf_counter() - began)
    return best
