"""How noisy a photo is, from the high frequencies of its smooth patches.

    D       = DCT of the 8 x 8 patches of a channel
    smooth  = the patches with the least energy at frequencies 0 < u + v < 11: a share of the
              darker half and one of the brighter half, or all that hold noise alone
    sigma^2 = lower quartile over the frequencies u + v >= 11 of the mean of D^2 over the smooth
              patches, divided by that of noise of variance 1; the mean of the two halves

White noise is independent from one frequency to the next, so choosing patches by the low ones does
not bias the high ones; the lower quartile leaves out what texture adds, and the halves are there
for noise that grows with the light. Smooth patches lie together and overlap: their means differ
from frequency to frequency as those of few patches do, and the quartile lies below the variance, by
5 % in photos of 128 pixels, were it not for the division. After Ponomarenko et al. (2007); Colom
and Buades (IPOL 2013).
"""

from statistics import NormalDist

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.picture import is_grey
from operators.noise.painted import painted

SIDE = 8  # pixels of a patch
SPLIT = 11  # u + v from which a frequency is called high
PATCHES = 2**16  # looked at in a channel
SMOOTH_SHARE = 0.02  # of the patches of a half of the brightness, that are called smooth ...
SMOOTH_LEAST = 200  # ... and at least so many patches
QUANTILE = 0.25  # over the high frequencies
FLAT = 1.2  # times its noise that a patch holds at low frequencies where it is noise alone
ROUNDS = 3  # of finding the patches that are flat, and their noise
LOOKS = 3.0  # independent ones at a frequency that overlapping patches give, in a cell of SIDE
LEAST_QUANTILE = 0.5  # of a variance of 1, however few the patches

# Pixels at 0 or 1 may be clipped, and their noise with them.
WINDOW = 24  # pixels of the window around a patch in which they are counted
CLIPPED_HARMLESS = 0.02  # their share in a window that does little harm
CLEAREST = 0.05  # share of the patches that are used where no window is as clear as that
CLIPPED_MOST = 0.35  # share of black, or of white, up to which the variance is corrected


def estimate_sigma(pixels: Tensor) -> float:
    """Estimate the std of white Gaussian noise.

    Values outside [0, 1] are welcome; where there are none, pixels at 0 and 1 are taken for
    clipped, and places with many of them do not count. What looks like noise in a clean photo
    (grain, sand, foliage all over) is taken for noise; what is of one colour in a noisy photo, such
    as a border, does not count.

    Args:
        pixels: [B, C, H, W] in [0, 1].

    Returns:
        The RMS over channels in [0, 1] units; 0 where all is black or white.

    Raises:
        ValueError: a side has less than 16 pixels.
    """
    if pixels.ndim != 4 or min(pixels.shape[-2:]) < 2 * SIDE:
        size = "x".join(str(n) for n in pixels.shape[:-3:-1])
        raise ValueError(
            f"the noise of a {size} picture cannot be estimated, 16x16 is the least; "
            "give its std, sigma_y=NUMBER"
        )

    pixels = pixels.detach().float()
    channels = pixels[:, :1] if is_grey(pixels) else pixels
    still = painted(pixels)
    found = (variance(channel, still) for channel in channels.split(1, 1))
    variances = [v for v in found if v is not None]
    return (sum(variances) / len(variances)) ** 0.5 if variances else 0.0


def variance(channel: Tensor, still: Tensor | None = None) -> float | None:
    """The noise variance of a channel [B, 1, H, W]; None where every pixel is clipped.

    Args:
        channel: its pixels.
        still: where it has none, and does not count, as of `painted`.
    """
    stride = max(1, round((channel.numel() / PATCHES) ** 0.5))
    ends = black_and_white(channel, stride)
    lost = ends.sum(1)
    if still is not None:
        lost = lost.maximum(shares(still.float(), stride).flatten())
    if lost.min() == 1:
        return None

    # Patches of which little is clipped, as orthonormal DCT coefficients.
    good = clear(lost)
    patches = F.unfold(channel, SIDE, stride=stride).mT.flatten(0, 1)[good]
    coefficients = patches @ basis(patches)

    cells = cells_of(channel, stride)[good]
    by_brightness = coefficients[:, 0].argsort()
    halves = [
        smooth_variance(coefficients[half], ends[good][half], cells[half])
        for half in by_brightness.tensor_split(2)
        if len(half)
    ]
    return sum(halves) / len(halves)


