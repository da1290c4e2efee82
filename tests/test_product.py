"""Every sampler with every task: it ends above its input, or refuses with a reason.

Above its input: a higher PSNR than the photo as it came; or, degraded again, nearer to y, or as
near as y's noise lets it.
"""

from functools import cache

import pytest
import torch.nn.functional as F

import gdp
from benchmarks.measures import product
from gdp.picture import picture_of, to_image
from gdp.prior.gaussian import GaussianPrior
from operators.identity import Identity
from samplers.below import BELOW, why_below
from tests.conftest import SAMPLERS, TASKS, sampler_of
from tests.photos import astronaut

# Samplers that say of themselves why a result may end below the photo
LOOSE = ("sdedit", "gdp_x0_paper", "gdp_x0_v1", "gdp_xt", "gdp_xt_v1")
# Samplers that end above the input on every task that they take, at 40 steps and more
ABOVE = ("ddnm", "ddrm", "dds", "pigdm", "repaint", "gdp_linesearch")
SMALL, SIDE = 16, 32  # pixels: the least that all tasks take, and that tell something


@cache
def problem(task, mask_file, side):
    """x [1, 3, side, side] in [-1, 1], y and the operator of a task."""
    x = F.avg_pool2d(astronaut(2 * side), 2)
    return x, *product.problem(task, mask_file, x)


def outcome(task, sampler, prior, mask_file, side=SIDE):
    """Why a sampler refuses a task, or whether it ends above its input."""
    x, y, A = problem(task, mask_file, side)
    found = product.outcome(sampler, prior, x, y, A)
    return found if isinstance(found, str) else bool(found.above)


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_takes_every_task_or_refuses_it(name, mask_file):
    sampler, prior = sampler_of(name, 3), GaussianPrior(0.0, 0.5)
    said = [outcome(task, sampler, prior, mask_file, SMALL) for task in TASKS]
    assert all("; try " in one for one in said if isinstance(one, str))
    assert any(isinstance(one, bool) for one in said)


@pytest.mark.parametrize("name", SAMPLERS)
def test_those_that_may_end_below_say_so(name):
    sampler = sampler_of(name, 100)
    sampler = sampler.for_operator(Identity())  # what auto chooses
    here = sampler.warning((1, 3, SIDE, SIDE), 100)
    assert bool(here) == (name in LOOSE)

    # The released scales are right at their own size and number of steps.
    own = sampler.warning((1, 3, 256, 256), 1000)
    assert bool(own) == (name == "sdedit")


def test_the_word_reaches_the_user(photo64, mask_file, caplog):
    outcome("sr4", sampler_of("sdedit", 2), photo64, mask_file, SMALL)
    assert "SDEdit says nothing of the photo after its start" in caplog.text
    caplog.clear()
    outcome("sr4", sampler_of("gdp_x0_paper", 20), photo64, mask_file, SMALL)
    assert "256x256 pixels and 1000 steps" in caplog.text


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("name", ["auto", "gdp_x0"])
def test_ours_end_above_the_input(name, task, photo64, mask_file):
    x, _, A = problem(task, mask_file, SIDE)
    sampler = sampler_of(name, 8)
    if not why_below(sampler, A, x.shape, 8):
        assert outcome(task, sampler, photo64, mask_file) is True


@pytest.mark.slow
@pytest.mark.parametrize("name", ABOVE)
def test_all_end_above_the_input(name, photo64, mask_file):
    sampler, below = sampler_of(name, 100), []
    for task in TASKS:
        x, _, A = problem(task, mask_file, SIDE)
        if not why_below(sampler, A, x.shape, 100):
            below += [task] * (outcome(task, sampler, photo64, mask_file) is False)
    assert not below


def test_a_run_refuses_what_ends_below(photo64, tmp_path):
    file = tmp_path / "photo.png"
    picture_of(to_image(astronaut(32))).save(file)
    for words in ({"task": "sr4", "sampler": "sdedit"}, {"task": "colorize", "sampler": "ilvr"}):
        with pytest.raises(ValueError, match="take sampler=auto, or force=true"):
            gdp.restore(str(file), prior=photo64, steps=2, sigma_y=0.02, **words)
    for more in ({"force": True}, {"init": str(file)}):
        words = {"task": "denoise", "sampler": "sdedit", "sigma_y": 0.1, "steps": 2, **more}
        assert gdp.restore(str(file), prior=photo64, **words).pixels.isfinite().all()


def test_a_pair_that_ends_below_needs_no_weights_to_be_refused(tmp_path):
    pixels = to_image(astronaut(32))[0]
    words = {"task": "colorize", "sampler": "ilvr", "sigma_y": 0.02, "prior": "custom"}
    words["prior.path"] = tmp_path / "none.pt"
    with pytest.raises(ValueError, match="ILVR ends below the photo with Gray"):
        gdp.restore(pixels, **words)
    with pytest.raises((OSError, ValueError), match="none"):
        gdp.restore(pixels, force=True, **words)


def test_what_is_known_to_end_below_is_of_classes_that_there_are():
    made = [sampler_of(name) for name in SAMPLERS]
    samplers = {type(sampler).__name__: sampler for sampler in made}
    assert set(BELOW) <= set(samplers)
    for name, (operators, _) in BELOW.items():
        kind = type("Own", (Identity,), {"__name__": operators[0]})
        kind.__name__ = operators[0]
        said = why_below(samplers[name], kind(), (1, 3, 64, 64), 100)
        assert operators[0] in said and not why_below(samplers[name], Identity(), (1, 3, 64, 64), 9)
