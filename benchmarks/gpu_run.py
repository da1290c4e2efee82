"""What an hour on any device is to run, step by step, and the page of what came out.

    python benchmarks/gpu_run.py [--device cuda] [--only NAME,..] [--again] [--small]
        [--data PHOTOS --kept FOLDER --calls 4]

Each step is a process of its own and ends within ten minutes; its outcome is in the JSON as soon as
it is there, so a run that was cut off goes on with the next step. It needs no network: priors are
photo64, and others' networks with random weights, which is honest for speed. `--small` tries the
same on a CPU, in a minute or two. With --data, a prior is trained from nothing in so many calls
more; FOLDER holds what the next run goes on from (benchmarks/training/nothing.py).
"""

import argparse
import importlib.util
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import meta, table
from benchmarks.training import nothing
from gdp.prior.weights import choose_device
from gdp.restore.facts import hardware
from gdp.storage.files import atomic

ROOT = Path(__file__).parents[1]
LIMIT = 570  # seconds that a step may take
TAIL = 1500  # characters of a step's words that are kept
PAGE = """# A run on {hardware}

`python benchmarks/gpu_run.py`: {system}, torch {torch}, {why}, commit {commit}.

| step | outcome | seconds |
|---|---|---|
{steps}

{details}
"""


class Step(NamedTuple):
    """A command, and what must not be missing for it."""

    name: str
    words: list[str]
    environment: dict[str, str] = {}
    needs: str | None = None  # a package


def steps(device: str, small: bool) -> list[Step]:
    """All steps, in the order of what a short visit should not miss."""
    own, tests = "benchmarks/costs/device_steps.py", ["-m", "pytest", "-q", "-m", "gpu"]
    prior = [] if small else ["--prior", "imagenet256"]
    side, some = ("32", ["--tasks", "sr4,denoise"]) if small else ("256", [])
    speed = ["benchmarks/speed.py", *(prior and [*prior, "--untrained"]), "--operators", "none"]
    speed += ["--sizes", side, "--rounds", "1" if small else "3", "--reuse", "2"]
    batches = ["1"] if small else ["1", "4", "8", "32"]
    few = batches[:2]
    dps = [own, "dps", "--device", device, "--side", side, *prior]
    dps += ["--samples", "2" if small else "16"]
    train = ["-m", "gdp.train", "--data", "gdp/picture/samples", "--out", "{scratch}/trained"]
    train += ["--device", device, "--holdout", "0"]
    if small:
        train += ["--steps", "2", "--batch", "2", "--image-size", "32", "--samples", "1"]
        train += ["--model-channels", "32", "--channel-mult", "1,2", "--num-res-blocks", "1"]
    else:
        train += ["--steps", "200", "--batch", "64"]
    return [
        Step("doctor", ["run.py", "task=doctor", f"device={device}"]),
        Step("kernels against float64", [*tests, "tests/network/kernels"], needs="pytest"),
        Step("graphs and waits", [*tests, "tests/network/test_graphs.py", "tests/samplers"],
             needs="pytest"),
        Step("a capture that fails", [*tests, "tests/network/test_graphs.py", "-k", "cannot"],
             needs="pytest"),
        *(Step(f"speed, batch {b}", [*speed, "--batch", b]) for b in batches),
        *(Step(f"speed without graphs, batch {b}", [*speed, "--batch", b], {"GDP_GRAPHS": "0"})
          for b in few),
        *(Step(f"speed without our kernels, batch {b}", [*speed, "--batch", b],
               {"GDP_KERNELS": "0"}) for b in few),
        Step("every task", [own, "tasks", "--device", device, *some]),
        Step("DPS with many samples", dps),
        Step("DPS without our kernels", dps, {"GDP_KERNELS": "0"}),
        Step("DPS on a card of 6 GB", [*dps, "--fraction", "0.07"]),
        Step("training", train),
    ]  # fmt: skip


