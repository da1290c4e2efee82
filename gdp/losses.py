"""What guidance descends: each term (x0, y, A) -> [B], summed over an image, so that its pull on a pixel knows no image size."""

from collections.abc import Callable

from torch import Tensor

Degradation = Callable[[Tensor], Tensor]


def fidelity(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """||A(x0) - y||^2."""
    return (A(x0) - y).square().flatten(1).sum(1)


def mean_squared_error(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """mean (A(x0) - y)^2 in [0, 1] units, GDP's own: its pull on a pixel weakens as images grow."""
    return (A(x0) - y).square().flatten(1).mean(1) / 4


def total_variation(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """The sum of |differences| between neighbours, down and across."""
    down, across = x0.diff(dim=-2).abs(), x0.diff(dim=-1).abs()
    return down.flatten(1).sum(1) + across.flatten(1).sum(1)
