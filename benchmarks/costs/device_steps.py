"""What benchmarks/gpu_run.py does in a process of its own: every task, DPS with many samples."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2]))

import gdp
from gdp.picture import read
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from gdp.prior.tiling import TiledPrior
from gdp.prior.weights import load_prior
from gdp.restore.facts import hardware, peak_memory_mb
from gdp.storage.places import CONF, SAMPLE
from operators.size.avgpool import AvgPool
from samplers.dps import DPS

TASK_STEPS, DPS_STEPS = 4, 2


def main() -> int:
    """Print the rows of one step as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["tasks", "dps"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--samples", type=int, default=16, help="of DPS")
    parser.add_argument("--side", type=int, default=256, help="pixels of DPS's pictures")
    parser.add_argument("--prior", help="of DPS, untrained; left out, photo64")
    parser.add_argument("--fraction", type=float, help="of the device's memory that may be used")
    parser.add_argument("--tasks", default="", help="separated by commas; left out, all")
    args = parser.parse_args()
    if args.fraction is not None and args.device == "cuda":
        torch.cuda.set_per_process_memory_fraction(args.fraction)

    rows = tasks(args) if args.what == "tasks" else [dps(args)]
    print(json.dumps(rows))
    return 0 if all(row["well"] for row in rows) else 1


def tasks(args: argparse.Namespace) -> list[dict[str, Any]]:
    """Each task on the sample, for a few steps, and how near the CPU's result it is."""
    names = (
        args.tasks.split(",")
        if args.tasks
        else sorted(
            file.stem
            for file in (CONF / "task").glob("*.yaml")
            if file.stem not in ("doctor", "sample")
        )
    )
    pixels = read(SAMPLE).pixels[..., :64, :64]
    priors = {name: gdp.load_prior("photo64", device=name) for name in (args.device, "cpu")}
    rows = []
    for name in names:
        given: dict[str, Any] = {"task": name, "steps": TASK_STEPS}
        photo = [pixels, pixels / 2] if name == "hdr" else pixels
        if name == "inpaint":
            given["mask"] = torch.zeros(64, 64).index_fill(0, torch.arange(20, 30), 1)
        try:
            began = time.perf_counter()
            result = gdp.restore(photo, prior=priors[args.device], device=args.device, **given)
            seconds = time.perf_counter() - began
            there = gdp.restore(photo, prior=priors["cpu"], device="cpu", **given)
            off = float((result.pixels - there.pixels).square().mean().sqrt())
            fine = bool(result.pixels.isfinite().all())
            rows.append({"task": name, "seconds": seconds, "off_the_cpu": off, "well": fine})
        except Exception as error:  # whatever it is belongs into the report
            text = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            rows.append({"task": name, "error": text, "well": False})
    return rows


def dps(args: argparse.Namespace) -> dict[str, Any]:
    """DPS with many samples in one batch, through tiles as the program has them."""
    device = torch.device(args.device)
    prior = TiledPrior(network(args.prior, args.device), full=2**17)
    y = torch.zeros(args.samples, 3, args.side // 4, args.side // 4, device=device)
    began = time.perf_counter()
    x = DPS(schedule=Schedule(DPS_STEPS))(prior, AvgPool(4), y).x
    fine = bool(x.isfinite().all())
    return {
        "samples": args.samples,
        "side": args.side,
        "device": hardware(device),
        "fraction": args.fraction,
        "seconds_a_step": (time.perf_counter() - began) / DPS_STEPS,
        "peak_memory_mb": peak_memory_mb(device),
        "pictures_a_call": {str(k): v // args.side**2 for k, v in prior.budget.pixels.items()},
        "well": fine,
    }


def network(name: str | None, device: str) -> Prior:
    """photo64, or the network of another prior with random weights."""
    if name is None:
        return load_prior("photo64.safetensors", device=device)
    from benchmarks.speed import load  # the same weights as the figures of speed have

    return load(name, untrained=True).to(device)


if __name__ == "__main__":
    sys.exit(main())
