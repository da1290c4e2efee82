"""Every sampler with every task: it ends above its input, or refuses with a reason.

Above its input: a higher PSNR than the photo as it came; or, degraded again, nearer to y, or as
near as y's noise lets it.
"""

from functools import cache

import pytest
import torch
import torch.nn.functional as F

from gdp.compose.configuration import build, compose
from gdp.picture import to_image
from gdp.prior.gaussian import GaussianPrior
from gdp.restore.observe import degrade
from operators.identity import Identity
from samplers.restorer import Run
from tests.conftest import SAMPLERS, TASKS, sampler_of
from tests.photos import astronaut

NEEDS = {"outpaint": ["operator.margins=4"]}
# Samplers that say of themselves why a result may end below the photo
LOOSE = ("sdedit", "gdp_x0_paper", "gdp_x0_v1", "gdp_xt", "gdp_xt_v1")
# Samplers that end above the input on every task that they take, at 40 steps and more
ABOVE = ("ddnm", "ddrm", "dds", "pigdm", "repaint", "gdp_linesearch")
SMALL, SIDE = 16, 32  # pixels: the least that all tasks take, and that tell something


@cache
def problem(task, mask_file, side):
    """x [1, 3, side, side] in [-1, 1], y and the operator of a task."""
    words = [f"task={task}", f"mask={mask_file}", "device=cpu", *NEEDS.get(task, [])]
    setup = build(compose(*words))
    sigma_y = setup.config["sigma_y"]
    x = F.avg_pool2d(astronaut(2 * side), 2)
    y, A = degrade(to_image(x), setup.operator, 0.02 if sigma_y == "auto" else sigma_y, [0])
    return x, y, A


def naive(A, y):
    """y as a picture of x's size: as it is, enlarged, one colour for three; else grey."""
    shape = A.x_shape(y)
    if y.ndim != 4 or y.shape[1] not in (1, 3) or y.shape[-1] > shape[-1]:
        return y.new_zeros(shape)
    return F.interpolate(y, shape[-2:]).expand(shape)


def misfit(A, x, y):
    """RMS of A(x) - y."""
    return float((A(x) - y).square().mean().sqrt())


def outcome(task, sampler, prior, mask_file, side=SIDE):
    """Why a sampler refuses a task, or whether it ends above its input."""
    x, y, A = problem(task, mask_file, side)
    try:
        sampler.check(A)
    except TypeError as error:
        return str(error)
    result, bound = sampler.restore(prior, A, y, Run([0]))
    assert result.isfinite().all(), task

    plain = naive(A, y)
    with torch.no_grad():
        left, given = misfit(bound, result, y), misfit(bound, plain, y)
    better = (result.clamp(-1, 1) - x).norm() < (plain.clamp(-1, 1) - x).norm()
    return bool(better or left < given or left < 1.5 * A.sigma_y + 0.02)


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
    assert outcome(task, sampler_of(name, 8), photo64, mask_file) is True


@pytest.mark.slow
@pytest.mark.parametrize("name", ABOVE)
def test_all_end_above_the_input(name, photo64, mask_file):
    sampler = sampler_of(name, 100)
    below = [task for task in TASKS if outcome(task, sampler, photo64, mask_file) is False]
    assert not below
