"""What a step of training takes on a CPU, by torch's own operations and by the kernels.

    python benchmarks/costs/training_speed.py [--sizes 64,32] [--pixels 65536] [--rounds 3]
        [--json FILE]

The trainer's default network, random pictures, the hybrid loss, fused AdamW. The two take turns,
and the fastest of several rounds counts.
"""

import argparse
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from benchmarks.costs.network_speed import timed, torchs_own
from gdp.prior.schedule import betas
from gdp.train.loss import HybridLoss
from gdp.train.setup import DEFAULT_CONFIG, build

COLUMNS = "size batch torch_ms kernels_ms ratio".split()


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="64,32")
    parser.add_argument("--pixels", type=int, default=65536, help="in a batch, about")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()

    rows = [
        measure(size, max(1, args.pixels // size**2), args.rounds)
        for size in map(int, args.sizes.split(","))
    ]
    print(table(rows, COLUMNS))
    save(rows, args.json)


def measure(size: int, batch: int, rounds: int) -> dict:
    """Measure training on crops of a size."""
    step = training(size, batch)
    best: dict[str, float] = {}

    for _ in range(rounds):
        for name, form in (("torch_ms", torchs_own()), ("kernels_ms", nullcontext())):
            with form:
                ms = 1000 * timed(step, torch.device("cpu"))[0]
            best[name] = min(ms, best.get(name, ms))

    return {"size": size, "batch": batch, **best, "ratio": best["torch_ms"] / best["kernels_ms"]}


def training(size: int, batch: int) -> Callable[[], None]:
    """Prepare a step of training on so many crops."""
    torch.manual_seed(0)
    net, loss = build(DEFAULT_CONFIG).train(), HybridLoss(betas(**DEFAULT_CONFIG["diffusion"]))
    shape = (batch, 3, size, size)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-4, fused=True)

    x0, eps = (torch.randn(shape).contiguous(memory_format=torch.channels_last) for _ in range(2))
    t = torch.randint(1, loss.T + 1, (batch,))

    def step() -> None:
        loss(net, x0, t, eps)[0].backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


if __name__ == "__main__":
    main()
