"""Fewer calls of the network's deep levels: what they found at one step serves the next ones too.

    every n-th call     the whole network; h, what enters the last two stages of the way up, is kept
    between them        the first two stages on x_t, then the last two on [h, skip]

The stages between them, called deep here, see little of a picture's detail and change slowly with
t, but they do change: this trades quality for time. From "DeepCache: Accelerating diffusion models
for free" (Ma, Fang & Wang, CVPR 2024).
"""

from typing import Any

import torch
from torch import Tensor

from gdp.prior.exact import exact_float32
from gdp.prior.prior import Prior


def check_reuse(every: Any) -> None:
    """Raise ValueError unless `every` is a whole number above 0."""
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(
            f"reuse={every!r}; it is a whole number of calls, 1 or more; 1 reuses nothing"
        )


def reusable(prior: Prior) -> bool:
    """Whether a prior's network can be entered halfway: UNet can, with more levels than one."""
    return getattr(prior.net, "levels", 0) > 1


class ReusingPrior(Prior):
    """A prior whose deep levels are evaluated at some calls of a restoration only.

    That goes for pictures in one piece: tiles are evaluated in full.

    Args:
        prior: its network is called.
        every: the number of calls of which the first evaluates the deep levels.

    Raises:
        ValueError: `every` is no whole number above 0, or the network cannot be entered halfway.
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
        """Evaluate the whole network at the next call."""
        self.deep: list[Tensor] | None = None  # empty where the next call is to fill it
        self.shape: torch.Size | None = None
        self.last = 0  # time of the last call
        self.served = 0  # calls that the deep features have served
        self.whole = 0  # time of the last whole call

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
            self.deep, self.last = state["deep"], state["last"]
            self.served, self.whole = state["served"], state["whole"]
            self.shape = None if state["shape"] is None else torch.Size(state["shape"])

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        if torch.is_grad_enabled() and x.requires_grad:
            return self.predict_tiles(x, t)

        # Another picture, or a trip back in time, begins anew.
        another = self.deep is None or x.shape != self.shape or t >= self.last
        if another or self.served >= self.every:
            self.deep, self.shape, self.served, self.whole = [], x.shape, 0, t
        self.last, self.served = t, self.served + 1
        return super().predict(x, t)

    def predict_tiles(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        self.forget()
        self.whole = t
        return super().predict(x, t)

    def orientation(self, t: int) -> int:
        # Deep features are of a picture that lies as it lay at the last whole call.
        return super().orientation(self.whole)

    def run_network(self, z: Tensor, timesteps: Tensor, labels: Tensor | None) -> Tensor:
        assert self.net is not None
        with exact_float32():
            return self.graphs(self.net, z, timesteps, labels, self.deep)
