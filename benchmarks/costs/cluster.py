"""A simulated cluster: a reader, actors on nodes, what is lost and what is tried again (SimPy)."""

import random
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field
from math import log, sqrt
from typing import Any

AGAIN, ROUNDS = 1, 2  # of gdp.engine.cluster: tries of Ray's own, rounds of a batch or a photo


@dataclass(frozen=True)
class Plan:
    """A run.

    Attributes:
        photos, batch, actors: how many; photos of a batch.
        per_node: actors of a node.
        seconds: the mean that a photo's computing takes; spread: its standard deviation over that.
        load: seconds until a new actor has its prior.
        fetch, store: seconds of a photo's transfer, by the actor.
        rate: photos a second that the reader lists and looks at; 0 for no bound.
        stragglers: share of nodes that are slow; slow: how many times as long they take.
        node_hours: mean hours until a node is lost; 0: none is.
        replace: seconds until another stands in for it.
        poison: share of photos that kill.
        seed: of all chance.
    """

    photos: int = 10_000
    batch: int = 1
    actors: int = 8
    per_node: int = 8
    seconds: float = 4.0
    spread: float = 0.2
    load: float = 20.0
    fetch: float = 0.1
    store: float = 0.1
    rate: float = 0.0
    stragglers: float = 0.0
    slow: float = 3.0
    node_hours: float = 0.0
    replace: float = 300.0
    poison: float = 0.0
    seed: int = 0


@dataclass
class Told:
    """What came of it."""

    done: Counter[int] = field(default_factory=Counter)  # photo -> how often it was stored
    poisoned: set[int] = field(default_factory=set)
    kills: int = 0  # of actors, by photos
    lost_nodes: int = 0
    busy: float = 0.0  # seconds of computing that count
    seconds: float = 0.0  # until all was over


class Cluster:
    """The simulation.

    Args:
        plan: the run.
    """

    def __init__(self, plan: Plan):
        import simpy

        self.plan, self.simpy, self.env = plan, simpy, simpy.Environment()
        self.chance, self.told = random.Random(plan.seed), Told()
        self.poison = {k for k in range(plan.photos) if self.chance.random() < plan.poison}
        self.queue: Any = simpy.Store(self.env)
        self.open = 0  # batches that are neither done nor lost
        self.lost: list[tuple[int, ...]] = []
        self.over = self.env.event()

    def run(self) -> Told:
        """Simulate all rounds."""
        plan, batch = self.plan, self.plan.batch
        left = [tuple(range(k, min(k + batch, plan.photos))) for k in range(0, plan.photos, batch)]
        tries: Counter[tuple[int, ...]] = Counter()
        again = AGAIN
        while left:
            self.round(left, again)
            left, again = [], 0
            for one in self.lost:
                tries[one] += 1
                if tries[one] < ROUNDS:
                    left.append(one)
                elif len(one) > 1:
                    left += [(photo,) for photo in one]
                else:
                    self.told.poisoned |= set(one)
        self.told.seconds = self.env.now
        return self.told

    def round(self, batches: list[tuple[int, ...]], again: int) -> None:
        """One go through batches."""
        self.open, self.lost, self.over = len(batches), [], self.env.event()
        self.queue = self.simpy.Store(self.env)
        self.env.process(self.reader(batches, again))
        nodes = -(-self.plan.actors // self.plan.per_node)
        for k in range(nodes):
            count = min(self.plan.per_node, self.plan.actors - k * self.plan.per_node)
            self.env.process(self.node(count))
        self.env.run(until=self.over)

    def reader(self, batches: list[tuple[int, ...]], again: int) -> Generator[Any, Any, None]:
        """Hand batches to whoever is idle, as fast as they are listed."""
        for one in batches:
            if self.plan.rate:
                yield self.env.timeout(len(one) / self.plan.rate)
            yield self.queue.put((one, again))

    def node(self, count: int) -> Generator[Any, Any, None]:
        """A machine, and those that stand in for it after each loss."""
        plan, over = self.plan, self.over
        while not over.triggered:
            slow = plan.slow if self.chance.random() < plan.stragglers else 1.0
            actors = [self.env.process(self.actor(slow)) for _ in range(count)]
            if not plan.node_hours:
                return
            yield self.env.timeout(self.chance.expovariate(1 / (3600 * plan.node_hours))) | over
            if over.triggered:
                return
            self.told.lost_nodes += 1
            for actor in actors:
                if actor.is_alive:
                    actor.interrupt()
            yield self.env.timeout(plan.replace)

    def actor(self, slow: float) -> Generator[Any, Any, None]:
        """A worker, and those that Ray starts in its place after a photo has killed it."""
        plan, hand = self.plan, None
        request = None
        try:
            while True:
                yield self.env.timeout(plan.load)
                while True:
                    request = self.queue.get()
                    hand = yield request
                    photos, again = hand
                    if self.poison.intersection(photos):
                        self.told.kills += 1
                        yield self.env.timeout(plan.fetch)
                        self.give_up(photos, again)
                        hand = None
                        break
                    took = sum(self.computing() for _ in photos) * slow
                    yield self.env.timeout(took + len(photos) * (plan.fetch + plan.store))
                    self.told.busy += took / slow
                    self.told.done.update(photos)
                    hand = None
                    self.end()
        except self.simpy.Interrupt:
            if hand is not None:
                self.give_up(*hand)
            elif request is not None:
                request.cancel()

    def computing(self) -> float:
        """The seconds of a photo."""
        variance = log(1 + self.plan.spread**2)
        mean = log(self.plan.seconds) - variance / 2 if self.plan.seconds else 0.0
        return self.chance.lognormvariate(mean, sqrt(variance)) if self.plan.seconds else 0.0

    def give_up(self, photos: tuple[int, ...], again: int) -> None:
        """A batch whose actor has died: again, or lost to this round."""
        if again:
            self.queue.put((photos, again - 1))
        else:
            self.lost.append(photos)
            self.end()

    def end(self) -> None:
        """A batch is over."""
        self.open -= 1
        if not self.open:
            self.over.succeed()
