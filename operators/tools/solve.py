"""Conjugate gradients, one system per image of the batch."""

from collections.abc import Callable

import torch
from torch import Tensor


def cg(
    matvec: Callable[[Tensor], Tensor],
    b: Tensor,
    max_iter: int = 100,
    tol: float = 1e-5,
    precondition: Callable[[Tensor], Tensor] = lambda r: r,
) -> Tensor:
    """Solve M u = b for a symmetric positive semidefinite M, from u = 0; b is [B, ...].

    Each image stops by itself once its residual is `tol` of b's, so its result does not depend on the batch. `precondition` applies a
    symmetric positive definite approximation of M^-1.
    """
    ones = [1] * (b.ndim - 1)

    def dot(p: Tensor, q: Tensor) -> Tensor:
        return (p * q).flatten(1).sum(1).view(-1, *ones)

    u, r = torch.zeros_like(b), b
    z = p = precondition(r)
    rz, stop = dot(r, z), tol**2 * dot(b, b)
    for _ in range(max_iter):
        going = dot(r, r) > stop
        if not going.any():
            break
        Mp = matvec(p)
        pMp = dot(p, Mp)
        step = torch.where(going & (pMp > 0), rz / pMp, 0.0)
        u, r = u + step * p, r - step * Mp
        z = precondition(r)
        rz_new = dot(r, z)
        p, rz = z + torch.where(going, rz_new / rz, 0.0) * p, torch.where(going, rz_new, rz)
    return u
