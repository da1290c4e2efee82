"""Where the network runs, and in which type."""

import os

import torch

# Names of torch.cpu's tests of native bfloat16: AVX512-BF16 and AMX
NATIVE_BFLOAT16 = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")


def pick_device(device: str) -> torch.device:
    """The device of a name; auto is CUDA where there is one, else the CPU.

    Raises:
        ValueError: torch sees no such device here.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")

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
            and if that is auto too or empty, the fastest type that the device computes in natively.
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

    # Where bfloat16 is emulated it is slower than the others.
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if native else torch.float16
    native = device.type == "cpu" and any(
        getattr(torch.cpu, name, lambda: False)() for name in NATIVE_BFLOAT16
    )
    return torch.bfloat16 if native else torch.float32
