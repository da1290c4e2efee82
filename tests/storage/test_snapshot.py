"""A restoration that is interrupted in its middle comes to the same result, bit for bit.

Every sampler does, and every kind of blind operator.
"""

from typing import NamedTuple

import pytest
import torch
from skimage import data
from torch import Tensor

from gdp.picture import to_model
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior
from gdp.restore import sample
from gdp.storage.snapshot import Slot, Snapshot
from operators.base import Operator
from operators.blur.blind.blind_blur import BlindBlur
from operators.blur.blind.search import Stroke
from operators.size.avgpool import AvgPool
from samplers.ddnm import DDNM
from samplers.low_res_first import LowResFirst
from samplers.restorer import Run
from tests.conftest import SAMPLERS, operator_of, sampler_of
from tests.prior.test_prior import tiny

BLIND = ["blind_blur", "light", "exposures", "white_balance", "dehaze", "oldphoto"]


PRIORS = [lambda: GaussianPrior(0.1, 0.4)]  # the last is taken


class Killed(BaseException):
    """What nobody catches."""


class Doomed(Snapshot):
    """A snapshot that is written at every step, after the last of which the run ends."""

    left = 0

    def write(self):
        super().write()
        self.left -= 1
        if self.left == 0:
            raise Killed


def photo(size=24):
    """A corner of a public-domain photo [1, 3, size, size] in [-1, 1]."""
    return to_model(
        torch.from_numpy(data.astronaut()[40 : 40 + size, 200 : 200 + size])
        .float()
        .permute(2, 0, 1)[None]
        / 255
    )


class Drawn(NamedTuple):
    """What a run comes to."""

    x: Tensor
    operator: Operator
    nfe: int


def draw(sampler, A, y, snapshot=None, samples=1):
    """Samples two at a time, from a prior of its own."""
    run = Run(range(3, 3 + samples), keep=None if snapshot is None else snapshot.slot())
    (restored,), cost = sample.draw(sampler, PRIORS[-1](), A, y, run, most=2)
    return Drawn(*restored, cost.calls)


def interrupted(sampler, A, y, file, after, samples=1):
    """Ended after so many steps, and gone on with."""
    doomed = Doomed(file, "key", 1e-9)
    doomed.left = after
    with pytest.raises(Killed):
        draw(sampler, A, y, doomed, samples)
    snapshot = Snapshot(file, "key", 1e-9)
    assert snapshot.load() and snapshot.seconds > 0
    return draw(sampler, A, y, snapshot, samples)


def compare(sampler, A, y, file, steps, samples=1):
    """Undisturbed, and interrupted after each of `steps`."""
    whole = draw(sampler, A, y, samples=samples)
    for after in steps:
        again = interrupted(sampler, A, y, file, after, samples)
        assert torch.equal(again.x, whole.x) and again.nfe == whole.nfe
        assert again.operator.describe(y) == whole.operator.describe(y)
        assert all(
            torch.equal(p, q)
            for p, q in zip(again.operator.parameters(), whole.operator.parameters(), strict=True)
        )


@pytest.mark.parametrize("sigma_y", [0.0, 0.2])
@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_goes_on_where_it_was(name, sigma_y, tmp_path):
    A = AvgPool(2)
    A.sigma_y = sigma_y
    sampler = sampler_of(name, 5)
    steps = 5 if name != "repaint" else sampler.nfe(1000)
    compare(sampler, A, A(photo()), tmp_path / "s", [1, 3, steps])


