"""What a training run leaves in its folder: a checkpoint, curves, a config and tables.

Every file is written whole or not at all.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from gdp.storage.files import atomic
from gdp.train.loss import RESTORED


def write(file: Path, content: str | bytes) -> None:
    """Replace a file."""
    with atomic(file) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


def save_checkpoint(file: Path, state: Mapping[str, Any]) -> None:
    """Replace a checkpoint.

    Raises:
        OSError: the disk is full, which torch.save wraps in an error of its own.
    """
    with atomic(file) as temporary, temporary.open("wb") as stream:
        try:
            torch.save(state, stream)
        except RuntimeError as error:
            raise error.__context__ if isinstance(error.__context__, OSError) else error from None


def load_checkpoint(file: Path) -> dict[str, Any]:
    """Read a checkpoint, onto the CPU.

    Raises:
        ValueError: it is damaged.
    """
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        raise ValueError(
            f"{file} cannot be read ({type(error).__name__}); move it away to start anew"
        ) from None


def save_weights(file: Path, weights: Mapping[str, Tensor]) -> None:
    """Replace a .safetensors file, in fp16."""
    halves = {name: w.half().contiguous().cpu() for name, w in weights.items()}
    write(file, safetensors.torch.save(halves))


def append(file: Path, row: Mapping[str, Any]) -> None:
    """Add a line to a .jsonl curve."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(row) + "\n")


def rows(file: Path) -> list[dict[str, Any]]:
    """Read the lines of a .jsonl curve, without one that a kill cut short."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def rewrite(file: Path, curve: Sequence[Mapping[str, Any]]) -> None:
    """Replace a .jsonl curve."""
    write(file, "".join(json.dumps(row) + "\n" for row in curve))


def as_yaml(config: Mapping[str, Any]) -> str:
    """Write a config as plain YAML, which needs no library."""
    diffusion = "{" + ", ".join(f"{k}: {v}" for k, v in config["diffusion"].items()) + "}"
    return "".join(
        f"{k}: {diffusion if k == 'diffusion' else json.dumps(v)}\n" for k, v in config.items()
    )


def table(
    columns: Mapping[str, Sequence[float]], restored: Mapping[str, float] | None = None
) -> str:
    """Tabulate held-out eps MSE in Markdown.

    Args:
        columns: by name, the MSE of each bucket of t / T.
        restored: by the same names, the mean over the noise at which restorations work.

    Returns:
        A line for each bucket, one of the means, and one of `restored` where it is given.
    """
    number = len(next(iter(columns.values())))

    lines = [["t / T", *columns], ["---"] * (1 + len(columns))]
    lines += [
        [f"{b / number:.1f}-{(b + 1) / number:.1f}", *(f"{c[b]:.5f}" for c in columns.values())]
        for b in range(number)
    ]
    lines += [["mean", *(f"{sum(c) / number:.5f}" for c in columns.values())]]
    if restored is not None:
        low, high = RESTORED
        lines += [[f"noise {low:g}-{high:g}", *(f"{restored[name]:.5f}" for name in columns)]]

    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
