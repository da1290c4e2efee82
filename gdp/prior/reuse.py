"""Fewer calls of the deep levels: what they found at one step serves the next ones too ("DeepCache", Ma, Fang & Wang, CVPR 2024).

    every n-th call     the whole network, and h, what enters the last two stages of the way up, is kept
    between them        the first two stages on x_t, then the last two on [h, skip]

The stages between them, called deep here, see little of a picture's detail and change slowly with t, but they do change: this trades
quality for time.
"""

from typing import Any

import torch
from torch import Tensor

from gdp.prior.prior import Prior


def check_reuse(every: Any) -> None:
    """ValueError unless it is a whole number above 0."""
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(
            f"reuse={every!r}; it is a whole number of calls, 1 or more; 1 reuses nothing"
        )


def reusable(prior: Prior) -> bool:
    """Whether its network can be entered halfway: UNet can, with more levels than one."""
    return getattr(prior.net, "levels", 0) > 1


class ReusingPrior(Prior):
    """`prior`, whose deep levels are evaluated at every `every`-th call of a restoration only. Pictures in one piece: tiles come afresh.

    ValueError where `every` is no whole number above 0, or the network cannot be entered halfway.
    """

    def __init__(self, prior: Prior, every: int):
        self.wrap(prior)
        check_reuse(every)
        if not reusable(prior):
            raise ValueError(
                "reuse= needs a network of several levels, as UNet is; leave it out for this prior"
            )
        self.every = every
        self.forget()

    def forget(self) -> None:
        """The next call is of the whole network."""
        self.deep: list[Tensor] | None = (
            None  # what the network is handed: None, to be filled, or filled
        )
        self.shape: torch.Size | None = None
        self.last, self.served, self.whole = 0, 0, 0

    def own(self) -> "Prior":
        other = super().own()
        assert isinstance(other, ReusingPrior)
        other.forget()
        return other

    def state(self) -> dict[str, Any]:
        return {
            "deep": self.deep,
            "shape": self.shape and list(self.shape),
            "last": self.last,
            "served": self.served,
            "whole": self.whole,
        }

    def resume(self, state: dict[str, Any] | None) -> None:
        self.forget()
        if state:
            self.deep, self.last, self.served, self.whole = (
                state[name] for name in ("deep", "last", "served", "whole")
            )
            self.shape = None if state["shape"] is None else torch.Size(state["shape"])

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        if torch.is_grad_enabled() and x.requires_grad:
            return self.part(x, t)
        if (
            self.deep is None
            or x.shape != self.shape
            or t >= self.last
            or self.served >= self.every
        ):
            self.deep, self.shape, self.served, self.whole = [], x.shape, 0, t
        self.last, self.served = t, self.served + 1
        return super().predict(x, t)

    def part(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        self.forget()
        self.whole = t
        return super().predict(x, t)

    def way(self, t: int) -> int:
        return super().way(self.whole)

    def network(self, z: Tensor, timesteps: Tensor, labels: Tensor | None) -> Tensor:
        if self.deep is None:
            return super().network(z, timesteps, labels)
        assert self.net is not None
        out: Tensor = self.net(z, timesteps, labels, deep=self.deep)
        return out
