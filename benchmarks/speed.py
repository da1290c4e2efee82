"""Speed of the network: throughput over plain float32 NCHW eager of the same network, in the same run; and what operators cost beside it.

    python benchmarks/speed.py [--prior photo64] [--sizes 64,256] [--batch 1] [--operators all]

The variants take turns, and the fastest of several rounds counts, so that a busy machine biases none of them.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import operator_speed
from benchmarks.common import save, table
from benchmarks.operator_facts import NAMES
from gdp.compose import compose, make
from gdp.prior import Prior
from gdp.report import peak_memory_mb

COLUMNS = "prior size batch dtype layout what ms_per_nfe forwards_per_s peak_mb ratio_to_fp32_eager".split()


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prior", default="photo64")
    parser.add_argument("--sizes", default="64,256")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--operators", default="all", help="names of conf/operator, all, or none")
    parser.add_argument("--operator-size", type=int, default=256)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    try:
        prior = make(compose(f"prior={args.prior}").prior)
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    rows = [row for size in args.sizes.split(",") if size for row in measure(args.prior, prior, int(size), args.batch, args.rounds)]
    if rows:
        print(table(rows, COLUMNS), end="\n\n")
    names = {"all": [n for n in NAMES if n != "custom"], "none": []}.get(args.operators, args.operators.split(","))
    costs = operator_speed.measure_operators(prior, names, args.operator_size, args.rounds)
    if costs:
        print(table(costs, operator_speed.COLUMNS))
    save(rows + costs, args.json)


def measure(name: str, prior: Prior, size: int, batch: int, rounds: int) -> list[dict]:
    """One row per variant of this size."""
    net = prior.net
    assert net is not None
    device, auto = next(net.parameters()).device, next(net.parameters()).dtype
    x = torch.randn(batch, 3, size, size, device=device)
    timesteps = torch.full((batch,), 500.0, device=device)
    labels = None if prior.label is None else torch.full((batch,), prior.label, device=device)
    layouts = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}
    variants = [(torch.float32, "nchw"), (torch.float32, "channels_last")]
    if auto != torch.float32:
        variants.append((auto, "channels_last"))
    best: dict[tuple, float] = {}
    memory: dict[tuple, float] = {}
    with torch.inference_mode():
        for _ in range(rounds):
            for dtype, layout in variants:
                net.to(dtype).to(memory_format=layouts[layout])
                z = x.to(dtype).contiguous(memory_format=layouts[layout])
                seconds, peak = timed(partial(net, z, timesteps, labels), device)
                best[dtype, layout] = min(seconds, best.get((dtype, layout), seconds))
                memory[dtype, layout] = peak
    net.to(auto).to(memory_format=torch.channels_last)
    reference = best[torch.float32, "nchw"]
    return [
        {
            "prior": name,
            "size": size,
            "batch": batch,
            "dtype": str(dtype).removeprefix("torch."),
            "layout": layout,
            "what": "exact",
            "ms_per_nfe": 1000 * best[dtype, layout],
            "forwards_per_s": batch / best[dtype, layout],
            "peak_mb": memory[dtype, layout],
            "ratio_to_fp32_eager": reference / best[dtype, layout],
        }
        for dtype, layout in variants
    ]


def timed(call: Callable[[], object], device: torch.device) -> tuple[float, float]:
    """Seconds of the second of two calls, and the most memory held, in MB."""
    cuda = device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(device)
    call()
    if cuda:
        torch.cuda.synchronize(device)
    began = time.perf_counter()
    call()
    if cuda:
        torch.cuda.synchronize(device)
    return time.perf_counter() - began, peak_memory_mb(device)


if __name__ == "__main__":
    main()
