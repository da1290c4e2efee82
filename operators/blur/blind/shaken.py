"""Whether a photo was surely blurred by its camera's movement, and the path that it drew.

a, b   = the two parts of the photo with the most edges of every direction
k_a    = the path that a alone speaks for, at SCALE of its size                 coarse_to_fine.py
gain   = min_s E_b(s) - E_b(k_a)        s: round kernels, as lenses and softness have, of all widths
turn   = E_b(k_a turned by a quarter) - E_b(k_a)
doubt  = E_a(k_b) - E_a(k_a) + E_b(k_a) - E_b(k_b)                              coarse_to_fine.py
round  = the likeness of k_a to the round kernel that it is likest to

A path that was found in one part explains another better than round kernels do only if both were
blurred by it. What is out of focus, softened or sharp has round kernels, and where things move the
parts have not the same. Turned by a quarter turn a path has the same width, and must lose more than
the two parts differ by. One that reaches the rim of its window is cut off.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from operators.blur.blind.blind_blur import BlindBlur
from operators.blur.blind.coarse_to_fine import CoarseToFine, enlarged, shrunk
from operators.blur.blind.evidence import by_turns, gradients, posterior
from operators.blur.blind.kernel_estimate import edges_by_window, rim_share, window_sides
from operators.blur.blind.search import Stroke
from operators.blur.kernel_shape import (
    likeness,
    normalise,
    offsets,
    principal_axes,
    shrink_kernel,
    without_specks,
)
from operators.blur.softness import squares

# Softness in pixels below which no photo is looked at: of 1,835 that are meant to be as they are
# 17 have more.
SOFT = 0.8

# How much smaller the parts are looked at, and the side of the paths there, in pixels.
SCALE, SIDE = 2 / 3, 21

# Pixels between the places of parts, and the share of one that may lie in the other.
RASTER, SHARED = 16, 0.5

# Round kernels: std of Gaussians and radii of discs, in pixels at SCALE.
WIDTHS = (0.3, 0.5, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4, 2.8, 3.4, 4.0)
RADII = (1.2, 1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)

# What is asked of a shaken photo, see above. Of gain the mean, any where a path fits FAR better
# than turned, and the least in one part; of doubt the most, and how much more turning has to lose.
GAIN, LEAST = 0.012, -0.025
TURN, FAR = 0.03, 0.1
DOUBT, AGREE = 0.06, 1.5

# The likeness to round kernels up to which a path is none, and the share of it that may lie at the
# rim of its window.
ROUND, RIM = 0.93, 0.06

# Rounds of finding the path at full size from that at SCALE, in both parts together.
ROUNDS = 3


class Fit(NamedTuple):
    """How a path explains a part of a photo that it was not found in.

    Attributes:
        energy: of the path there.
        gain: by which it explains that part better than any round kernel does.
        turn: by which it does so better than itself, turned by a quarter turn.
    """

    energy: float
    gain: float
    turn: float


class ShakenBlur(BlindBlur):
    """A BlindBlur whose path is known to be one.

    Args:
        begun: the path [SIDE, SIDE] at SCALE.
    """

    def __init__(self, begun: Tensor):
        super().__init__()
        self.begun = begun

    @property
    def extent(self) -> float:
        """How far the camera moved, in pixels: as a straight line of the same spread."""
        return 12**0.5 * principal_axes(self.begun)[0] / SCALE

    def found(self, g: Tensor, window: tuple[slice, slice], noise: float) -> Tensor:
        """The path at full size, from both parts of gradients g [1, 2, H, W]."""
        k = enlarged(self.begun.to(g), self.path)
        both = torch.cat([g[..., rows, columns] for rows, columns in parts(g)], 1)
        lam = self.paths.tolerance + noise
        return without_specks(by_turns(k, both, lam, ROUNDS, self.paths.inertia), self.paths.speck)

    def remark(self, y: Tensor) -> str:
        wide = f"the camera moved over more than {self.path} pixels, so the photo is left as it is"
        return wide if self.wide else ""

    def at_scale(self, r: int, y: Tensor) -> tuple["ShakenBlur", Tensor]:
        """The same path, as much smaller."""
        blind, smaller = super().at_scale(r, y)
        small = ShakenBlur(shrink_kernel(self.begun, r))
        small.size, small.path, small.factor = blind.size, blind.path, blind.factor
        return small.with_noise(blind.sigma_y), smaller


def shaken(photo: Tensor, noise: Tensor | float, soft: float) -> ShakenBlur | None:
    """The movement that has surely blurred a photo; None: there is none, or it is not sure.

    Args:
        photo: [1, 3, H, W] in [-1, 1].
        noise: std of its noise, a number or [..., H, W] by frequency.
        soft: its softness in pixels.
    """
    if soft < SOFT:
        return None
    g = gradients(photo.float())
    both = parts(g)
    if len(both) < 2:
        return None
    a, b = (shrunk(g[..., rows, columns], SCALE) for rows, columns in both)
    path = agreed_path(a, b, SCALE**2 * gradient_noise(photo, noise))
    return None if path is None else ShakenBlur(path)


def agreed_path(a: Tensor, b: Tensor, noise: float) -> Tensor | None:
    """The path [SIDE, SIDE] that surely blurred two parts of a photo, or None.

    Args:
        a, b: gradients [1, 2, h, w] of the parts, at SCALE.
        noise: the variance of their noise.
    """
    find = CoarseToFine()
    lam = find.tolerance + noise

    # What the first part alone tells decides for most photos.
    one = find(a, SIDE, noise)
    there = fit(one, b, lam)
    if rim_share(one) > RIM or there.gain < LEAST or there.turn < TURN:
        return None
    other = find(b, SIDE, noise)
    here = fit(other, a, lam)
    if rim_share(other) > RIM or here.gain < LEAST or here.turn < TURN:
        return None

    own = posterior(one, a, lam).energy + posterior(other, b, lam).energy
    doubt, turn = there.energy + here.energy - own, min(there.turn, here.turn)
    if doubt > min(DOUBT, turn / AGREE):
        return None
    gain = (there.gain + here.gain) / 2
    better = gain > (0.0 if turn > FAR else GAIN)
    return one if better and (roundness(one) + roundness(other)) / 2 < ROUND else None


def fit(k: Tensor, part: Tensor, lam: float) -> Fit:
    """How a path k [SIDE, SIDE] explains gradients [1, 2, h, w] whose noise has this variance."""
    own, turned = (posterior(one, part, lam).energy for one in (k, torch.rot90(k)))
    least = min(posterior(one, part, lam).energy for one in round_kernels(part))
    return Fit(own, least - own, turned - own)


def roundness(k: Tensor) -> float:
    """The likeness of a path to the round kernel that it is likest to, 0 to 1."""
    return max(likeness(k, one) for one in round_kernels(k))


def parts(g: Tensor) -> list[tuple[slice, slice]]:
    """Rows and columns of the two parts of gradients g [1, 2, H, W] with most edges of all kinds.

    They lie apart but for a share of SHARED; fewer where the picture is too small, or empty.
    """
    sides, least = window_sides(g), edges_by_window(g, RASTER)
    found: list[tuple[slice, slice]] = []
    while len(found) < 2 and float(least.max()) > 0:
        row, column = divmod(int(least.argmax()), least.shape[1])
        place = (RASTER * row, RASTER * column)
        found.append((slice(place[0], place[0] + sides[0]), slice(place[1], place[1] + sides[1])))
        common = [
            (1 - (RASTER * torch.arange(n).to(g) - at).abs() / side).clamp_min(0)
            for n, at, side in zip(least.shape, place, sides, strict=True)
        ]
        least = torch.where(common[0][:, None] * common[1] > SHARED, 0.0, least)
    return found


def round_kernels(like: Tensor) -> list[Tensor]:
    """Gaussians and discs [SIDE, SIDE], on the device of `like`."""
    away = torch.hypot(*offsets(SIDE))
    discs = [normalise((r + 0.5 - away).clamp(0, 1)) for r in RADII]
    return [k.to(like) for k in (*(Stroke(0.0, 0.0, w).kernel(SIDE) for w in WIDTHS), *discs)]


def gradient_noise(photo: Tensor, noise: Tensor | float) -> float:
    """The variance of the noise of the grey photo's differences; arguments as `shaken` has them."""
    power = squares(photo, noise)
    down, across = (
        2 - 2 * torch.cos(torch.pi * torch.arange(n).to(power) / n) for n in power.shape[-2:]
    )
    return float((power * (down[:, None] + across)).mean()) / 2
