"""Steps along the gradient of a loss, of lengths that fit the loss.

curvature   |<g, H g>| / <g, g>                    H: the loss's Hessian
minimiser   alpha = <g, g> / |<g, H g>|            exact along -g where the loss is quadratic
descended   x - alpha g, again and again, as long as the loss falls
flow        dx / dv = -g, in parts of exponential steps (1 - exp(-c dv)) / c, c: the curvature
"""

from collections.abc import Callable

import torch
from torch import Tensor

Gradient = Callable[[Tensor], Tensor]  # x [B, C, H, W] -> the loss's gradient there
Loss = Callable[[Tensor], Tensor]  # x [B, C, H, W] -> [B]

APART = 0.1  # RMS distance of the two points whose gradients are compared, in [-1, 1] units
LONGEST = 2.0  # RMS length of a step: the whole range of pixels
PARTS = 8  # of the length of a flow, one after the other
TINY = 1e-30  # keeps a gradient of 0 from being divided by


def dot(p: Tensor, q: Tensor) -> Tensor:
    """<p, q> of each image, as [B, 1, 1, 1]."""
    return (p * q).flatten(1).sum(1).view(-1, 1, 1, 1)


def curvature(gradient: Gradient, x: Tensor, g: Tensor) -> Tensor:
    """The loss's curvature at x along its gradient, by a difference of two gradients.

    Args:
        gradient: the loss's gradient as a function of x.
        x: where, [B, C, H, W].
        g: gradient(x).

    Returns:
        |<g, H g>| / <g, g> of each image, [B, 1, 1, 1].
    """
    gg = dot(g, g)
    h = APART * g[0].numel() ** 0.5 / (gg.sqrt() + TINY)
    return dot(g, gradient(x - h * g) - g).abs() / (h * gg + TINY)


def minimiser(gradient: Gradient, x: Tensor, g: Tensor) -> Tensor:
    """How far to go along -g for the least loss, with the arguments of `curvature`.

    Returns:
        alpha of each image, [B, 1, 1, 1]: x - alpha g is the minimum along g of a quadratic loss.
        No step is longer than the range of pixels.
    """
    longest = LONGEST * g[0].numel() ** 0.5 / (dot(g, g).sqrt() + TINY)
    return (1 / (curvature(gradient, x, g) + TINY)).minimum(longest)


def descended(loss: Loss, gradient: Gradient, x: Tensor, most: int) -> Tensor:
    """Where steps to the minimum along the gradient lead, one after the other.

    Args:
        loss: of x [B, C, H, W], as [B]; what does not lower an image's is not taken.
        gradient: the loss's gradient.
        x: where to begin.
        most: steps.
    """
    least = loss(x)
    for _ in range(most):
        g = gradient(x)
        there = x - minimiser(gradient, x, g) * g
        found = loss(there)
        better = found < least
        if not better.any():
            break
        x = there.where(better.view(-1, 1, 1, 1), x)
        least = found.where(better, least)
    return x


def flow(gradient: Gradient, x: Tensor, length: float) -> Tensor:
    """Where x comes to that follows -gradient for a length v.

    Quadratic losses decay by exp(-curvature v), however steep: no step is beyond the minimum.

    Args:
        gradient: a loss's gradient as a function of x.
        x: where to begin, [B, C, H, W].
        length: v, in the square of x's unit over that of the loss.
    """
    part = length / PARTS
    if part == 0:
        return x
    for _ in range(PARTS):
        g = gradient(x)
        c = curvature(gradient, x, g) * part
        x = x - part * torch.where(c > 1e-4, -torch.expm1(-c) / c.clamp_min(1e-4), 1.0) * g
    return x
