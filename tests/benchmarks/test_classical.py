"""Classical methods do what they are for, and have no row elsewhere."""

from types import SimpleNamespace

import pytest
import torch

from benchmarks import scoring
from benchmarks.classical import CLASSICAL, tv_best
from benchmarks.reality.simulated import public
from gdp.compose.configuration import build, compose
from gdp.restore.scores.metrics import psnr


def case_of(*words):
    """A task on the middle of a public photo."""
    clean = scoring.crop_square(public("chelsea"), 48)
    return scoring.case(build(compose(*words)), clean, [0], SimpleNamespace(device="cpu"))


def above(c, name):
    """By how many dB a method ends above y, or above A^+ y."""
    x = CLASSICAL[name](c)
    assert x.shape == c.clean.shape
    before = scoring.unchanged(c)
    before = scoring.inverted(c) if before is None else before
    return float(psnr(x.clamp(0, 1), c.clean) - psnr(before.clamp(0, 1), c.clean))


@pytest.mark.parametrize(
    ("name", "words", "gain"),
    [
        ("nlm", ("task=denoise", "sigma_y=0.1"), 5),
        ("tv_best", ("task=denoise", "sigma_y=0.1"), 5),
        ("biharmonic", ("task=inpaint_random",), 10),
        ("telea", ("task=inpaint_random",), 8),
        ("wiener", ("task=deblur",), 0.5),
        ("tv_best", ("task=sr4",), 1),
    ],
)
def test_a_method_ends_above_its_input(name, words, gain):
    pytest.importorskip("skimage.restoration")
    if name == "telea":
        pytest.importorskip("cv2")
    assert above(case_of(*words), name) > gain


def test_what_a_method_cannot_do_has_no_row():
    c = case_of("task=deblur")
    assert all(CLASSICAL[name](c) is None for name in ("nlm", "biharmonic", "telea"))
    assert tv_best(case_of("task=jpeg")) is None
    assert CLASSICAL["wiener"](case_of("task=denoise", "sigma_y=0.1")) is None


def test_the_best_weight_is_each_photos_own():
    words = ("task=denoise", "sigma_y=0.1")
    one, other = case_of(*words), case_of(*words)
    both = one._replace(
        clean=torch.cat([one.clean, other.clean * 0 + 0.5]),
        y=torch.cat([one.y, one.y * 0 + 0.05 * torch.randn_like(one.y)]),
    )
    assert torch.allclose(tv_best(both)[:1], tv_best(one), atol=1e-4)
