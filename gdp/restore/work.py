"""How far the restoration of a photo is, as a share of all that it takes.

share = sum of calls x pixels that were made / sum of calls x pixels of all passes

Scales, tiles and samples all count in it. What is to come is as a sampler expects it; how many
calls a pass makes is known when it begins, and by how much they differ says what to expect of the
passes after it.
"""

from collections.abc import Sequence

from gdp.prior.prior import Prior
from samplers.restorer import Pass


class Work:
    """The network's work on photos that share its calls.

    Args:
        passes: those that are expected, one after the other, of all samples.
        prior: the prior, which counts its calls.
    """

    def __init__(self, passes: Sequence[Pass], prior: Prior):
        self.left, self.prior = list(passes), prior

        # The pass in hand, the calls before it, and what was made in passes that are over.
        self.now, self.before = Pass(0, 1), prior.calls
        self.calls = self.made = 0.0

    def begin(self, now: Pass) -> None:
        """A pass begins: `Run.on_pass`."""
        self.calls, self.made = self.calls + self.now.calls, self.made + cost(self.now)

        # Passes that were expected before one of its size do not come.
        places = [k for k, one in enumerate(self.left) if one.pixels == now.pixels]
        if places:
            expected = self.left[places[0]]
            ratio = now.calls / max(expected.calls, 1)
            rest = self.left[places[0] + 1 :]
            self.left = [one._replace(calls=max(1, round(ratio * one.calls))) for one in rest]
        self.now, self.before = now, self.prior.calls

    def end(self) -> None:
        """What was expected besides does not come."""
        self.left = []

    @property
    def total(self) -> int:
        """Network calls in all, as far as they are known."""
        return round(self.calls) + self.now.calls + sum(one.calls for one in self.left)

    @property
    def done(self) -> int:
        """Network calls that were made."""
        return round(self.calls) + min(self.prior.calls - self.before, self.now.calls)

    def share(self, part: float = 1.0) -> float:
        """How much is done, in [0, 1].

        Args:
            part: the share of the latest call that is made.
        """
        calls = min(max(self.prior.calls - self.before - 1 + part, 0), self.now.calls)
        whole = self.made + cost(self.now) + sum(map(cost, self.left))
        return (self.made + calls * self.now.pixels) / whole if whole else 0.0


def cost(one: Pass) -> float:
    """What a pass takes: its calls times its pixels."""
    return float(one.calls) * one.pixels
