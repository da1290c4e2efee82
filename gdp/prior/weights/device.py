"""Where the network runs, and in which type."""

import logging
import os
from typing import NamedTuple

import torch

log = logging.getLogger("gdp.prior.weights")

# The name of torch.cpu's test of AMX, whose bfloat16 halves a call. AVX512-BF16 is no such help: a
# call of photo64 takes 1.1 to 1.3 times as long in it as by our kernels in float32.
AMX = "_is_amx_tile_supported"


class Choice(NamedTuple):
    """What device=auto is, and why."""

    device: torch.device
    why: str


def choose_device() -> Choice:
    """The first that is at hand of CUDA (NVIDIA's, and AMD's by ROCm), Intel's xpu, Apple's mps.

    A device counts as at hand if a number can be put there.
    """
    lacking = []
    for name, there in (
        ("cuda", torch.cuda.is_available),
        ("xpu", lambda: hasattr(torch, "xpu") and torch.xpu.is_available()),
        ("mps", torch.backends.mps.is_available),
    ):
        try:
            if not there():
                continue
            torch.zeros(1, device=name)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            lacking.append(f"{name} fails ({reason[:120]})")
            continue
        return Choice(torch.device(name), "; ".join([*lacking, f"torch has {maker(name)}"]))
    return Choice(torch.device("cpu"), "; ".join(lacking) or "torch sees no other device")


def maker(name: str) -> str:
    """What torch calls a device, in the words of its maker."""
    if name == "cuda" and torch.version.hip is not None:
        return f"AMD's ROCm {torch.version.hip}"
    return {"cuda": f"NVIDIA's CUDA {torch.version.cuda}", "xpu": "Intel's xpu"}.get(
        name, "Apple's mps"
    )


def pick_device(device: str) -> torch.device:
    """The device of a name; auto is CUDA or ROCm, else xpu, else mps, else the CPU.

    Raises:
        ValueError: torch sees no such device here.
    """
    if device == "auto":
        chosen, why = choose_device()
        if chosen.type == "cpu" and "fails" in why:
            log.warning("device=auto takes the CPU: %s", why)
        return chosen

    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).tolist()  # one without numbers, such as meta, is none
    except (RuntimeError, AssertionError, NotImplementedError):
        raise ValueError(
            f"device={device} is not at hand; use auto, cpu, or a device that torch sees here"
        ) from None
    return chosen


def pick_dtype(dtype: str, device: torch.device) -> torch.dtype:
    """The type of the network's weights and activations; nothing else is computed in it.

    Args:
        dtype: float32, bfloat16, float16, or auto: what the environment variable GDP_DTYPE says,
            and if that is auto too or empty, the best type that is known to serve: on CUDA float16,
            in which ADM networks were trained, as fast as bfloat16 and eight times as precise; on a
            CPU with AMX bfloat16; elsewhere float32.
        device: where the network runs.

    Raises:
        ValueError: the name is none of these.
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
        return torch.float16
    amx = device.type == "cpu" and getattr(torch.cpu, AMX, lambda: False)()
    return torch.bfloat16 if amx else torch.float32