def run(step: Step, scratch: Path) -> dict[str, Any]:
    """Run a step; what came out."""
    if step.needs is not None and importlib.util.find_spec(step.needs) is None:
        return {"outcome": f"left out: no {step.needs} here", "seconds": 0.0}
    kept = scratch / "rows.json"
    kept.unlink(missing_ok=True)
    words = [word.replace("{scratch}", str(scratch)) for word in step.words]
    words += ["--json", str(kept)] if words[0] == "benchmarks/speed.py" else []

    began = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **step.environment}
    try:
        done = subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        code, said = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired as error:
        code, said = 124, f"{error.stdout or b''!r}"

    # pytest says 5 where it ran none: without a GPU all are left out.
    outcome = {0: "well", 5: "nothing to run here", 124: "took too long"}.get(
        code, f"failed, {code}"
    )
    report = {"outcome": outcome, "seconds": time.perf_counter() - began, "words": step.words}
    if kept.is_file():
        report["rows"] = json.loads(kept.read_text())["rows"]
    elif step.words[0] == "benchmarks/costs/device_steps.py":
        lines = [line for line in said.splitlines() if line.startswith("[{")]
        report["rows"] = json.loads(lines[-1]) if lines else []
    return {**report, "said": said[-TAIL:]}


def page(found: dict[str, Any]) -> str:
    """The report as Markdown."""
    rows = [
        f"| {name} | {step['outcome']} | {step['seconds']:.0f} |"
        for name, step in found["steps"].items()
    ]
    details = []
    for name, step in found["steps"].items():
        details.append(f"## {name}\n")
        if step.get("rows"):
            columns = list(dict.fromkeys(key for row in step["rows"] for key in row))
            details.append(table(step["rows"], columns))
        else:
            details.append(f"```\n{step.get('said', '').strip()}\n```")
        details.append("")
    return PAGE.format(**found["machine"], steps="\n".join(rows), details="\n".join(details))


def main() -> int:
    """Run what has not run yet; 1 where a step failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", help="left out, what device=auto is")
    parser.add_argument("--only", default="", help="names of steps, separated by commas")
    parser.add_argument("--again", action="store_true", help="steps that have run already too")
    parser.add_argument("--small", action="store_true", help="little of everything, on a CPU")
    parser.add_argument("--json", type=Path, default=Path("gpu_run.json"))
    parser.add_argument("--out", type=Path, default=Path("gpu_run.md"))
    parser.add_argument("--data", type=Path, help="photos to train a prior on, from nothing")
    parser.add_argument("--kept", type=Path, default=Path("gpu_run.kept"), help="its shards")
    parser.add_argument("--calls", type=int, default=1, help="of ten minutes for it")
    args = parser.parse_args()

    device, why = choose_device()
    name = args.device or device.type
    found: dict[str, Any] = {"steps": {}}
    if args.json.is_file() and not args.again:
        found = json.loads(args.json.read_text())
    found["machine"] = {
        "hardware": hardware(torch.device(name)),
        "system": platform.platform(),
        "torch": torch.__version__,
        "why": why,
        "commit": meta()["commit"],
    }

    scratch = args.json.absolute().with_suffix(".scratch")
    scratch.mkdir(parents=True, exist_ok=True)
    wanted = {word for word in args.only.split(",") if word}
    due = steps(name, args.small)
    if args.data is not None:
        more = nothing.calls(args.data, args.kept, args.calls, name, LIMIT - 20, args.small)
        due += [Step(*call) for call in more]
    for step in due:
        names = {step.name, step.name.rsplit(" ", 1)[0]}  # without the number of a call
        if (wanted and not wanted & names) or step.name in found["steps"]:
            continue
        print(f"{step.name} ...", flush=True)
        found["steps"][step.name] = outcome = run(step, scratch)
        print(f"  {outcome['outcome']}, {outcome['seconds']:.0f} s", flush=True)
        with atomic(args.json) as temporary:
            temporary.write_text(json.dumps(found, indent=1, default=str))
        with atomic(args.out) as temporary:
            temporary.write_text(page(found))
    return int(
        any(step["outcome"].startswith(("failed", "took")) for step in found["steps"].values())
    )


if __name__ == "__main__":
    sys.exit(main())
