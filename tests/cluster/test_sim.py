"""The simulated cluster: nothing lost, nothing twice, and as long as a real run takes."""

import time

import pytest

from tests.cluster.conftest import run
from tests.cluster.test_ray import SLOW, WORDS
from tests.folder.test_folder import photos

pytest.importorskip("simpy")


def told(**fields):
    from benchmarks.costs.cluster import Cluster, Plan

    return Cluster(Plan(**fields)).run()


def test_without_trouble_it_is_arithmetic():
    fields = {"photos": 100, "actors": 5, "per_node": 5, "seconds": 2.0, "spread": 1e-9}
    found = told(**fields, load=10.0, fetch=0.25, store=0.25)
    assert found.seconds == pytest.approx(10 + 20 * 2.5)
    assert found.busy == pytest.approx(200) and len(found.done) == 100
    reader = told(**fields, load=0.0, rate=1.0)
    assert reader.seconds == pytest.approx(100 + 2.2)  # the reader is the bottleneck


@pytest.mark.parametrize("seed", range(4))
def test_nodes_that_are_lost_lose_nothing(seed):
    found = told(photos=2000, batch=4, actors=16, per_node=4, node_hours=0.3, seed=seed)
    assert found.lost_nodes > 0
    assert set(found.done) == set(range(2000)) and set(found.done.values()) == {1}
    assert not found.poisoned


def test_poison_is_told_and_the_others_of_its_batch_are_done():
    found = told(photos=1000, batch=4, actors=8, poison=0.003, seed=2)
    assert found.poisoned and not found.poisoned & set(found.done)
    assert found.poisoned | set(found.done) == set(range(1000))
    assert found.kills == 5 * len(found.poisoned)  # 2 and 1 with their batch, 1 and 1 alone


def test_stragglers_are_waited_for():
    fields = {"photos": 400, "actors": 8, "per_node": 2, "seed": 1}
    assert told(**fields, stragglers=0.5).seconds > 1.1 * told(**fields).seconds


def test_as_long_as_a_real_run(cluster, tmp_path):
    """Two actors and photos of a known time; how long actors take to begin is taken from a run."""
    words = [*WORDS, *SLOW, "batch=1", "engine=ray", f"address={cluster.address}", "actors=2"]
    words = [word for word in words if word != "batch=3"]

    def seconds(count):
        folder = photos(tmp_path / f"in{count}", count)
        began = time.monotonic()
        assert run(f"input={folder}", f"output={tmp_path / str(count)}", *words)[0] == 0
        return time.monotonic() - began

    few, many = seconds(2), seconds(26)
    fields = {"actors": 2, "per_node": 1, "seconds": 0.7, "spread": 1e-9, "store": 0.3}
    load = few - 0.7 - 0.3 - 0.1
    assert many == pytest.approx(told(photos=26, load=load, **fields).seconds, rel=0.5)