@pytest.mark.parametrize("name", ["ddnm", "gdp_x0", "reddiff", "ilvr"])
def test_passes_travel_and_batches_of_samples(name, tmp_path):
    A = AvgPool(2)
    sampler = LowResFirst(
        sampler_of(name, 4, "sampler.schedule.travel=2", "sampler.schedule.repeat=2"),
        factors=[4, 2],
    )
    passes = sampler.passes(1000, A, A(photo(32)))
    calls = 2 * sum(passes)  # three samples in two batches
    compare(
        sampler,
        A,
        A(photo(32)),
        tmp_path / "s",
        [2, passes[0], passes[0] + 1, calls // 2 + 1, calls - 1],
        samples=3,
    )


def test_features_that_are_reused_go_on_too(tmp_path, monkeypatch):
    network = Prior(tiny(), betas())
    monkeypatch.setitem(
        globals(), "PRIORS", [lambda: TiledPrior(ReusingPrior(network, 3), full=10**6)]
    )
    y = AvgPool(2)(photo(32))
    compare(sampler_of("ddnm", 6), AvgPool(2), y, tmp_path / "s", [1, 2, 3, 4])
    compare(LowResFirst(sampler_of("ddnm", 6), factors=[2]), AvgPool(2), y, tmp_path / "t", [2, 8])


@pytest.mark.parametrize(
    ("name", "coarse"), [(name, coarse) for name in BLIND for coarse in (False, True)][1:]
)
def test_what_was_found_goes_on_too(name, coarse, tmp_path, mask_file, monkeypatch):
    stroke = Stroke(5.0, 30.0, 0.7).kernel(11)  # more than so small a picture tells
    monkeypatch.setattr(BlindBlur, "found", lambda *_: stroke)
    A = BlindBlur(5) if name == "blind_blur" else operator_of(name, mask_file)
    A.sigma_y = 0.05
    x = photo(24)
    y = torch.cat([0.3 * x - 0.5, x], 1) if name == "exposures" else 0.7 * x - 0.2
    sampler = sampler_of("auto", 4)
    sampler = LowResFirst(sampler, factors=[2]) if coarse else sampler
    compare(sampler, A, y, tmp_path / "s", [2, 5] if coarse else [2])


def test_another_key_or_a_damaged_file_begins_anew(tmp_path, caplog):
    file, y = tmp_path / "s", photo()
    interrupted(sampler_of("ddnm", 3), AvgPool(2), AvgPool(2)(y), file, 1)
    assert not Snapshot(file, "other", 1.0).load() and not Snapshot(file, "key", None).load()
    file.write_bytes(file.read_bytes()[:200])
    assert not Snapshot(file, "key", 1.0).load() and "begins anew" in caplog.text
    assert not Snapshot(tmp_path / "none", "key", 1.0).load()


def test_what_cannot_be_saved_is_said_once(tmp_path, caplog):
    class Hoarder(DDNM):
        def step(self, x, t, s, prior, A, y, noise, memory):
            memory["open"] = open  # no plain value
            return super().step(x, t, s, prior, A, y, noise, memory)

    y = AvgPool(2)(photo())
    out = draw(
        Hoarder(clip=True, schedule=sampler_of("ddnm", 4).schedule),
        AvgPool(2),
        y,
        Snapshot(tmp_path / "s", "key", 1e-9),
    )
    assert torch.equal(out.x, draw(sampler_of("ddnm", 4), AvgPool(2), y).x)
    assert (
        caplog.text.count("begins anew") == 1
        and "builtin" in caplog.text
        and not list(tmp_path.iterdir())
    )


def test_short_work_leaves_no_file(tmp_path):
    snapshot = Snapshot(tmp_path / "s", "key", 2.0)
    draw(sampler_of("ddnm", 3), AvgPool(2), AvgPool(2)(photo()), snapshot)
    snapshot.stop()
    assert not list(tmp_path.iterdir())
    snapshot.began -= 121
    snapshot.stop()
    assert Snapshot(tmp_path / "s", "key", 2.0).load()


def test_slots_are_apart(tmp_path):
    slot = Slot(Snapshot(tmp_path / "s", "key", None))
    slot.at(1).at("x").offer({"n": 1})
    slot.at(2).offer({"n": 2})
    assert (
        slot.snapshot.states == {"/1/x": {"n": 1}, "/2": {"n": 2}}
        and slot.at(3).load(torch.device("cpu")) is None
    )
