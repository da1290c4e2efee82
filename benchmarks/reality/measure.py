"""One pair by every method: a row for the input, each tool of others, and each task of ours.

A row is {table, set, name, half, method, kind, psnr, ssim, haarpsi, moved, gradients, ...}; `kind`
is input, other, oracle (knows the truth) or ours. A method that refuses a photo has `error` in
place of scores.
"""

from collections.abc import Iterator
from functools import partial

from torch import Tensor

from benchmarks.reality.keep import Kept
from benchmarks.reality.others import Tool, tools
from benchmarks.reality.others_noise import NLM_STRENGTHS
from benchmarks.reality.ours import restore
from benchmarks.reality.pairs import Pair
from benchmarks.reality.plan import Plan
from benchmarks.reality.scores import linear, movement, scores, stops
from gdp.prior.prior import Prior

BEST_NLM = "opencv_nlm_best*"


def measure(
    pair: Pair, plan: Plan, prior: Prior, overrides: list[str], kept: Kept
) -> Iterator[dict]:
    """Yield the rows of a pair.

    Args:
        pair: photo and truth.
        plan: what is tried.
        prior: of our tasks.
        overrides: settings of our tasks, KEY=VALUE.
        kept: rows of a run before.
    """
    yield {**head(pair, "input", "input"), **scored(pair, pair.photo, plan.shift)}

    # Tools of others, and the best of those that differ in strength only
    rows = []
    for method, tool in tools(plan.families).items():
        row = kept.get(key(pair, method), partial(of_tool, pair, plan, method, tool))
        if len(row) > len(head(pair, method, "")):
            rows.append(row)
    yield from rows
    yield from best_nlm(rows)

    for task in plan.tasks:
        row = kept.get(key(pair, task), partial(of_task, pair, plan, task, prior, overrides))
        if len(row) > len(head(pair, task, "")):
            yield row


def key(pair: Pair, method: str) -> tuple[str, ...]:
    """What tells a row from others."""
    return pair.set, pair.name, method


def head(pair: Pair, method: str, kind: str) -> dict:
    """The words that a row begins with."""
    return {
        "table": "pairs",
        "set": pair.set,
        "name": pair.name,
        "half": pair.half,
        "method": method,
        "kind": kind,
    }


def of_tool(pair: Pair, plan: Plan, method: str, tool: Tool) -> dict:
    """The row of another's tool; no more than its head where the tool does not apply."""
    row = head(pair, method, "oracle" if method.endswith("*") else "other")
    try:
        pixels = tool.run(pair)
        return row if pixels is None else row | scored(pair, pixels, plan.shift)
    except (ValueError, TypeError) as error:
        return row | {"error": str(error)}


def of_task(pair: Pair, plan: Plan, task: str, prior: Prior, overrides: list[str]) -> dict:
    """The row of a task of ours; no more than its head where the task does not apply."""
    row = head(pair, task, "ours")
    try:
        restored = restore(task, pair, prior, overrides)
        if restored is None:
            return row
        row |= scored(pair, restored.pixels, plan.shift, restored.light)
    except (ValueError, TypeError, OSError) as error:
        return row | {"error": str(error)}
    return row | {"calls": restored.calls, "sigma_y": restored.sigma_y}


def scored(pair: Pair, pixels: Tensor, shift: int, light: Tensor | None = None) -> dict:
    """Every score that a result has."""
    row = {**scores(pixels, pair.truth, shift), **movement(pixels, pair.photo)}
    if pair.light is not None:
        row["stops"] = stops(linear(pixels) if light is None else light, pair.light)
    return row


def best_nlm(rows: list[dict]) -> Iterator[dict]:
    """The row of OpenCV's non-local means at the strength of the highest PSNR."""
    names = {f"opencv_nlm_{h}" for h in NLM_STRENGTHS}
    found = [row for row in rows if row["method"] in names and "psnr" in row]
    if found:
        best = max(found, key=lambda row: row["psnr"])
        yield {**best, "method": BEST_NLM, "kind": "oracle"}
