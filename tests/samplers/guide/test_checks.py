"""What guidance is refused where it is made."""

from functools import partial

import pytest

from samplers.guide import losses, released
from samplers.guide.checks import check_scale
from samplers.guide.guidance import Guidance


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), True, "abc", None])
def test_a_weight_is_a_number_of_0_or_more(weight):
    with pytest.raises(ValueError, match=r"^guidance\.terms\.fidelity\.0=.*0 or more$"):
        Guidance({"fidelity": [weight, losses.fidelity]})


@pytest.mark.parametrize("pair", [1, [1], [1, losses.fidelity, 2], "ab"])
def test_a_term_is_a_pair(pair):
    with pytest.raises(ValueError, match=r"a term is \[weight, loss\]"):
        Guidance({"fidelity": pair})


def test_a_loss_is_a_function():
    with pytest.raises(ValueError, match=r"fidelity\.1=\{'target': 0\.3\}; a loss is a function"):
        Guidance({"fidelity": [1, {"target": 0.3}]})


@pytest.mark.parametrize(
    ("loss", "settings"),
    [
        (losses.exposure, {"target": 1.1}),
        (losses.exposure, {"patch": 0}),
        (losses.spatial_consistency, {"patch": -4}),
        (released.exposure, {"target": -1.5}),
        (released.exposure, {"cell": 0}),
    ],
)
def test_a_setting_has_bounds(loss, settings):
    (name,) = settings
    with pytest.raises(ValueError, match=rf"^guidance\.terms\.mine\.1\.{name}=.*; it is a "):
        Guidance({"mine": [0.0, partial(loss, **settings)]})
    Guidance({"mine": [0.0, partial(loss)]})


def test_what_is_in_bounds_is_taken():
    for target in (0, 0.44, 1):
        Guidance({"exposure": [2, partial(losses.exposure, target=target, patch=None)]})
    check_scale(0.0)
