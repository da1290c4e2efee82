"""When a call of the network is recorded as a CUDA graph, replayed, or left alone.

With a stand-in on a CPU, and (-m gpu) the real one.
"""

import contextlib
import copy
import pickle
import threading

import pytest
import torch
from torch import nn

from gdp.network import graphs
from gdp.network.graphs import MAX_COUNTED, MAX_GRAPHS, RECORDED_CALL, Graphs
from gdp.prior.exact import exact_float32
from gdp.prior.prior import Prior
from gdp.prior.reuse import ReusingPrior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior
from tests.networks import small_unet


class Net(nn.Module):
    """z + timesteps + labels, times a weight; counts its calls."""

    capturable, model_channels, num_classes = True, 64, None

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.calls = 0

    def forward(self, z, timesteps, labels=None):
        self.calls += 1
        return self.weight * (
            z
            + timesteps[:, None, None, None]
            + (0 if labels is None else labels[:, None, None, None])
        )


class Fake:
    """A recording that computes anew, or fails; it knows what it was made beside."""

    recordings: list["Fake"] = []

    def __init__(self, net, inputs, beside):
        self.net, self.beside, self.replays = copy.deepcopy(net), beside, 0
        Fake.recordings.append(self)

    def __call__(self, *inputs):
        self.replays += 1
        return self.net(*inputs)


@pytest.fixture(autouse=True)
def _possible(monkeypatch, request):
    Fake.recordings = []
    if request.node.get_closest_marker("gpu"):
        if not torch.cuda.is_available():
            pytest.skip("needs a CUDA device")
    else:
        monkeypatch.setattr(graphs, "available", lambda z: True)


def inputs(batch=1, size=8, labels=False, value=1.0):
    """z, timesteps, labels."""
    return (
        torch.full((batch, 3, size, size), value),
        torch.full((batch,), 10.0),
        torch.full((batch,), 3) if labels else None,
    )


def repeat(cache, net, *of, times=RECORDED_CALL):
    """Call until there is a recording."""
    for _ in range(times):
        cache(net, *of)


@torch.no_grad()
def test_the_third_call_is_recorded_and_the_fourth_replayed():
    net, cache = Net().eval(), Graphs(Fake)
    for n in range(1, 7):
        of = inputs(value=n)
        assert torch.equal(cache(net, *of), of[0] + 10)
        assert len(Fake.recordings) == (n >= RECORDED_CALL)
    assert net.calls == RECORDED_CALL and Fake.recordings[0].replays == 1 + 6 - RECORDED_CALL


@torch.no_grad()
def test_a_graph_for_every_kind_of_call():
    net, cache = Net().eval(), Graphs(Fake)
    kinds = [
        inputs(),
        inputs(2),
        inputs(labels=True),
        tuple(None if v is None else v.double() for v in inputs()),
    ]
    for of in kinds:
        repeat(cache, net, *of)
    assert len(Fake.recordings) == len(kinds) == len(cache.graphs)
    for of in kinds:
        assert torch.equal(cache(net, *of), net(*of))
    assert [fake.replays for fake in Fake.recordings] == [2] * len(kinds)
    assert Fake.recordings[0].beside is None and Fake.recordings[1].beside is Fake.recordings[0]


def test_never_where_it_may_not():
    cache = Graphs(Fake)
    net, of = Net().eval().requires_grad_(False), inputs()
    repeat(cache, net, *of, times=2 * RECORDED_CALL)  # gradients may be wanted
    with torch.no_grad():
        repeat(cache, net.train(), *of, times=2 * RECORDED_CALL)
        net.eval().capturable = False
        repeat(cache, net, *of, times=2 * RECORDED_CALL)
        net.capturable, net.model_channels = True, graphs.MAX_SIZE
        repeat(cache, net, *of, times=2 * RECORDED_CALL)
        del net.model_channels
        repeat(Graphs(Fake, limit=0), net, *of, times=2 * RECORDED_CALL)
    assert not Fake.recordings


def test_not_on_a_cpu(monkeypatch):
    monkeypatch.undo()
    assert not graphs.available(torch.zeros(1))


@torch.no_grad()
def test_the_least_recent_leaves():
    net, cache = Net().eval(), Graphs(Fake)
    for batch in range(1, MAX_GRAPHS + 1):
        repeat(cache, net, *inputs(batch))
    cache(net, *inputs(1))
    repeat(cache, net, *inputs(MAX_GRAPHS + 1))
    assert [key[1][0][0] for key in cache.graphs] == [*range(3, MAX_GRAPHS + 1), 1, MAX_GRAPHS + 1]
    calls = net.calls
    repeat(cache, net, *inputs(2), times=RECORDED_CALL - 1)
    assert net.calls == calls + RECORDED_CALL - 1 and len(Fake.recordings) == MAX_GRAPHS + 1
    cache(net, *inputs(2))
    assert len(Fake.recordings) == MAX_GRAPHS + 2 and len(cache.graphs) == MAX_GRAPHS


