"""Throughput of a network in several forms, from the reference's to the program's.

    eager      NCHW, torch's own operations, as guided-diffusion has it; on CUDA in float16 too
    layout     the same with channels last
    exact      as the program runs it: its data type, fused kernels, on CUDA graphs
    reuse N    the mean over N calls, one of which is of the whole network (gdp/prior/reuse.py)
    compiled   torch.compile of the network, its compilation not counted

The forms take turns in one run, and the fastest of several rounds counts, so that a busy machine
favours none. Arithmetic is that of the eager network, counted by torch; its share is of a large
matrix product's in the same data type and the same run. Memory is CUDA's.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from gdp.network.kernels import cpu as cpu_kernels
from gdp.network.kernels import cuda as cuda_kernels
from gdp.network.unet import UNet
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior, reusable
from gdp.restore.facts import peak_memory_mb

COLUMNS = (
    "prior size batch what dtype ms_per_nfe images_per_s_20 images_per_s_100 images_per_s_1000 "
    "tflops share_of_matmul peak_mb ratio_to_fp32_eager"
).split()

# Side of the large matrix product
MATMUL_SIDE = {"cpu": 2048, "cuda": 8192}
Call = Callable[[], object]


def measure(
    name: str, prior: Prior, size: int, batch: int, rounds: int, reuse: list[int], compiled: bool
) -> list[dict]:
    """Measure a network in all forms.

    Args:
        name: of the prior.
        prior: with the network.
        size: of the pictures.
        batch: how many there are.
        rounds: of which the fastest counts.
        reuse: numbers of calls over which the deep levels are reused.
        compiled: measure torch.compile too.

    Returns:
        A row for each form.
    """
    device = prior.device
    x = torch.randn(batch, 3, size, size, device=device)
    arithmetic = flops(prior, x)

    # The forms take turns
    best: dict[str, float] = {}
    memory: dict[str, float | None] = {}
    dtypes: dict[str, torch.dtype] = {}
    for _ in range(rounds):
        for what, dtype, calls, form in forms(prior, x, reuse, compiled):
            with torch.no_grad(), form as call:
                seconds, peak = timed(call, device)
            best[what] = min(seconds / calls, best.get(what, seconds))
            memory[what], dtypes[what] = peak, dtype

    peaks = {dtype: matmul(device, dtype, rounds) for dtype in set(dtypes.values())}
    return [
        {
            "prior": name,
            "size": size,
            "batch": batch,
            "what": what,
            "dtype": str(dtypes[what]).removeprefix("torch."),
            "ms_per_nfe": 1000 * seconds,
            **{f"images_per_s_{n}": batch / seconds / n for n in (20, 100, 1000)},
            "tflops": arithmetic / seconds / 1e12,
            "matmul_tflops": peaks[dtypes[what]] / 1e12,
            "share_of_matmul": arithmetic / seconds / peaks[dtypes[what]],
            "peak_mb": memory[what],
            "ratio_to_fp32_eager": best["eager float32"] / seconds,
        }
        for what, seconds in best.items()
    ]


def forms(
    prior: Prior, x: Tensor, reuse: list[int], compiled: bool
) -> Iterator[tuple[str, torch.dtype, int, Any]]:
    """Yield (what, data type, network calls, a context that gives the function to time)."""
    net = prior.net
    assert isinstance(net, UNet)
    shipped = net.dtype

    # As the reference arranges it
    for dtype in (torch.float32, torch.float16) if x.is_cuda else (torch.float32,):
        yield f"eager {str(dtype)[6:]}", dtype, 1, eager(net, x, dtype, torch.contiguous_format)
    yield f"layout {str(shipped)[6:]}", shipped, 1, eager(net, x, shipped, torch.channels_last)

    # As the program runs it
    yield "exact", shipped, 1, as_shipped(prior, x, 1)
    if reusable(prior):
        for n in reuse:
            yield f"reuse {n}", shipped, n, as_shipped(ReusingPrior(prior, n), x, n)

    if compiled:
        wrap = partial(torch.compile, mode="reduce-overhead")
        yield "compiled", shipped, 1, eager(net, x, shipped, torch.channels_last, wrap)


@contextmanager
def as_shipped(prior: Prior, x: Tensor, calls: int) -> Iterator[Call]:
    """Give a function that makes `calls` predictions by the prior."""
    times = range(500, 500 - calls, -1)
    yield lambda: [prior.predict(x, t) for t in times]


@contextmanager
def eager(
    net: UNet,
    x: Tensor,
    dtype: torch.dtype,
    layout: torch.memory_format,
    wrap: Callable[..., Any] = lambda n: n,
) -> Iterator[Call]:
    """Give one call of the network on torch's own operations, in a data type and layout."""
    before = net.dtype
    z = x.to(dtype).contiguous(memory_format=layout)
    labels = None
    if getattr(net, "num_classes", None) is not None:
        labels = torch.zeros(len(x), dtype=torch.long, device=x.device)

    with torchs_own():
        net.compute_in(dtype).to(memory_format=layout)
        call = wrap(net)
        try:
            yield lambda: call(z, torch.full((len(x),), 500.0, device=x.device), labels)
        finally:
            net.compute_in(before).to(memory_format=torch.channels_last)


@contextmanager
def torchs_own() -> Iterator[None]:
    """Use no kernels of ours within the block."""
    before = os.environ.get("GDP_KERNELS")
    os.environ["GDP_KERNELS"] = "0"
    forget()
    try:
        yield
    finally:
        os.environ.pop("GDP_KERNELS") if before is None else os.environ.update(GDP_KERNELS=before)
        forget()


def forget() -> None:
    """Forget which kernels were found, so that they are looked for again."""
    for found in (cpu_kernels.library, cuda_kernels.matches_torch):
        found.cache_clear()


def flops(prior: Prior, x: Tensor) -> float:
    """Count the floating-point operations of the eager network on x."""
    assert isinstance(prior.net, UNet)
    with (
        torch.no_grad(),
        FlopCounterMode(display=False) as counter,
        eager(prior.net, x, torch.float32, torch.contiguous_format) as call,
    ):
        call()
    return float(counter.get_total_flops())


def matmul(device: torch.device, dtype: torch.dtype, rounds: int) -> float:
    """Measure the floating-point operations a second of a large matrix product."""
    n = MATMUL_SIDE[device.type]
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    return 2 * n**3 / min(timed(lambda: a @ b, device)[0] for _ in range(max(3, rounds)))


def timed(call: Call, device: torch.device) -> tuple[float, float | None]:
    """Measure the seconds of the last of a few calls, and the most memory held, in MB."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)

    # A graph is captured once a shape has come a few times
    for _ in range(4 if cuda else 1):
        call()
    if cuda:
        torch.cuda.synchronize(device)

    began = time.perf_counter()
    call()
    if cuda:
        torch.cuda.synchronize(device)
    return time.perf_counter() - began, peak_memory_mb(device) if cuda else None
