"""docs/operators.md says what the code is."""

from pathlib import Path

import pytest
import torch

from benchmarks.pages import operators as operators_page
from benchmarks.pages.operator_facts import NAMES, build_operator, closed_forms, counting
from operators.blur import Blur, blur
from operators.blur.kernels import gaussian, motion
from operators.blur.varying_blur import VaryingBlur
from tests.conftest import OPERATORS

REMEDY = "python -m benchmarks.pages.operators brings docs/operators.md up to date"


@pytest.fixture(scope="module")
def page():
    return operators_page.PAGE.read_text()


def test_it_names_every_yaml_and_no_other(page):
    assert NAMES == OPERATORS
    assert [line[3:] for line in page.splitlines() if line.startswith("## ")] == OPERATORS, REMEDY
    assert page.startswith(operators_page.HEAD), REMEDY


@pytest.mark.parametrize("name", OPERATORS)
def test_it_is_up_to_date(page, name, tmp_path):
    if name == "deepinv":
        pytest.importorskip(name)
    if operators_page.section(name, build_operator(name, tmp_path)) not in page:
        pytest.fail(f"{name}: {REMEDY}")


def test_its_pictures_are_there_and_small(page):
    named = {
        word.rstrip(")")
        for word in page.split("](")[1:]
        for word in [word.split(")")[0]]
        if word.endswith(".png")
    }
    files = {f"operators/{file.name}" for file in operators_page.PICTURES.glob("*.png")}
    assert named == files and len(files) == len(
        OPERATORS
    )  # one each but for `custom`, and the photo
    assert sum(file.stat().st_size for file in operators_page.PICTURES.iterdir()) < 2**20


def test_closed_forms_are_told_from_iterations():
    assert closed_forms(blur(gaussian())) == ["adjoint", "pinv", "prox", "spectral"]
    assert (
        closed_forms(Blur(motion()))
        == closed_forms(VaryingBlur([gaussian(), motion()]))
        == ["adjoint"]
    )
    assert closed_forms(build_operator("gamma", Path("none"))) == []
    assert closed_forms(build_operator("haze", Path("none"))) == [
        "adjoint",
        "pinv",
        "prox",
        "spectral",
    ]


def test_iterations_are_counted():
    A, y = Blur(motion(), iterations=7), torch.randn(1, 3, 24, 24)
    with counting() as runs:
        A.pinv(y)
        A.prox(y, y, 1e-4)
    assert runs == [15, 7]
    with counting() as runs:
        blur(gaussian()).pinv(y)
    assert runs == []