@torch.no_grad()
def test_kinds_that_never_come_back_are_forgotten():
    net, cache = Net().eval(), Graphs(Fake)
    for size in range(1, 3 * MAX_COUNTED):
        cache(net, *inputs(size=size))
        cache(net, *inputs(size=size))
    assert len(cache.calls) == MAX_COUNTED and not Fake.recordings


class Failing(Fake):
    """Cannot be made."""

    error: type[Exception] = RuntimeError

    def __init__(self, *args):
        super().__init__(*args)
        raise self.error("cannot be recorded")


class OutOfMemory(Failing):
    error = torch.cuda.OutOfMemoryError


class Wrong(Fake):
    """Replays what it once saw."""

    def __call__(self, z, *rest):
        return super().__call__(torch.zeros_like(z), *rest)


class Nothing(Fake):
    """Replays what is no number."""

    def __call__(self, z, *rest):
        return super().__call__(z * torch.nan, *rest)


@pytest.mark.parametrize("kind", [Failing, OutOfMemory, Wrong, Nothing])
@torch.no_grad()
def test_what_fails_is_left_alone(kind):
    net, cache = Net().eval(), Graphs(kind)
    for n in range(3 * RECORDED_CALL):
        of = inputs(value=100 + n)
        assert torch.equal(cache(net, *of), of[0] + 10)
    assert len(Fake.recordings) == 1 and not cache.graphs and net.calls == 3 * RECORDED_CALL

    # One failure is enough: nothing else is recorded either.
    cache.record = Fake
    repeat(cache, net, *inputs(2))
    assert not cache.graphs and len(Fake.recordings) == 1


@torch.no_grad()
def test_graphs_give_their_memory_back():
    net, cache = Net().eval(), Graphs(Fake)
    repeat(cache, net, *inputs())
    assert cache.drop() and not cache.graphs and not cache.drop()
    repeat(cache, net, *inputs(), times=2 * RECORDED_CALL)
    assert not cache.graphs


class Stream:
    """A stream of CUDA, as far as a recording knows it."""

    def wait_stream(self, other):
        """Nothing to wait for."""


class Numbers:
    """A CUDA generator: what recordings wait for is of its state, and no clone's."""

    def __init__(self):
        self.state = "recorded"

    def clone_state(self):
        return "its clone"

    def graphsafe_set_state(self, state):
        self.state = state


@torch.no_grad()
def test_a_failed_recording_leaves_stream_and_random_numbers_as_they_were(monkeypatch):
    """torch.cuda.graph goes to its stream, and stays there where the end of a capture raises."""
    streams, numbers = [Stream()], Numbers()

    @contextlib.contextmanager
    def on(stream):
        before, streams[0] = streams[0], stream
        yield
        streams[0] = before

    class Capture:
        def __init__(self, graph, pool, stream, capture_error_mode):
            self.stream = stream

        def __enter__(self):
            streams[0] = self.stream

        def __exit__(self, *_):
            raise RuntimeError("operation failed due to a previous error during capture")

    fakes = {"current_stream": lambda: streams[0], "Stream": Stream, "stream": on}
    fakes |= {"CUDAGraph": object, "Event": object, "graph": Capture}
    fakes |= {"set_stream": lambda s: streams.__setitem__(0, s)}
    fakes |= {"device": lambda _: contextlib.nullcontext(), "default_generators": [numbers]}
    for name, fake in fakes.items():
        monkeypatch.setattr(torch.cuda, name, fake)

    net, cache, own = Net().eval(), Graphs(), streams[0]
    for n in range(2 * RECORDED_CALL):
        of = inputs(value=n)
        assert torch.equal(cache(net, *of), of[0] + 10) and streams[0] is own
    assert not cache.graphs and cache.limit == 0 and numbers.state == "its clone"


@torch.no_grad()
def test_reuse_has_a_graph_for_whole_and_for_shallow_calls():
    net = small_unet()
    prior = ReusingPrior(Prior(net, betas()), every=3)
    prior.graphs = Graphs(Fake)
    plain = ReusingPrior(Prior(net, betas()), every=3)
    plain.graphs = Graphs(limit=0)
    x = torch.randn(1, 3, 16, 16)
    for t in range(900, 100, -50):
        torch.testing.assert_close(prior.predict(x, t), plain.predict(x, t))
    kinds = [(key[0], key[-1] is not None) for key in prior.graphs.graphs]
    assert sorted(kinds) == [(False, True), (True, False)]
    assert all(fake.replays > 2 for fake in Fake.recordings)


@torch.no_grad()
def test_memory_that_the_network_itself_lacks_is_the_callers():
    class Full(Net):
        def forward(self, *_):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    cache = Graphs(Fake)
    for _ in range(2 * RECORDED_CALL):
        with pytest.raises(torch.cuda.OutOfMemoryError):
            cache(Full().eval(), *inputs())
    assert not cache.lock.locked() and not Fake.recordings


