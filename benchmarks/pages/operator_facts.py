"""What the tables of operators share: the operator of each YAML, and its closed forms."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageDraw

from gdp.compose.configuration import compose, make
from gdp.storage.places import CONF
from operators.base import AffineOperator, LinearOperator, Operator, SpectralOperator
from operators.tools import solve

NAMES = sorted(p.stem for p in (CONF / "operator").glob("*.yaml"))


def build_operator(name: str, folder: Path) -> Operator:
    """Build the operator of a YAML.

    Args:
        name: of the YAML; `custom` is the identity.
        folder: where a mask of scratches is drawn, where the operator takes one.
    """
    words = [f"operator={name}"]
    if name == "mask":
        words.append(f"mask={scratches(folder)}")
    if name == "custom":
        words.append("operator._target_=operators.identity.Identity")
    return make(compose(*words).operator)


def scratches(folder: Path) -> Path:
    """Draw a mask, two white scratches and a blot, where there is none."""
    file = folder / "scratches.png"
    if not file.exists():
        page = Image.fromarray(np.zeros((96, 96), np.uint8))
        draw = ImageDraw.Draw(page)
        draw.line([(8, 0), (30, 40), (26, 96)], fill=255, width=4)
        draw.line([(96, 20), (50, 60), (60, 96)], fill=255, width=3)
        draw.ellipse([(60, 8), (84, 26)], fill=255)
        page.save(file)
    return file


def linear_of(A: Operator) -> Operator:
    """Return A itself, or the linear part of an affine one."""
    return A.linear() if isinstance(A, AffineOperator) else A


@contextmanager
def counting() -> Iterator[list[int]]:
    """Count the iterations of every run of conjugate gradients inside the block."""
    runs: list[int] = []
    original = solve.cg

    def counted(matvec: Callable, *arguments: Any, **settings: Any) -> Any:
        runs.append(0)

        def step(p: torch.Tensor) -> torch.Tensor:
            runs[-1] += 1
            return matvec(p)

        return original(step, *arguments, **settings)

    # Wherever it was imported to
    modules = [m for m in sys.modules.values() if isinstance(m, ModuleType) and m is not solve]
    users = [m for m in modules if vars(m).get("cg") is original]
    for module in users:
        module.cg = counted  # type: ignore[attr-defined]
    try:
        yield runs
    finally:
        for module in users:
            module.cg = original  # type: ignore[attr-defined]


def closed_forms(A: Operator) -> list[str]:
    """List which of adjoint, pinv, prox and spectral need neither autograd nor an iteration."""
    A = linear_of(A)
    if not isinstance(A, LinearOperator):
        return []
    forms = [] if type(A).adjoint is LinearOperator.adjoint else ["adjoint"]
    x = torch.zeros(A.x_shape(torch.zeros(1, 6, 32, 32)))[:, :3]
    y = torch.randn_like(A(x))

    for name, call in (("pinv", lambda: A.pinv(y)), ("prox", lambda: A.prox(x, y, 0.1))):
        with counting() as runs:
            call()
        forms += [] if runs else [name]
    return forms + (["spectral"] if isinstance(A, SpectralOperator) else [])
