"""Every set has its tasks and tools."""

import pytest

from benchmarks.reality.ours import exists
from benchmarks.reality.plan import PLANS, plan_of
from benchmarks.reality.simulated import SETS


def test_each_set_has_the_plan_of_its_own_name():
    assert plan_of("blur_levin").shift == 8 and plan_of("blur_gopro").shift == 0
    assert plan_of("whitebalance").families == ("light",)
    assert plan_of("white_0.05").tasks[0] == "denoise:sigma_y=0.05"
    assert "sr4_bicubic:operator.r=2" in plan_of("sr_city100").tasks
    for name in SETS:
        assert plan_of(name).tasks


def test_tasks_that_do_not_exist_are_left_out():
    assert exists("denoise:sigma_y=auto") and not exists("")
    assert plan_of("noise_cc15", ["denoise", "paint"]).tasks == ("denoise",)


@pytest.mark.parametrize("name", PLANS)
def test_tasks_of_plans_exist(name):
    chosen = {t.partition(":")[0] for t in PLANS[name].tasks} - {"auto"}
    assert all(map(exists, chosen))