@torch.no_grad()
def test_other_weights_are_other_graphs():
    net, cache, of = Net().eval(), Graphs(Fake), inputs()
    repeat(cache, net, *of)
    for change in (
        lambda: setattr(net.weight, "data", torch.full((1,), 2.0)),
        lambda: net.load_state_dict({"weight": torch.full((1,), 3.0)}, assign=True),
        lambda: net.double(),
    ):
        kept = net.weight  # so that its memory is not given to the next
        change()
        assert torch.equal(cache(net, *of), net(*of)) and not cache.graphs
        repeat(cache, net, *of)
        assert len(cache.graphs) == 1
        del kept
    other = Net().eval()
    assert torch.equal(cache(other, *of), other(*of)) and not cache.graphs


@torch.no_grad()
def test_threads_share_it():
    prior = Prior(Net().eval(), betas())
    prior.graphs = Graphs(Fake)
    assert prior.own().graphs is prior.graphs
    wrong = []

    def work(mine, k):
        with torch.no_grad():
            for n in range(50):
                x = torch.full((1 + n % 3, 3, 4, 4), float(k))
                if not torch.equal(mine.predict(x, 11)[0], x + 10):
                    wrong.append(n)

    threads = [threading.Thread(target=work, args=(prior.own(), k)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong and len(Fake.recordings) == 3


@torch.no_grad()
def test_priors_copy_and_travel():
    prior = Prior(Net().eval(), betas())
    for other in (copy.deepcopy(prior), pickle.loads(pickle.dumps(prior))):
        assert other.graphs is not prior.graphs and torch.equal(
            other.predict(torch.ones(1, 3, 4, 4), 5)[0], torch.full((1, 3, 4, 4), 5.0)
        )


@torch.no_grad()
def test_tiles_of_one_shape_share_a_graph():
    prior = Prior(Net().eval(), betas())
    prior.graphs = Graphs(Fake)
    tiles, x = TiledPrior(prior, tile=32, overlap=4), torch.zeros(1, 3, 150, 32)
    for t in range(1, 8):
        eps, _ = tiles.predict(x, t)
        torch.testing.assert_close(eps, torch.full_like(eps, t - 1.0))
    assert Fake.recordings and Fake.recordings[0].replays > 2


def network(dtype=torch.float32, **other):
    """A small ADM on the GPU, with weights that are not zero."""
    return (
        small_unet(model_channels=64, **other)
        .to("cuda", dtype)
        .to(memory_format=torch.channels_last)
    )


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("classes", [None, 10])
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_a_replay_is_the_network(dtype, classes, mode):
    net, cache = network(dtype, num_classes=classes), Graphs()
    results = []
    with mode():
        for n in range(12):
            z, t = (
                torch.randn(1 + n % 2, 3, 32, 24, device="cuda"),
                torch.full((1 + n % 2,), 80.0 * n, device="cuda"),
            )
            labels = None if classes is None else torch.full((len(z),), n % classes, device="cuda")
            results.append((cache(net, z, t, labels), net(z, t, labels)))
    assert len(cache.graphs) == 2
    for replayed, eager in results:  # looked at in the end: none was overwritten
        assert (replayed - eager).abs().max() <= 1e-3 * eager.abs().max()


@pytest.mark.gpu
@torch.no_grad()
def test_a_network_that_cannot_be_recorded():
    class Waiting(Net):
        def forward(self, z, *rest):
            return super().forward(z, *rest) * float(z.sum() * 0 + 1)

    net, cache = Waiting().eval().cuda(), Graphs()
    of = [v if v is None else v.cuda() for v in inputs()]
    for _ in range(2 * RECORDED_CALL):
        assert torch.equal(cache(net, *of), of[0] + 10)
    assert torch.cuda.current_stream() == torch.cuda.default_stream()
    net = network()
    repeat(cache, net, *of[:2], None, times=2 * RECORDED_CALL)
    assert not cache.graphs and torch.isfinite(net(*of[:2])).all()
    assert torch.randn(2, device="cuda").isfinite().all()


@pytest.mark.gpu
def test_threads_with_streams_of_their_own():
    prior = Prior(network(out_channels=3), betas())
    x = [torch.randn(1, 3, 32, 32, device="cuda") for _ in range(2)]
    with torch.no_grad(), exact_float32():
        want = [
            [prior.net(v, torch.full((1,), float(t), device="cuda")) for t in range(20)] for v in x
        ]
    torch.cuda.synchronize()
    got = [[], []]

    def work(mine, k):
        with torch.no_grad(), torch.cuda.stream(torch.cuda.Stream()):
            got[k] = [mine.predict(x[k], t + 1)[0] for t in range(20)]
            torch.cuda.current_stream().synchronize()

    threads = [threading.Thread(target=work, args=(prior.own(), k)) for k in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert prior.graphs.graphs
    for k in range(2):
        for a, b in zip(got[k], want[k], strict=True):
            assert (a - b).abs().max() <= 1e-3 * b.abs().max()