def smooth_variance(coefficients: Tensor, ends: Tensor, cells: Tensor) -> float:
    """The noise variance by the smoothest of some patches.

    Args:
        coefficients: their DCT, [N, SIDE^2].
        ends: the shares of black and white pixels around them, [N, 2].
        cells: where they lie, [N]: those of one number overlap.
    """
    u = torch.arange(SIDE, device=coefficients.device)
    order = (u[:, None] + u).flatten()
    low, high = (order > 0) & (order < SPLIT), order >= SPLIT

    # A share of them, then all that hold no more than such noise.
    texture, power = coefficients[:, low].square().mean(1), coefficients[:, high].square()
    count = min(max(SMOOTH_LEAST, int(SMOOTH_SHARE * len(texture))), len(texture))
    smooth = texture.topk(count, largest=False).indices
    for _ in range(ROUNDS):
        level = float(power[smooth].mean(0).quantile(QUANTILE))
        flat = int((texture <= FLAT * level).sum())
        smooth = texture.topk(max(count, flat), largest=False).indices

    level = float(power[smooth].mean(0).quantile(QUANTILE)) / quartile(len(cells[smooth].unique()))
    black, white = ends[smooth].mean(0).clamp_max(CLIPPED_MOST).tolist()
    return level / variance_after_clipping(black, white)


def quartile(cells: int) -> float:
    """Where the lower quartile of mean powers of noise lies, whose variance is 1.

    Args:
        cells: how many places the means are over.
    """
    spread = (2 / (LOOKS * cells)) ** 0.5
    return max(LEAST_QUANTILE, 1 + NormalDist().inv_cdf(QUANTILE) * spread)


def cells_of(channel: Tensor, stride: int) -> Tensor:
    """The cell of SIDE pixels that each patch begins in, a number [N], as F.unfold orders them."""
    B, _, H, W = channel.shape
    rows, columns = (torch.arange(0, n - SIDE + 1, stride) // SIDE for n in (H, W))
    cells = rows[:, None] * (W // SIDE + 1) + columns
    each = torch.arange(B)[:, None] * (H // SIDE + 1) * (W // SIDE + 1)
    return (each + cells.flatten()).flatten().to(channel.device)


def black_and_white(channel: Tensor, stride: int) -> Tensor:
    """Around each patch, the shares [N, 2] of pixels that are clipped to black and to white.

    They count as clipped only where nothing in the channel is darker, or brighter.
    """
    black = (channel <= 0) & (channel.min() >= 0)
    white = (channel >= 1) & (channel.max() <= 1)
    ends = torch.cat([black, white], 1).float()
    return shares(ends, stride).flatten(2).mT.flatten(0, 1)


def shares(mask: Tensor, stride: int, side: int = SIDE) -> Tensor:
    """The share of a mask [B, C, H, W] around each patch of a side, [B, C, rows, columns]."""
    margin = max(0, WINDOW - side) // 2
    return F.avg_pool2d(mask, side + 2 * margin, stride, margin, count_include_pad=False)


def clear(lost: Tensor) -> Tensor:
    """Which patches [N] have next to nothing clipped around them, by the shares that are."""
    return lost <= max(CLIPPED_HARMLESS, float(lost[lost < 1].quantile(CLEAREST)))


def variance_after_clipping(black: float, white: float) -> float:
    """The variance that a Gaussian of variance 1 keeps when these shares of it are clipped."""
    normal = NormalDist()
    a, b = normal.inv_cdf(max(black, 1e-9)), -normal.inv_cdf(max(white, 1e-9))
    mean = a * black + b * white + normal.pdf(a) - normal.pdf(b)
    square = a * a * black + b * b * white  # of what lies at the ends, and between them
    square = square + 1 - black - white + a * normal.pdf(a) - b * normal.pdf(b)
    return square - mean**2


def basis(like: Tensor) -> Tensor:
    """Patches [N, SIDE^2] times this [SIDE^2, SIDE^2] are their orthonormal DCT coefficients."""
    waves = cosines(SIDE, like)
    return torch.kron(waves, waves)


def cosines(side: int, like: Tensor) -> Tensor:
    """The orthonormal DCT-II [side, side], a frequency a column."""
    n = torch.arange(side, dtype=like.dtype, device=like.device)
    waves = torch.cos(torch.pi / side * torch.outer(n + 0.5, n)) * (2 / side) ** 0.5
    waves[:, 0] /= 2**0.5
    return waves
