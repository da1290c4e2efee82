"""Whether something lies as noise does: all over, and not where detail is.

A ring of frequencies is asked by `trusted`, what was taken away of a photo by `evenness`, a picture
of something even by `unevenness`:

    z     grey, less a polynomial of the place: vignetting, slopes; single pixels held to SPIKE
    p     powers of windowed blocks of z by frequency, P their mean over blocks
    E     mean over a band of (p + floor) / (P + floor), a number a block
    u     the spread of log E over blocks, less what goes with the place, over that of noise

Noise of any colour has u = 1, what a photo shows lies in some places and not in others.
"""

from collections.abc import Sequence
from statistics import NormalDist

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from gdp.restore.noise.blocks import clipped_shares
from gdp.restore.noise.level import clear
from gdp.restore.noise.model import ROUNDING, orders
from operators.tools.ramp import ramp
from operators.tools.transforms import dct2, idct2

TILE, AROUND = 8, 5  # pixels of a tile, and of the mean that is taken off to see what is fine

ALIKE, ROUGH = 1.3, 1.6  # median energy over its 10 % quantile, as stds: of noise, of texture

# Of noise whose frequencies tell: see is_grain, is_loud.
SEEN, GRAIN = 6.0, 0.2  # times rounding's std that grain has at least; its share of other colours
FALLS, EVENLY = 1.35, 0.85  # upper over high frequencies, at most: grain .97 to 1.3; w, at least
EVENLY_LOUD, LOUD, LOUDER = 1.25, 0.03, 0.06  # most over least; std, if even, and if not

# Of the picture of something even.
DEGREE, PLACE = 4, 2  # of the polynomials that are taken off z and log E
SPIKE = 6.0  # robust stds at which z is cut: hot pixels, dust
BLOCKS = {16: (0, 96), 32: (96, 2**31), 64: (192, 2**31)}  # side: sides of pictures, from and below
MOST, LEAST = 2000, 9  # blocks of a size
BANDS = ((1.5, 4.5), (4.5, 9.0))  # cycles a block
SPREAD = 2.25  # times fewer numbers are independent in a band, by the window
TAILS = 0.1  # the quantiles that tell the spread
LEVEL = 1 / 255
FLOOR, SHARE = LEVEL**2 / 3, 1e-3  # the floor: of rounding, and of the mean of P
CODED = 0.2  # times the square of a codec's step is what the floor is at least


def trusted(energy: Tensor, strata: Sequence[Tensor]) -> float:
    """w: how far a ring's energy [N] of patches is that of noise; by the most even stratum."""
    spread = min(
        float((energy[k].quantile(0.5) / energy[k].quantile(0.1).clamp_min(1e-12)).sqrt())
        for k in strata
    )
    return ramp(spread, ROUGH, ALIKE)


def is_grain(variance: Tensor, w: float) -> bool:
    """Whether a measured variance [3, 32, 32] is white noise of one direction, the first.

    Filters of three colours have noise in all directions, texture falls to high frequencies, and
    is uneven; what the scene has of other colours below says nothing of such noise.

    Args:
        variance: before it is bounded.
        w: as `trusted` has it.
    """
    order = orders().to(variance.device)
    upper, high = (order >= 0.5) & (order < 0.75), order >= 0.75
    tones = float(variance[0, order >= 0.5].mean().sqrt())
    others = variance[1:, (order >= 0.25) & (order < 0.5)].mean(1).sqrt().tolist()  # 4:2:0 has them
    falls = float((variance[0, upper].mean() / variance[0, high].mean()).sqrt())
    return tones > SEEN * ROUNDING and max(others) < GRAIN * tones and falls < FALLS and w > EVENLY


def is_loud(variance: Tensor, w: float) -> bool:
    """Whether grey is loud, and as loud at all upper frequencies: noise that no camera demosaicked.

    None of 1,700 photos and crops as they are, JPEGs among them, is so; arguments as `is_grain`'s.
    """
    bands = (8 * orders()).long().to(variance.device)
    least, *_, most = sorted(float(variance[0, bands == k].mean()) ** 0.5 for k in range(4, 8))
    return most < EVENLY_LOUD * least and least > (LOUD if w > EVENLY else LOUDER)


def evenness(change: Tensor, x: Tensor, claimed: Tensor, gain: Tensor | None) -> float:
    """lo - c / 2: how much of the noise that was claimed was taken where nothing hides it.

    Args:
        change: y - x [H, W].
        x: the result.
        claimed: std of the noise by frequency of a DCT [H, W].
        gain: of the noise by pixel [H, W].
    """
    taken, detail = by_tile(fine(change)), by_tile(fine(x))
    together = torch.corrcoef(torch.stack([taken, detail]).clamp_min(1e-5).log())[0, 1]
    lo = in_flattest(share_by_tile(change, claimed, gain), detail)
    return lo - float(together.nan_to_num()) / 2


def taken_where_flat(change: Tensor, x: Tensor, claimed: Tensor) -> float:
    """lo: the share of the noise claimed that was taken of the flattest tiles; arguments alike."""
    return in_flattest(share_by_tile(change, claimed, None), by_tile(fine(x)))


