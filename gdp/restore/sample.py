"""The network's part: samples of the posteriors of one photo, or of several that share calls."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gdp.picture import to_model
from gdp.prior.channels import ChannelPrior
from gdp.prior.memory import out_of_memory
from gdp.prior.prior import Prior
from gdp.restore.first.adapting import adapting
from gdp.restore.first.claim import Claim, smaller
from gdp.restore.first.texture import sharpens
from gdp.restore.first.weigh import weighed, weighs
from gdp.restore.observe import Measurement
from gdp.restore.setup import Setup
from gdp.storage.snapshot import Slot
from operators.base import Operator
from operators.measured import Measured
from samplers.restorer import DivergedError, OnPass, OnStep, Pass, Restored, Restorer, Run

# (calls done, calls in all, x0 [B, C, H, W], of the result's size, clipped to [0, 1])
OnCall = Callable[[int, int, Tensor], Any]

BAR = "{percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
log = logging.getLogger("gdp")


class Cost(NamedTuple):
    """What restorations took."""

    calls: int  # of the network
    seconds: float  # one photo's share
    claim: Claim | None = None  # by which a photo came out, if not by its first one


def sample(
    measurements: Sequence[Measurement],
    setup: Setup,
    prior: Prior,
    on_step: OnStep | None = None,
    keep: Slot | None = None,
    on_pass: OnPass | None = None,
) -> tuple[list[Restored], Cost]:
    """All samples of photos of equal `likeness`, in shared calls of the network.

    Args:
        measurements: one photo, or several that may share calls.
        setup: the sampler and its settings.
        prior: the prior, loaded.
        on_step: follows every step as (t, x, x0).
        keep: where the state is kept, so that an interrupted restoration goes on.
        on_pass: is told of each pass as it begins.

    Returns:
        For each photo its samples [S, 3, H, W] in [-1, 1] with the operator as bound; and the cost.

    Raises:
        ValueError: the sampler diverged, or its schedule does not fit the prior.
    """
    first = measurements[0]
    y = torch.cat([measurement.y for measurement in measurements])
    pictures = [measurement.init for measurement in measurements if measurement.init is not None]
    init = to_model(torch.cat(pictures)) if pictures else None

    most = setup.at_once(first.operator.x_shape(first.y)[-2:], y.device)
    if isinstance(first.operator, Measured):
        prior = ChannelPrior(prior, first.operator.groups)
    error = None if first.first is None else first.first.error
    run = Run(setup.seeds, init, on_step, keep, on_pass, error)
    with adapting(prior, first.operator, y, setup.config["adapt"], setup.config["seed"]) as learnt:
        drawn, cost = draw(setup.sampler, prior, first.operator, y, run, most)
        cost = cost._replace(seconds=cost.seconds + learnt)
        again = replace(run, on_step=None, keep=None, on_pass=None)

        # What it took for noise may have been texture.
        other = sharpens(first, drawn[0], setup)
        if other is not None:
            drawn, more = draw(setup.sampler, prior, other, y, again, most)
            return drawn, Cost(cost.calls + more.calls, cost.seconds + more.seconds)

        # Or less noise than was claimed.
        claim = smaller(first, drawn[0], setup)
        if claim is not None:
            drawn, more = draw(setup.sampler, prior, claim.operator, y, again, most)
            cost = Cost(cost.calls + more.calls, cost.seconds + more.seconds, claim)
        if not weighs(first, setup, prior.T):
            return drawn, cost

        # What stage one has drawn belongs into it, by as much as y tells.
        calls, began, (one,) = prior.calls, perf_counter(), drawn
        x = weighed(
            first,
            one.x,
            setup,
            lambda y: draw(setup.sampler, prior, first.operator, y, again, most)[0][0].x,
        )
    more = Cost(cost.calls + prior.calls - calls, cost.seconds + perf_counter() - began)
    return [Restored(x, one.operator)], more


def draw(
    sampler: Restorer, prior: Prior, operator: Operator, y: Tensor, run: Run, most: int = 1
) -> tuple[list[Restored], Cost]:
    """Samples of the posteriors of photos that share an operator.

    Args:
        sampler: draws one restoration a seed.
        prior: the prior.
        operator: A, the same for all photos; not bound.
        y: photos [P, ...] in [-1, 1] units.
        run: one seed for each sample of a photo; `init` [P, 3, H, W] in [-1, 1].
        most: how many samples of one photo go through the network together; of several, all do.
    """
    calls, began = prior.calls, perf_counter()
    photos, seeds = len(y), list(run.seeds or [0])

    # What is to be left as it is needs no network.
    if operator.leaves:
        same = [one.expand(len(seeds), -1, -1, -1) for one in y.split(1)]
        return [Restored(x, operator) for x in same], Cost(0, 0.0)

    A, y = sampler.posed(operator, y)
    batches = split(seeds, photos, most)

    # Each batch of samples keeps its state in a slot of its own.
    drawn = []
    for k, batch in enumerate(batches):
        init = run.init
        if isinstance(init, Tensor):
            init = init.repeat_interleave(len(batch), 0)
        keep = run.keep.at(k) if run.keep is not None and len(batches) > 1 else run.keep
        one = replace(run, seeds=batch * photos, init=init, keep=keep)
        repeated = y.repeat_interleave(len(batch), 0)
        try:
            drawn.append(restored(sampler, prior, A, repeated, one))
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            raise ValueError(
                f"memory does not bear {len(y) * len(batch)} pictures like this at a time; "
                "give a smaller batch=, tiling=shifted, or prior.dtype=float16 or bfloat16"
            ) from None

    x = torch.cat([restored.x for restored in drawn])
    bound = drawn[0].operator if A is operator else operator
    cost = Cost(prior.calls - calls, (perf_counter() - began) / photos)
    return [Restored(samples, bound) for samples in x.split(len(seeds))], cost


def restored(sampler: Restorer, prior: Prior, A: Operator, y: Tensor, run: Run) -> Restored:
    """A restoration; in float32 from here on, where float16 was chosen and overflows."""
    calls = prior.calls
    try:
        return sampler.restore(prior, A, y, run)
    except DivergedError as error:
        if not prior.widen():
            raise
        log.warning("float16 does not hold this network's numbers (%s): float32 is taken", error)
    prior.calls = calls
    return sampler.restore(prior, A, y, run)


def split(seeds: Sequence[int], photos: int, most: int) -> list[list[int]]:
    """The samples in batches: of one photo as many as `most`, of several all at once."""
    size = most if photos == 1 else len(seeds)
    return [list(seeds[k : k + size]) for k in range(0, len(seeds), size)]


def batches_of(measurements: Sequence[Measurement], setup: Setup) -> list[list[int]]:
    """The seeds of the samples that go through the network together."""
    first = measurements[0]
    most = setup.at_once(first.operator.x_shape(first.y)[-2:], first.y.device)
    return split(setup.seeds, len(measurements), most)


def expected_passes(measurement: Measurement, setup: Setup, prior: Prior) -> list[Pass]:
    """Passes over a photo for each batch of samples; from a picture to start from there is one."""
    if measurement.operator.leaves:
        return []
    A, y = setup.sampler.posed(measurement.operator, measurement.y)
    passes = setup.sampler.expected(prior.T, A, y)
    if measurement.init is None:
        return passes
    H, W = A.x_shape(y)[-2:]
    return [passes[0]._replace(pixels=H * W)]


@contextmanager
def followed(on_step: OnCall | None, progress: bool) -> Iterator[OnCall | None]:
    """What follows the calls within the block: `on_step`, and a bar of them all if it is wanted."""
    if not progress:
        yield on_step
        return

    from tqdm.auto import tqdm

    with tqdm(total=100, bar_format=BAR) as bar:

        def follow(done: int, total: int, x0: Tensor) -> None:
            bar.n = 100 * done // total
            bar.refresh()
            if on_step is not None:
                on_step(done, total, x0)

        yield follow
        bar.n = 100
        bar.refresh()
