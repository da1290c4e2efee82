"""The machine: device, memory, kernels, threads and disk; why a GPU is not seen."""

import os
import shutil
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch

from gdp.network.kernels import cpu as cpu_kernels
from gdp.network.kernels import cuda_check
from gdp.prior.weights import choose_device, pick_dtype
from gdp.restore import facts

LITTLE_MEMORY, LITTLE_DISK = 1.5, 0.1  # GB
GB = 1e9
Line = tuple[bool, str]  # whether all is well there, and what it says


def machine() -> Iterator[Line]:
    """Device, memory, threads and disk."""
    device, why = choose_device()
    dtype = pick_dtype("auto", device)
    name = facts.hardware(device)
    yield True, f"device=auto is {device.type} ({why}): {name}, computes in {str(dtype)[6:]}"
    if device.type != "cuda" and shutil.which("nvidia-smi"):
        yield True, unseen_gpu()
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        yield True, "this GPU has no bfloat16 of its own: leave prior.dtype=auto, which is float16"

    # Memory of the device and of the machine.
    memories = [("memory", *facts.free_memory())]
    if device.type == "cuda":
        memories.insert(0, ("the device's memory", *torch.cuda.mem_get_info(device)))
    for what, free, total in memories:
        fine = free / GB > LITTLE_MEMORY
        hint = "" if fine else "; close other programs"
        if total:
            yield fine, f"{free / GB:.1f} of {total / GB:.1f} GB of {what} are free{hint}"

    # Kernels of our own.
    if device.type == "cpu":
        ours = cpu_kernels.library() is not None
        by_torch = "convolutions by torch; a C compiler (on Linux) would bring faster ones"
        yield True, "convolutions by kernels of our own, compiled here" if ours else by_torch
    if device.type == "cuda":
        ours = cuda_check.matches_torch(device, dtype)
        lacks = "the package triton is missing" if find_spec("triton") is None else "Triton fails"
        by_torch = f"normalizations by torch, for {lacks}; it (with a C compiler) is faster"
        yield True, "normalizations by Triton kernels of our own" if ours else by_torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield True, f"{torch.get_num_threads()} threads on {cores} cores"
    disk = shutil.disk_usage(Path.cwd()).free / GB
    hint = "" if disk > LITTLE_DISK else "; make room"
    yield disk > LITTLE_DISK, f"{disk:.1f} GB of disk are free in {Path.cwd()}{hint}"


def unseen_gpu() -> str:
    """Why torch does not see the NVIDIA GPU that there seems to be, and what helps."""
    seems = "there seems to be an NVIDIA GPU, but torch does not see it: "
    if torch.version.cuda is None:
        return f"{seems}this torch is built without CUDA; install its CUDA build"
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            torch.zeros(1, device="cuda")
            reason = ""
        except (RuntimeError, AssertionError) as error:
            reason = str(error)
    reason = " ".join([reason, *(str(w.message) for w in said)])
    if "driver" in reason and ("old" in reason or "insufficient" in reason):
        return f"{seems}its driver is too old for CUDA {torch.version.cuda}; update the driver"
    return f"{seems}{' '.join(reason.split())[:160] or 'it is hidden'}; see CUDA_VISIBLE_DEVICES"
