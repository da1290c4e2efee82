"""What a blurred photo alone says about its kernel k: variational Bayes on gradients (Levin et al., CVPR 2011; Wipf and Zhang, JMLR 2014).

    g = k * x + n,   n ~ N(0, lam),   x_i ~ N(0, gamma_i): the gradients of a sharp photo are sparse

    x      = argmin ||k * x - g||^2 / lam + sum x_i^2 / gamma_i                by conjugate gradients
    C_i    = 1 / (||k||^2 / lam + 1 / gamma_i),   gamma_i = x_i^2 + C_i        its variance, and that of the prior
    k      = argmin ||k * x - g||^2 + sum C_i ||k||^2,   k >= 0, sum k = 1     normal equations, accelerated projected gradient
    energy = ||k * x - g||^2 / lam + sum x_i^2 / gamma_i + log(lam + gamma_i ||k||^2)

The variance C is what keeps k from shrinking to a point, the blurred photo's own favourite. Energies of unlike kernels compare: the true
one has nearly always the least. Only what is seen without borders counts (Blur's border `valid`), so that the border does not matter.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.blur.known import Blur
from operators.tools.solve import cg

ITERATIONS = 8  # of conjugate gradients in a round
DESCENT = 200  # steps of projected gradient; the problem has as many unknowns as the kernel pixels


class Posterior(NamedTuple):
    """What is known of the sharp gradients [1, 2, H, W] under a kernel."""

    mean: Tensor
    variance: Tensor
    energy: float  # per gradient


def gradients(y: Tensor) -> Tensor:
    """Differences of the grey picture to the right and downwards: [B, C, H, W] -> [B, 2, H - 1, W - 1]."""
    grey = y.mean(1, keepdim=True)
    here = grey[..., :-1, :-1]
    return torch.cat([grey[..., :-1, 1:] - here, grey[..., 1:, :-1] - here], 1)


def inside(g: Tensor, size: int) -> Tensor:
    """The part of g that a kernel of this size reaches without borders."""
    r = size // 2
    return g[..., r : g.shape[-2] - r, r : g.shape[-1] - r]


def posterior(
    kernel: Tensor, g: Tensor, lam: float, rounds: int = 4, gamma: Tensor | None = None
) -> Posterior:
    """The sharp gradients behind g [1, 2, H, W], with the kernel [h, h] held."""
    A, seen = Blur(kernel, "valid"), inside(g, len(kernel))
    power = float(kernel.square().sum())
    used = gamma = g.square() + lam if gamma is None else gamma
    for _ in range(rounds):
        used = gamma
        x = weighted_inverse(A, seen, lam, used, power)
        C = 1 / (power / lam + 1 / used)
        gamma = x.square() + C
    misfit = (A(x) - seen).square().sum() / lam
    energy = misfit + (x.square() / used + torch.log(lam + used * power)).sum()
    return Posterior(x, C, float(energy) / g.numel())


def weighted_inverse(A: Blur, seen: Tensor, lam: float, gamma: Tensor, power: float) -> Tensor:
    """argmin ||A x - seen||^2 / lam + sum x^2 / gamma, in x / sqrt(gamma)."""
    std = gamma.sqrt()
    inverse = 1 / (power * gamma + lam)
    z = cg(
        lambda u: std * A.adjoint(A(std * u)) + lam * u,
        std * A.adjoint(seen),
        ITERATIONS,
        1e-3,
        lambda r: inverse * r,
    )
    return std * z


def best_kernel(
    x: Tensor, g: Tensor, variance: float, previous: Tensor, inertia: float = 0.0
) -> Tensor:
    """argmin ||k * x - g||^2 + variance ||k||^2 + inertia ||x||^2 ||k - previous||^2 over kernels [h, h] that are >= 0 and sum to 1.

    x and g are [1, K, H, W]; `variance` is the sum of x's over all its pixels.
    """
    size = len(previous)
    shifted = F.unfold(x.transpose(0, 1), size)  # [K, h^2, pixels]
    Q = (shifted @ shifted.mT).sum(0)
    b = torch.einsum("kip,kp->i", shifted, inside(g, size)[0].flatten(1))
    pull = inertia * float(x.square().sum())
    start = previous.flip(0, 1).flatten()
    Q = Q + (variance + pull) * torch.eye(size**2).to(Q)
    return on_simplex(Q, b + pull * start, start).view(size, size).flip(0, 1)


def on_simplex(Q: Tensor, b: Tensor, k: Tensor) -> Tensor:
    """argmin k^T Q k / 2 - b^T k over k >= 0 with sum 1, from k; by FISTA."""
    step = 1 / torch.linalg.matrix_norm(Q, 2).clamp_min(1e-20)
    z, momentum = k, 1.0
    for _ in range(DESCENT):
        nearer = projected(z - step * (Q @ z - b))
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        z, k, momentum = nearer + (momentum - 1) / following * (nearer - k), nearer, following
    return k


def projected(v: Tensor) -> Tensor:
    """The nearest point of the simplex to v [n]."""
    u = v.sort(descending=True).values
    excess = (u.cumsum(0) - 1) / torch.arange(1, len(v) + 1).to(v)
    return (v - excess[(u > excess).sum() - 1]).clamp_min(0)
