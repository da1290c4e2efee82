"""Conjugate gradients (Hestenes and Stiefel, 1952), one system per image of the batch.

u = 0, r = b, z = p = P r
repeat   a = <r, z> / <p, M p>;   u += a p;   r -= a M p
         z = P r;   p = z + <r, z> / (<r, z> before) p
"""

import logging
from collections.abc import Callable
from time import monotonic

import torch
from torch import Tensor

OFTEN = 30.0  # seconds between two lines of how far it is
log = logging.getLogger("gdp")


def cg(
    matvec: Callable[[Tensor], Tensor],
    b: Tensor,
    max_iter: int = 100,
    tol: float = 1e-5,
    precondition: Callable[[Tensor], Tensor] = lambda r: r,
) -> Tensor:
    """Solve M u = b for a symmetric positive semidefinite M, from u = 0.

    Each image stops by itself, so that its result does not depend on the batch.

    Args:
        matvec: u -> M u.
        b: [B, ...].
        max_iter: the most iterations.
        tol: an image stops once the norm of its residual is this share of b's.
        precondition: P, a symmetric positive definite approximation of M^-1.

    Returns:
        u, of b's shape.
    """
    ones = [1] * (b.ndim - 1)

    def dot(p: Tensor, q: Tensor) -> Tensor:
        return (p * q).flatten(1).sum(1).view(-1, *ones)

    u, r = torch.zeros_like(b), b
    z = p = precondition(r)
    rz, stop = dot(r, z), tol**2 * dot(b, b)

    told = monotonic()
    for k in range(max_iter):
        going = dot(r, r) > stop
        if not going.any():
            break

        # Where A is dear, say how far it is.
        if monotonic() - told > OFTEN:
            told, off = monotonic(), float((dot(r, r) / dot(b, b)).sqrt().max())
            log.info("solving for x: %d of at most %d iterations, off by %.1e", k, max_iter, off)

        # A step along p; none for an image that has stopped.
        Mp = matvec(p)
        pMp = dot(p, Mp)
        step = torch.where(going & (pMp > 0), rz / pMp, 0.0)
        u, r = u + step * p, r - step * Mp

        # The next direction.
        z = precondition(r)
        rz_new = dot(r, z)
        p, rz = z + torch.where(going, rz_new / rz, 0.0) * p, torch.where(going, rz_new, rz)
    return u
