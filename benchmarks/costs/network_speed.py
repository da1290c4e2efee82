"""Throughput of a network in several forms, one after the other in one run: as the reference arranges it, and as the program runs it.

    eager      NCHW, torch's own operations, as guided-diffusion has it: float32, on CUDA float16 too
    layout     the same with channels last
    exact      as the program runs it: its data type, fused kernels, on CUDA graphs
    reuse N    the mean over N calls, one of which is of the whole network (gdp/prior/reuse.py)
    compiled   torch.compile of the network, its compilation not counted but told

The forms take turns, and the fastest of several rounds counts, so that a busy machine favours none. Arithmetic is that of the eager
network, counted by torch; its share is of a large matrix product's in the same data type and the same run. Memory is CUDA's.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from gdp.network.kernels import cpu as cpu_kernels
from gdp.network.kernels import cuda as cuda_kernels
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior, reusable
from gdp.restore.facts import peak_memory_mb

COLUMNS = (
    "prior size batch what dtype ms_per_nfe images_per_s_20 images_per_s_100 images_per_s_1000 "
    "tflops share_of_matmul peak_mb ratio_to_fp32_eager"
).split()
MATMUL = {"cpu": 2048, "cuda": 8192}  # side of the large product
Call = Callable[[], object]


def measure(
    name: str, prior: Prior, size: int, batch: int, rounds: int, reuse: list[int], compiled: bool
) -> list[dict]:
    """One row per form of this size."""
    device = prior.device
    x = torch.randn(batch, 3, size, size, device=device)
    arithmetic = flops(prior, x)
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
    """(what, data type, network calls, a context that gives the function to time)."""
    net = prior.net
    assert net is not None
    shipped = next(net.parameters()).dtype
    yield "eager float32", torch.float32, 1, eager(net, x, torch.float32, torch.contiguous_format)
    if x.is_cuda:
        yield (
            "eager float16",
            torch.float16,
            1,
            eager(net, x, torch.float16, torch.contiguous_format),
        )
    yield f"layout {str(shipped)[6:]}", shipped, 1, eager(net, x, shipped, torch.channels_last)
    yield "exact", shipped, 1, as_shipped(prior, x, 1)
    if reusable(prior):
        for n in reuse:
            yield f"reuse {n}", shipped, n, as_shipped(ReusingPrior(prior, n), x, n)
    if compiled:
        yield (
            "compiled",
            shipped,
            1,
            eager(
                net, x, shipped, torch.channels_last, partial(torch.compile, mode="reduce-overhead")
            ),
        )


@contextmanager
def as_shipped(prior: Prior, x: Tensor, calls: int) -> Iterator[Call]:
    """`calls` predictions by the prior."""
    times = range(500, 500 - calls, -1)
    yield lambda: [prior.predict(x, t) for t in times]


@contextmanager
def eager(
    net: nn.Module,
    x: Tensor,
    dtype: torch.dtype,
    layout: torch.memory_format,
    wrap: Callable[..., Any] = lambda n: n,
) -> Iterator[Call]:
    """One call of the network on torch's own operations, in a data type and layout."""
    before = next(net.parameters()).dtype
    z = x.to(dtype).contiguous(memory_format=layout)
    labels = (
        None
        if getattr(net, "num_classes", None) is None
        else torch.zeros(len(x), dtype=torch.long, device=x.device)
    )
    with torchs_own():
        net.to(dtype).to(memory_format=layout)
        call = wrap(net)
        try:
            yield lambda: call(z, torch.full((len(x),), 500.0, device=x.device), labels)
        finally:
            net.to(before).to(memory_format=torch.channels_last)


@contextmanager
def torchs_own() -> Iterator[None]:
    """Within it no kernels of ours are used."""
    before = os.environ.get("GDP_KERNELS")
    os.environ["GDP_KERNELS"] = "0"
    forget()
    try:
        yield
    finally:
        os.environ.pop("GDP_KERNELS") if before is None else os.environ.update(GDP_KERNELS=before)
        forget()


def forget() -> None:
    """Kernels are looked for anew."""
    for found in (cpu_kernels.library, cuda_kernels.matches_torch):
        found.cache_clear()


def flops(prior: Prior, x: Tensor) -> float:
    """Floating-point operations of the eager network on x."""
    assert prior.net is not None
    with (
        torch.no_grad(),
        FlopCounterMode(display=False) as counter,
        eager(prior.net, x, torch.float32, torch.contiguous_format) as call,
    ):
        call()
    return float(counter.get_total_flops())


def matmul(device: torch.device, dtype: torch.dtype, rounds: int) -> float:
    """Floating-point operations a second of a large matrix product."""
    n = MATMUL[device.type]
    a, b = (torch.randn(n, n, device=device, dtype=dtype) for _ in range(2))
    return 2 * n**3 / min(timed(lambda: a @ b, device)[0] for _ in range(max(3, rounds)))


def timed(call: Call, device: torch.device) -> tuple[float, float | None]:
    """Seconds of the last of a few calls, and the most memory held, in MB."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    for _ in range(4 if cuda else 1):  # a graph is captured once a shape has come a few times
        call()
    if cuda:
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    call()
    if cuda:
        torch.cuda.synchronize(device)
    return time.perf_counter() - began, peak_memory_mb(device) if cuda else None
