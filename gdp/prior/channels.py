"""A prior of RGB photos for pictures of other numbers of channels.

    1, 2      the state has three channels, of which some stand for one; x0 is their mean, and each
              has noise of its own:  eps = (x_t - sqrt(a) mean(x0)) / sqrt(1 - a)
    4 ...     neighbours go through the network three by three, as red, green and blue; where
              triples begin moves from step to step, so that all channels hang together

Neighbouring bands of a spectrum look much like the colours of a photo; what a triple has in common
is what the network knows.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from gdp.prior.prior import Prior

GOLDEN = 0.6180339887498949  # its multiples are spread evenly
MOST_PIXELS = {"cpu": 2**18, "cuda": 2**22}  # of triples that go through the network together


class ChannelPrior(Prior):
    """Another prior, shown pictures whose channels are not red, green and blue.

    Its counters are those of the other prior.

    Args:
        prior: of three channels.
        groups: where the state has three channels of fewer of x: which one each stands for.
    """

    def __init__(self, prior: Prior, groups: Sequence[int] | None = None):
        self.wrap(prior)
        self.prior, self.groups = prior, groups

    @property
    def calls(self) -> int:
        """Predictions of the other prior."""
        return self.prior.calls if "prior" in self.__dict__.get("_modules", {}) else 0

    @calls.setter
    def calls(self, value: int) -> None:
        if "prior" in self.__dict__.get("_modules", {}):
            self.prior.calls = value

    def state(self) -> dict[str, Any] | None:
        return self.prior.state()

    def resume(self, state: dict[str, Any] | None) -> None:
        self.prior.resume(state)

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        if x.shape[1] > 3:
            return self.by_triples(x, t)
        eps, v = self.prior.predict(x, t)
        if self.groups is None:
            return eps, v

        # Channels that stand for one have one clean image.
        a = self.a(t)
        x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
        same = torch.tensor([[float(g == h) for g in self.groups] for h in self.groups]).to(x)
        x0 = torch.einsum("ij,bjhw->bihw", same / same.sum(1, keepdim=True), x0)
        return (x - a**0.5 * x0) / (1 - a) ** 0.5, v

    def by_triples(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        """eps and v of [B, C, H, W], the mean of all triples that a channel is in."""
        triples = torch.tensor(triples_of(x.shape[1], t), device=x.device)
        B, _, H, W = x.shape
        most = MOST_PIXELS.get(x.device.type, MOST_PIXELS["cpu"])
        at_once = max(1, most // (B * H * W))

        # Each has its place, and is weighed by how many share it.
        eps, v = torch.zeros_like(x), None
        for some in triples.split(at_once):
            shown = x[:, some].flatten(0, 1)
            parts = self.prior.predict(shown, t)
            index = some.flatten()
            eps = eps.index_add(1, index, parts[0].reshape(B, -1, H, W))
            if parts[1] is not None:
                v = torch.zeros_like(x) if v is None else v
                v = v.index_add(1, index, parts[1].reshape(B, -1, H, W))
        count = (
            torch.zeros(x.shape[1])
            .to(x)
            .index_add(0, triples.flatten(), torch.ones(triples.numel()).to(x))[:, None, None]
        )
        return eps / count, None if v is None else v / count


def triples_of(channels: int, t: int) -> list[list[int]]:
    """Neighbours, three by three, that cover all channels; where they begin depends on t."""
    begin = int(3 * (GOLDEN * t % 1))
    starts = {min(max(k, 0), channels - 3) for k in range(begin - 3, channels, 3)}
    return [[k, k + 1, k + 2] for k in sorted(starts)]
