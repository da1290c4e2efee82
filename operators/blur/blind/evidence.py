"""What a blurred photo alone says about its kernel k: variational Bayes on its gradients.

Levin et al., CVPR 2011; Wipf and Zhang, JMLR 2014.

g = k * x + n,   n ~ N(0, lam),   x_i ~ N(0, gamma_i): the gradients of a sharp photo are sparse

x      = argmin ||k * x - g||^2 / lam + sum x_i^2 / gamma_i            conjugate gradients
C_i    = 1 / (||k||^2 / lam + 1 / gamma_i)                             the variance of x_i
gamma_i = x_i^2 + C_i                                                  the variance of its prior
k      = argmin ||k * x - g||^2 + sum C_i ||k||^2                      k >= 0, sum k = 1
energy = ||k * x - g||^2 / lam + sum x_i^2 / gamma_i + log(lam + gamma_i ||k||^2)

The variance C is what keeps k from shrinking to a point, the blurred photo's own favourite.
Energies of unlike kernels compare: the true one has nearly always the least. Only what is seen
without borders counts (Blur's border `valid`), so that the border does not matter.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.blur.iterated import Blur
from operators.tools.solve import cg

# Iterations of conjugate gradients for x: the next round goes on, so few are enough.
X_ITERATIONS = 8

# Steps of projected gradient for k, which has as many unknowns as the kernel has pixels.
K_ITERATIONS = 200


class Posterior(NamedTuple):
    """What is known of the sharp gradients x under a kernel.

    Attributes:
        mean: x [1, 2, H, W].
        variance: C [1, 2, H, W].
        energy: that of the kernel, per gradient.
    """

    mean: Tensor
    variance: Tensor
    energy: float


def gradients(y: Tensor) -> Tensor:
    """Differences of the grey picture to the right and downwards.

    [B, C, H, W] -> [B, 2, H - 1, W - 1]
    """
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
    """The sharp gradients behind blurred ones, for a kernel that is held.

    Args:
        kernel: k [h, h].
        g: the blurred gradients [1, 2, H, W].
        lam: the variance of their noise.
        rounds: how often x and gamma are found in turn.
        gamma: the prior's variance to begin with, as an earlier call left it; g^2 + lam if None.
    """
    A, seen = Blur(kernel, "valid"), inside(g, len(kernel))
    power = float(kernel.square().sum())

    used = gamma = g.square() + lam if gamma is None else gamma
    for _ in range(rounds):
        used = gamma
        x = sharp_gradients(A, seen, lam, used, power)
        C = 1 / (power / lam + 1 / used)
        gamma = x.square() + C

    misfit = (A(x) - seen).square().sum() / lam
    energy = misfit + (x.square() / used + torch.log(lam + used * power)).sum()
    return Posterior(x, C, float(energy) / g.numel())


def sharp_gradients(A: Blur, seen: Tensor, lam: float, gamma: Tensor, power: float) -> Tensor:
    """argmin_x ||A x - seen||^2 / lam + sum x_i^2 / gamma_i, for a kernel with power ||k||^2."""
    std = gamma.sqrt()
    inverse = 1 / (power * gamma + lam)

    # In z = x / std the prior is the identity.
    z = cg(
        lambda u: std * A.adjoint(A(std * u)) + lam * u,
        std * A.adjoint(seen),
        X_ITERATIONS,
        1e-3,
        lambda r: inverse * r,
    )
    return std * z


def by_turns(k: Tensor, g: Tensor, lam: float, rounds: int, inertia: float) -> Tensor:
    """The kernel [h, h] after so many rounds of finding x under k, and k under x.

    Args:
        k: the kernel [h, h] to begin with.
        g, lam: as of `posterior`.
        rounds: how many.
        inertia: as of `best_kernel`.
    """
    gamma = None
    for _ in range(rounds):
        x = posterior(k, g, lam, 3, gamma)
        k = best_kernel(x.mean, g, float(x.variance.sum()), k, inertia)
        gamma = x.mean.square() + x.variance
    return k


def best_kernel(
    x: Tensor, g: Tensor, variance: float, previous: Tensor, inertia: float = 0.0
) -> Tensor:
    """argmin_k ||k * x - g||^2 + variance ||k||^2 + inertia ||x||^2 ||k - previous||^2.

    Args:
        x: the sharp gradients [1, 2, H, W].
        g: the blurred ones, of the same shape.
        variance: the sum of x's variance C over all its pixels.
        previous: the kernel [h, h] to begin with.
        inertia: how much k resists change, as a share of the power of x.

    Returns:
        k [h, h], which is >= 0 and sums to 1.
    """
    # k * x = X k: X has a shifted copy of x for each pixel of k.
    size = len(previous)
    X = F.unfold(x.transpose(0, 1), size)  # [2, h^2, pixels]
    Q = (X @ X.mT).sum(0)
    b = torch.einsum("kip,kp->i", X, inside(g, size)[0].flatten(1))

    # Unfolding correlates, so the kernel is turned round.
    pull = inertia * float(x.square().sum())
    start = previous.flip(0, 1).flatten()
    Q = Q + (variance + pull) * torch.eye(size**2).to(Q)
    return minimise_on_simplex(Q, b + pull * start, start).view(size, size).flip(0, 1)


def minimise_on_simplex(Q: Tensor, b: Tensor, k: Tensor) -> Tensor:
    """argmin_k k^T Q k / 2 - b^T k over k >= 0 with sum 1, from k [n].

    Accelerated projected gradient (FISTA; Beck and Teboulle, 2009).
    """
    step = 1 / torch.linalg.matrix_norm(Q, 2).clamp_min(1e-20)
    z, momentum = k, 1.0
    for _ in range(K_ITERATIONS):
        nearer = project_on_simplex(z - step * (Q @ z - b))
        following = (1 + (1 + 4 * momentum**2) ** 0.5) / 2
        z, k, momentum = nearer + (momentum - 1) / following * (nearer - k), nearer, following
    return k


def project_on_simplex(v: Tensor) -> Tensor:
    """The nearest point to v [n] whose entries are >= 0 and sum to 1."""
    u = v.sort(descending=True).values
    excess = (u.cumsum(0) - 1) / torch.arange(1, len(v) + 1).to(v)
    return (v - excess[(u > excess).sum() - 1]).clamp_min(0)
