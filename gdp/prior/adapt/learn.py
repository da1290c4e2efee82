"""A prior's network fitted to one photo, by patches at all scales of what is seen of it.

    z_t = sqrt(a_t) (y + sqrt(sigma_t^2 - s^2) e),  e ~ N(0, I)      sigma_t^2 = (1 - a_t) / a_t
    L   = | e - k eps(z_t, t) |^2,    k^2 = 1 - s^2 / sigma_t^2

y = x + s n is what is seen, noise of std s and all. The eps that minimises L is that for clean x:
z_t has noise sigma_t in all, of which e is the part that is known ("Noisier2Noise", Moran et al.,
CVPR 2020, with both noises Gaussian). s = 0 is a diffusion model's own loss. The photo's patches
come again at its other scales and places ("Zero-shot super-resolution", Shocher et al., CVPR 2018),
and a network that saw them before it restores is steered by them (Barbano et al., "Steerable
conditional diffusion", 2023, where it happens between the steps).
"""

import copy
import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.network.graphs import Graphs
from gdp.network.unet import UNet
from gdp.prior.adapt.lora import LowRank
from gdp.prior.prior import Prior
from gdp.prior.symmetry import ORIENTATIONS, turn

RANK, RATE = 4, 1e-3  # of the change; Adam's
PATCHES, SIDE, LEAST = 4, 64, 16  # patches a step, their side, and the least that is learnt from
NOISE = (0.05, 1.0)  # sigma_t that is learnt at, [-1, 1] units, evenly by the logarithm
NOISIER = 1.2  # sigma_t is above s by as much
CLIP = 1.0  # largest gradient norm
CHANNELS = 3  # of pictures
log = logging.getLogger("gdp")


class Seen(NamedTuple):
    """What is seen of a photo."""

    picture: Tensor  # [1, 3, H, W] in [-1, 1]
    where: Tensor  # [1, 1, H, W], 1 where it is the photo's, else 0
    noise: float  # its std s, [-1, 1] units

    def halved(self) -> "Seen":
        """Means over 2 x 2 pixels; seen where all four are."""
        whole = (F.avg_pool2d(self.where, 2) == 1).float()
        return Seen(F.avg_pool2d(self.picture, 2), whole, self.noise / 2)

    def places(self, side: int) -> Tensor:
        """The corners (y, x) of windows that are seen wholly [N, 2]."""
        holes = F.max_pool2d(1 - self.where, side, stride=1)
        return (holes[0, 0] == 0).nonzero()


@contextmanager
def adapted(prior: Prior, seen: Seen, steps: int, seed: int) -> Iterator[None]:
    """Within the block, let a prior's network be one that has learnt from a photo.

    The prior's own network is left alone, and is its network again afterwards.

    Args:
        prior: of a UNet; in tiles or other wrappers as well.
        seen: what is seen of the photo.
        steps: of Adam.
        seed: of patches, noise and the change's start.

    Raises:
        ValueError: the prior has no network that learns, or too little is seen.
    """
    net = prior.net
    if not isinstance(net, UNet) or net.in_channels != CHANNELS:
        raise ValueError(
            f"adapt={steps} trains a UNet for pictures in colour, which this prior has not; leave "
            "adapt= out, or take prior=photo64"
        )
    log.info("adapt=%d: the prior learns from the photo itself", steps)
    side = side_for(seen, net.divisor)
    learnt = fit(net, prior, levels(seen, side, steps), side, steps, seed)

    # All wrappers of the prior hold the same network
    parts = [part for part in prior.modules() if isinstance(part, Prior) and part.net is net]
    graphs = [part.graphs for part in parts]
    for part in parts:
        part.net, part.graphs = learnt, Graphs()
    try:
        yield
    finally:
        for part, own in zip(parts, graphs, strict=True):
            part.net, part.graphs = net, own


def side_for(seen: Seen, divisor: int) -> int:
    """The patches' side: the largest, halved from SIDE, of which the picture shows several."""
    side = SIDE
    while side > LEAST and (
        2 * min(seen.picture.shape[-2:]) < 3 * side or not len(seen.places(side))
    ):
        side //= 2
    return max(divisor, side // divisor * divisor)


def levels(seen: Seen, side: int, steps: int) -> list[tuple[Seen, Tensor]]:
    """The photo at its scales, each with the corners of its patches.

    Raises:
        ValueError: no scale has a patch that is seen wholly.
    """
    found = []
    while min(seen.picture.shape[-2:]) >= side:
        places = seen.places(side)
        if len(places):
            found.append((seen, places))
        seen = seen.halved()
    if not found:
        raise ValueError(
            f"adapt={steps} learns from patches of {side}x{side} pixels, and the photo shows none "
            "that is whole; leave adapt= out"
        )
    return found


def fit(
    net: UNet,
    prior: Prior,
    windows: list[tuple[Seen, Tensor]],
    side: int,
    steps: int,
    seed: int,
) -> UNet:
    """A copy of a network, in its own type, that has learnt from a photo's patches."""
    dtype, memory = net.dtype, torch.channels_last
    learner = copy.deepcopy(net).float().train().requires_grad_(False)
    change = LowRank(learner, RANK, seed)
    optimizer = torch.optim.Adam(change.parameters(), RATE)
    generator = torch.Generator().manual_seed(seed)
    labels = None
    if prior.label is not None:
        labels = torch.full((PATCHES,), prior.label, device=prior.device)

    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 + math.cos(math.pi * step / steps)) / 2
        z, e, k, t = draw(prior, windows, side, generator)
        with torch.enable_grad():
            out = learner(z.contiguous(memory_format=memory), (t - 1).float(), labels)
            loss = (e - k * out[:, :CHANNELS].float()).square().mean()
            loss.backward()
        change.take_gradients()
        torch.nn.utils.clip_grad_norm_(change.parameters(), CLIP)
        optimizer.step()
        change.write()

    learner.eval().requires_grad_(False)
    return learner.compute_in(dtype) if dtype != torch.float32 else learner


def draw(
    prior: Prior, windows: list[tuple[Seen, Tensor]], side: int, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A batch of patches, all of one scale: (z_t, e, k, t), on the prior's device."""
    seen, places = windows[int(torch.randint(len(windows), (), generator=generator))]
    chosen = places[torch.randint(len(places), (PATCHES,), generator=generator)]
    ways = torch.randint(ORIENTATIONS["square"], (PATCHES,), generator=generator)
    y = torch.cat(
        [
            turn(seen.picture[..., i : i + side, j : j + side], int(k))
            for (i, j), k in zip(chosen.tolist(), ways, strict=True)
        ]
    )

    # Times by the logarithm of their noise, above that of y
    least = max(NOISE[0], NOISIER * seen.noise)
    low, high = math.log(least), math.log(max(NOISE[1], 2 * least))
    sigma = (low + (high - low) * torch.rand(PATCHES, generator=generator)).exp().double()
    table = ((1 - prior.alpha_bar) / prior.alpha_bar).sqrt()
    t = torch.searchsorted(table, sigma).clamp(1, prior.T)
    a, sigma = prior.alpha_bar[t], table[t]
    added = (sigma**2 - seen.noise**2).sqrt()

    e = torch.randn(y.shape, generator=generator)
    shape = (-1, 1, 1, 1)
    z = a.sqrt().view(shape) * (y.cpu() + added.view(shape) * e)
    k = (added / sigma).view(shape)
    device = prior.device
    return z.float().to(device), e.to(device), k.float().to(device), t.to(device)
