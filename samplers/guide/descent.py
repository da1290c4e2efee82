"""What samplers that descend a loss share."""

from collections.abc import Callable

from torch import Tensor


def dot(p: Tensor, q: Tensor) -> Tensor:
    """<p, q> of each image, as [B, 1, 1, 1]."""
    return (p * q).flatten(1).sum(1).view(-1, 1, 1, 1)


def curvature(gradient: Callable[[Tensor], Tensor], x: Tensor, g: Tensor) -> Tensor:
    """|<g, H g>| / <g, g> at x, g = gradient(x), as [B, 1, 1, 1]; H g is a difference of two gradients, 0.1 a pixel apart."""
    gg = dot(g, g)
    h = 0.1 * g[0].numel() ** 0.5 / (gg.sqrt() + 1e-30)
    return dot(g, gradient(x - h * g) - g).abs() / (h * gg + 1e-30)
