"""A restoration that is interrupted in its middle comes to the same result, bit for bit: every sampler, every kind of blind operator."""

import pytest
import torch
from skimage import data

from gdp.picture.image import to_model
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior
from gdp.restore import pipeline
from gdp.storage.snapshot import Place, Snapshot
from gdp.storage.state import decode, encode, load_module, module_state
from operators.base import Operator
from operators.blur.blind_blur import BlindBlur
from operators.light.light import Light
from operators.size.avgpool import AvgPool
from samplers.ddnm import DDNM
from samplers.low_res_first import LowResFirst
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


def draw(sampler, A, y, snapshot=None, samples=1):
    """Samples two at a time, from a prior of its own."""
    prior = PRIORS[-1]()

    def restore(y, seeds, init, keep):
        return pipeline.restore(prior, A, sampler, y, seeds, init, None, keep)

    return pipeline.draw(
        restore, y, range(3, 3 + samples), None, 2, None if snapshot is None else snapshot.place()
    )[0]


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
        assert torch.equal(again.pixels, whole.pixels) and again.nfe == whole.nfe
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
def test_what_was_found_goes_on_too(name, coarse, tmp_path, mask_file):
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
        Hoarder(schedule=sampler_of("ddnm", 4).schedule),
        AvgPool(2),
        y,
        Snapshot(tmp_path / "s", "key", 1e-9),
    )
    assert torch.equal(out.pixels, draw(sampler_of("ddnm", 4), AvgPool(2), y).pixels)
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


def test_values_come_back_as_they_were():
    wide = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    values = {
        "a": [1, 2.5, None, True, "x"],
        3: (slice(1, None), wide, wide[:, :, 1:3], torch.tensor(7)),
        "c": {
            "k": torch.randn(3, dtype=torch.complex64),
            "half": torch.randn(2).bfloat16(),
            "wide": torch.ones(1).expand(4),
        },
    }
    tensors: dict = {}
    again = decode(encode(values, tensors), tensors, torch.device("cpu"))
    torch.testing.assert_close(again["c"], values["c"], atol=0, rtol=0)
    assert (
        again["a"] == values["a"] and again[3][0] == slice(1, None) and isinstance(again[3], tuple)
    )
    for new, old in zip(again[3][1:], values[3][1:], strict=True):
        assert torch.equal(new, old) and new.dtype == old.dtype
    assert again[3][1].stride() == wide.stride()
    with pytest.raises(TypeError, match="function"):
        encode([draw], {})


def test_state_of_an_operator(tmp_path):
    class Odd(Operator):
        def __init__(self):
            super().__init__()
            self.part, self.count, self._cache, self.code = Light(), 3, torch.ones(2), draw
            self.register_buffer("b", torch.zeros(2))

    A, B = Odd(), Odd()
    A.count, A.part.f.data[:] = 5, 0.25
    kept = module_state(A)
    A.part.f.data[:] = 0.5
    load_module(B, kept)
    assert B.count == 5 and (B.part.f == 0.25).all() and set(kept[""]) == {"count", "b"}
    with pytest.raises(ValueError, match="other parts"):
        load_module(Light(), kept)


def test_places_are_apart(tmp_path):
    place = Place(Snapshot(tmp_path / "s", "key", None))
    place.at(1).at("x").offer({"n": 1})
    place.at(2).offer({"n": 2})
    assert (
        place.snapshot.states == {"/1/x": {"n": 1}, "/2": {"n": 2}}
        and place.at(3).load(torch.device("cpu")) is None
    )