def share_by_tile(change: Tensor, claimed: Tensor, gain: Tensor | None) -> Tensor:
    """q of each tile [N]; arguments as `evenness` has them."""
    return by_tile(fine(change if gain is None else change / gain) / fine_std(claimed))


def fine_std(claimed: Tensor) -> Tensor:
    """The std of what is fine in noise of std `claimed` [H, W] by frequency of a DCT."""
    white = Noise([0]).like(claimed[None, None])
    return fine(idct2(dct2(white) * claimed)[0, 0]).square().mean().sqrt().clamp_min(1e-9)


def in_flattest(q: Tensor, detail: Tensor) -> float:
    """The median of q [N] over the quarter of the tiles with the least detail [N]."""
    return float(q[detail.argsort()[: max(1, len(detail) // 4)]].median())


def by_tile(p: Tensor) -> Tensor:
    """The rms of a picture [H, W] in each of its tiles [N]."""
    return F.avg_pool2d(p.square()[None, None], TILE).flatten().sqrt()


def fine(p: Tensor) -> Tensor:
    """A picture [H, W] less what is around each pixel."""
    padded = F.pad(p[None, None], (AROUND // 2,) * 4, mode="reflect")
    return p - F.avg_pool2d(padded, AROUND, 1)[0, 0]


def unevenness(pixels: Tensor, step: float = 0.0) -> float:
    """u above, the most of all bands and sizes of blocks: how little a picture is even but noise.

    Args:
        pixels: [1, 3, H, W] in [0, 1].
        step: by which a codec has rounded low frequencies, in levels of 255.

    Returns:
        About 1 for noise; 2 or more for photos. With few blocks it is taken for less, and is 0
        where there are too few to tell.
    """
    z, worst = levelled(pixels), 0.0
    for side, (least, below) in BLOCKS.items():
        if least <= min(z.shape[-2:]) < below:
            power, place = powers_of(z, pixels, side)
            if len(power) >= LEAST:
                worst = max(worst, uneven_power(power, place, step) / (1 + 4 / len(power)))
    return worst


def levelled(pixels: Tensor) -> Tensor:
    """z above [H, W]; the std of white noise in all channels is that of z."""
    z = pixels[0].mean(0).double() * 3**0.5
    down, across = (torch.linalg.qr(polynomial(n, DEGREE)).Q for n in z.shape)
    order = torch.arange(DEGREE + 1)
    parts = (down.T @ z @ across) * (order[:, None] + order <= DEGREE)
    z = (z - down @ parts @ across.T).float()
    most = SPIKE * max(1.48 * float(z.abs().median()), LEVEL)
    return z.clamp(-most, most)


def polynomial(n: int, degree: int) -> Tensor:
    """The powers [n, degree + 1] of a place that goes from -1 to 1."""
    return torch.linspace(-1, 1, n, dtype=torch.float64)[:, None] ** torch.arange(degree + 1)


def powers_of(z: Tensor, pixels: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Powers [N, side, side / 2] of blocks by frequency, and the polynomial of their place [N, 6].

    Blocks around which much is clipped are left out, unless that is most of the picture.
    """
    stride = max(side // 2, round((z.numel() / MOST) ** 0.5))
    lost = clipped_shares(pixels, side, stride)
    good = clear(lost) if lost.min() < 1 else torch.zeros_like(lost, dtype=torch.bool)
    good = good if good.float().mean() >= 0.5 else torch.ones_like(good)

    blocks = F.unfold(z[None, None], side, stride=stride)[0].T[good].unflatten(1, (side, side))
    window = torch.hann_window(side, periodic=False).outer(torch.hann_window(side, periodic=False))
    power = torch.fft.rfft2(blocks * window / window.norm()).abs().square()[..., 1:]

    rows, columns = (polynomial((n - side) // stride + 1, PLACE) for n in z.shape)
    place = torch.einsum("ia,jb->ijab", rows, columns).flatten(0, 1)
    low = torch.arange(PLACE + 1)[:, None] + torch.arange(PLACE + 1) <= PLACE
    return power, place[:, low][good]


def uneven_power(power: Tensor, place: Tensor, step: float) -> float:
    """u of blocks of one size, by what `powers_of` gives; the most of the bands."""
    side, mean = power.shape[1], power.mean(0)
    floor = max(FLOOR, CODED * (step * LEVEL) ** 2) + SHARE * mean.mean()
    relative = (power + floor) / (mean + floor)
    down, across = torch.fft.fftfreq(side) * side, torch.arange(1, side // 2 + 1)
    radius = torch.hypot(down[:, None], across[None])
    same = torch.linalg.qr(place).Q if len(place) > 3 * place.shape[1] else place[:, :0]

    worst, normal = 0.0, 2 * NormalDist().inv_cdf(1 - TAILS)
    for low, high in BANDS:
        band = (radius >= low) & (radius < high)
        logs = relative[:, band].mean(1).double().log()
        logs = logs - same @ (same.T @ logs)
        first, last = logs.quantile(torch.tensor([TAILS, 1 - TAILS]).double()).tolist()
        of_noise = torch.polygamma(1, band.sum() / SPREAD).sqrt()
        worst = max(worst, (last - first) / normal / float(of_noise))
    return worst
