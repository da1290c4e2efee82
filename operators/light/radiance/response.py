"""A camera's response and the light of a scene, from several exposures (Debevec and Malik, 1997).

g(z_ik) = l_i + e_k        z: pixel value, g: log2 of the light it stands for, l: the scene's,
                           e: the exposure in stops
argmin  sum w(z_ik)^2 (g(z_ik) - l_i - e_k)^2 + bent sum (g'')^2,  g(1/2) = 0,  w(z) = min(z, 1 - z)

Without exposure times g and e are known but for a common factor (Grossberg and Nayar, 2003): e is
first found by a mean camera's curve (tone.py's `sensor`), then rounded to whole stops, as brackets
are. Exposures that are told need none of that.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from operators.light.exposure import block_means

# Knots of g, places that it is fitted to, and what its second differences cost.
KNOTS, PLACES, BENT = 33, 600, 3.0

# The least that exposures which are told differ by, in stops.
LEAST_STEP = 0.1

# Values that count when stops are found, [0, 1] units.
SURE = (0.05, 0.9)

# The mean camera's exponent and shoulder (operators/light/tone.py).
EXPONENT, SHOULDER = 0.9, 0.6


class Response(NamedTuple):
    """What a camera made of light.

    Attributes:
        g: log2 of light [KNOTS] at values from 0 to 1, rising.
        stops: e [K], relative to the middle exposure.
    """

    g: Tensor
    stops: Tensor

    def log_light(self, z: Tensor) -> Tensor:
        """g at values in [0, 1]."""
        place = z.clamp(0, 1) * (KNOTS - 1)
        i = place.detach().floor().long().clamp_max(KNOTS - 2)
        return torch.lerp(self.g[i], self.g[i + 1], place - i)

    def value(self, light: Tensor) -> Tensor:
        """The value in [0, 1] of log2 light: g's inverse."""
        i = torch.searchsorted(self.g, light.detach().contiguous()).clamp(1, KNOTS - 1) - 1
        share = (light - self.g[i]) / (self.g[i + 1] - self.g[i])
        return ((i + share.clamp(0, 1)) / (KNOTS - 1)).to(light)

    def scene(self, p: Tensor) -> Tensor:
        """log2 of a scene's light [B, 3, H, W] by all its exposures [B, 3K, H, W]."""
        z = p.unflatten(1, (-1, 3))
        e = self.stops.view(1, -1, 1, 1, 1)

        # Where all are burnt out the shortest counts, where all are black the longest.
        w = torch.minimum(z, 1 - z).clamp_min(0) * e.exp2().sqrt()
        w = w + 1e-4 * torch.where(z > 0.5, -8 * e, 8 * e).exp2()
        return (w * (self.log_light(z) - e)).sum(1) / w.sum(1)


def mean_camera(z: Tensor) -> Tensor:
    """log2 of the light behind values in [0, 1], by a mean of cameras."""
    z = z.clamp(1e-3, 1)
    return (SHOULDER * z / (1 + SHOULDER - z)).log2() / EXPONENT


def find_response(pixels: Tensor, K: int, told: Sequence[float] | None = None) -> Response:
    """The response that K exposures [1, 3K, H, W] in [0, 1] tell of.

    Args:
        pixels: the exposures.
        K: how many they are.
        told: e, in stops from anywhere; not believed where more light is darker.
    """
    z = block_means(pixels).unflatten(1, (K, 3)).movedim(1, 0).flatten(1).double().cpu()
    order = z.mean(1).argsort()
    known = None if told is None else torch.tensor(told).double()
    fits = known is not None and len(known) == K and known[order].diff().min() > LEAST_STEP
    e = known if known is not None and fits else whole_stops(z, order)
    e = e - e[order[K // 2]]

    g = solve(spread(z), e)
    return Response(g.to(pixels), e.to(pixels))


def whole_stops(z: Tensor, order: Tensor) -> Tensor:
    """e [K] by the mean camera, in whole stops between neighbours in brightness.

    Args:
        z: values [K, n].
        order: the exposures from dark to bright.
    """
    K = len(z)
    e = torch.zeros(K).double()
    for a, b in pairwise(order.tolist()):
        sure = [(SURE[0] < v) & (v < SURE[1]) for v in (z[a], z[b])]
        both = sure[0] & sure[1]
        steps = mean_camera(z[b]) - mean_camera(z[a])
        step = float(steps[both].median()) if both.any() else 2.0
        e[b] = e[a] + max(round(step), 1)
    return e


def spread(z: Tensor) -> Tensor:
    """PLACES of z [K, n] whose brightness is spread evenly."""
    n = z.shape[1]
    chosen = torch.linspace(0, n - 1, min(n, PLACES)).round().long()
    return z[:, z.mean(0).argsort()[chosen]]


def solve(z: Tensor, e: Tensor) -> Tensor:
    """g [KNOTS] by least squares, from values z [K, n] of exposures e [K] in stops."""
    K, n = z.shape
    place = z.clamp(0, 1) * (KNOTS - 1)
    i = place.floor().long().clamp_max(KNOTS - 2)
    share = place - i
    basis = torch.zeros(K, n, KNOTS).double()
    basis.scatter_(2, i[..., None], (1 - share)[..., None])
    basis.scatter_add_(2, i[..., None] + 1, share[..., None])

    # l_i is the mean of what exposures say of it: take it out of the equations.
    w = torch.minimum(z, 1 - z).clamp_min(1e-3).square()
    mean = (w[..., None] * basis).sum(0) / w.sum(0)[:, None]
    mean_e = (w * e[:, None]).sum(0) / w.sum(0)
    rows, right = basis - mean, e[:, None] - mean_e
    matrix = torch.einsum("kni,knj,kn->ij", rows, rows, w)
    vector = torch.einsum("kni,kn,kn->i", rows, right, w)

    # Smooth, like the mean camera where nothing is told, and 0 at one half.
    bends = torch.eye(KNOTS).double().diff(n=2, dim=0)
    prior = mean_camera(torch.linspace(0, 1, KNOTS).double().clamp_min(0.5 / KNOTS))
    cost = BENT * n / 1000 * bends.T @ bends
    middle = torch.zeros(KNOTS).double()
    middle[KNOTS // 2] = 1
    matrix = matrix + cost + n * torch.outer(middle, middle)
    g = torch.linalg.solve(matrix, vector + cost @ prior)

    # Light grows with the value.
    steps = g.diff().clamp_min(0.01)
    g = torch.cat([torch.zeros(1).double(), steps.cumsum(0)])
    return g - g[KNOTS // 2]
