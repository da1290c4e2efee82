"""A photo's patches as DCT coefficients: their powers, their brightness, and which are smooth.

E(c, r)  = mean of D^2 over the frequencies of ring r of colour direction c, D the DCT of a patch
           less its plane
S(c, r)  = sum of sqrt(m) log(1 + E / E_10) over all other rings (m: frequencies of a ring; E_10:
           the 10 % quantile over patches): little where a patch is smooth

What a ring holds is judged by the others: noise is independent from one to the next, structure is
not, so that noise is not chosen by its own size.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.restore.noise.level import CLIPPED_HARMLESS, clear, cosines, shares
from gdp.restore.noise.model import OPPONENT, curve_at
from operators.noise.painted import fine_differences, grown

# Sides of patches in pixels, how many are looked at, and the rings of frequencies max(u, v).
PATCHES = {8: 6000, 16: 4000, 32: 2000}
RINGS = {
    8: ((1, 2), (2, 4), (4, 6), (6, 8)),
    16: ((2, 4), (4, 6), (6, 8), (8, 12), (12, 16)),
    32: ((1, 2), (2, 4), (4, 6), (6, 8), (8, 16)),
}

REACH = 8  # pixels around what has no noise that codecs have none in
TILE, SMOOTH = 8, 0.3  # pixels a side; share of the tiles, by power, that tell directions of colour
ONE_COLOUR = 0.01  # share of the variance in the second direction below which there is but one


class Blocks(NamedTuple):
    """N patches of a photo."""

    power: Tensor  # D^2 [3, side, side, N], as if the plane had not been taken off
    brightness: Tensor  # [N]
    rings: list[Tensor]  # which frequencies are in each, [side, side]
    energy: Tensor  # E [3, rings, N]
    smoothness: Tensor  # S [3, rings, N]; little where smooth


def blocks_of(
    pixels: Tensor, colours: Tensor, side: int, still: Tensor | None = None
) -> Blocks | None:
    """Look at a photo's patches.

    Args:
        pixels: [B, 3, H, W] in [0, 1].
        colours: three directions in RGB, a row each.
        side: pixels of a patch, one of PATCHES.
        still: where there is no noise, as of `painted`.

    Returns:
        Patches of which next to nothing is clipped; None where everything is.
    """
    H, W = pixels.shape[-2:]
    stride = max(1, round((len(pixels) * H * W / PATCHES[side]) ** 0.5))
    lost = clipped_shares(pixels, side, stride, still)
    if lost.min() == 1:
        return None
    good = clear(lost)

    # Patches of each direction, less their planes: slopes are no noise.
    patches = F.unfold(pixels, side, stride=stride).unflatten(1, (3, side, side))
    patches = patches.movedim(0, -1).flatten(-2)[..., good]  # [3, side, side, N]
    patches = torch.einsum("kc,cijn->kijn", colours.to(pixels), patches)
    brightness = patches[0].mean((0, 1)) / colours[0].sum().abs()
    basis, slope = cosines(side, pixels), slopes(side).to(pixels)
    flat = torch.full_like(slope, side**-0.5)
    for a, b in ((slope, flat), (flat, slope)):
        plane = torch.outer(a, b)[..., None]
        patches = patches - (patches * plane).sum((1, 2), keepdim=True) * plane

    power = torch.einsum("iu,kijn,jv->kuvn", basis, patches, basis).square()
    kept = torch.ones_like(basis)
    kept[:, 0] -= (slope @ basis) ** 2
    kept[0] -= (slope @ basis) ** 2
    power = power / kept.clamp_min(0.05)[..., None]
    return with_smoothness(power, brightness)


def directions(pixels: Tensor, still: Tensor | None = None) -> Tensor:
    """Q: grey and two opponent colours; the one direction first that noise has, or a toned picture.

    By the differences of neighbours in the smoothest tiles: edges have colours of their own, and
    where pixels are clipped one channel may have all of the noise.
    """
    fine = fine_differences(pixels)
    ends = ((pixels <= 0) | (pixels >= 1)).any(1, keepdim=True).float()
    ends = ends if still is None else ends.maximum(grown(still.to(ends), REACH))
    power = F.avg_pool2d(fine.square().sum(1, keepdim=True), TILE).flatten()
    inside = (F.avg_pool2d(ends, TILE + 1, TILE).flatten() <= CLIPPED_HARMLESS) & (power > 0)
    inside = inside if bool(inside.any()) else torch.ones_like(inside)
    smooth = inside & (power <= power[inside].quantile(SMOOTH))

    tiles = F.unfold(fine, TILE, stride=TILE).unflatten(1, (3, -1)).movedim(1, 0).movedim(-1, 2)
    some = tiles.flatten(1, 2)[:, smooth].flatten(1).double().cpu()
    values, vectors = torch.linalg.eigh(some @ some.T)
    tone = vectors[:, -1] * vectors[:, -1].sum().sign()
    grey = float(tone @ OPPONENT[0].double()) > 0.9999
    if values[-1] == 0 or values[-2] > ONE_COLOUR * values[-1] or grey:
        return OPPONENT
    return torch.stack([tone, vectors[:, 1], vectors[:, 0]]).float()


def with_smoothness(power: Tensor, brightness: Tensor) -> Blocks:
    """The patches with the energy of each ring, and how smooth the others say that they are."""
    side = power.shape[1]
    n = torch.arange(side)
    order = torch.maximum(n[:, None], n)
    plane = (n[:, None] + n) <= 1
    rings = [(order >= low) & (order < high) & ~plane for low, high in RINGS[side]]

    # Frequencies of a ring count alike, whatever their typical power.
    energies = []
    for ring in rings:
        x = power[:, ring.to(power.device)]
        mean = x.mean(-1, keepdim=True)
        typical = x.minimum(2 * mean).mean(-1, keepdim=True).clamp_min(1e-10)
        energies.append((x * (typical.mean(1, keepdim=True) / typical)).mean(1))
    energy = torch.stack(energies, 1)

    low = energy.kthvalue(max(1, energy.shape[-1] // 10), -1, keepdim=True).values
    counts = torch.tensor([float(ring.sum()) for ring in rings]).to(energy)
    structure = counts.sqrt()[:, None] * torch.log1p(energy / low.clamp_min(1e-9))
    own = structure.clone()
    own[1:] = structure[1:].sum(0)  # the two colours go together
    return Blocks(power, brightness, rings, energy, structure.sum((0, 1)) - own)


def evened(b: Blocks, known: Tensor) -> Blocks:
    """The patches as they are where their noise does not go with brightness as it is known to."""
    if torch.equal(known, torch.ones_like(known)):
        return b
    return with_smoothness(b.power / curve_at(known, b.brightness).square(), b.brightness)


def rms_over(b: Blocks, curve: Tensor) -> float:
    """The rms of a curve [17] over patches."""
    return float(curve_at(curve, b.brightness).square().mean().sqrt())


def clipped_shares(pixels: Tensor, side: int, stride: int, still: Tensor | None = None) -> Tensor:
    """Around each patch, the share [N] of pixels of which a channel is clipped, or that are still.

    They count as clipped only where nothing in the photo is darker, or brighter.
    """
    ends = torch.zeros_like(pixels[:, :1], dtype=torch.bool)
    if pixels.min() >= 0:
        ends = ends | (pixels <= 0).any(1, keepdim=True)
    if pixels.max() <= 1:
        ends = ends | (pixels >= 1).any(1, keepdim=True)
    if still is not None:
        ends = ends | (grown(still.to(pixels), REACH) > 0)
    return shares(ends.to(pixels), stride, side).movedim(0, -1).flatten()


def slopes(side: int) -> Tensor:
    """A straight line [side] of mean 0 and norm 1."""
    line = torch.arange(side) - (side - 1) / 2
    return line / line.norm()
