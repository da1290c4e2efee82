"""The noise of a photo, from the high frequencies of its smooth patches (after Ponomarenko et al., 2007; Colom and Buades, IPOL 2013).

    D       = DCT of the 8 x 8 patches of a channel
    smooth  = the patches with the least energy at frequencies 0 < u + v < 11: a share of the darker half, and one of the brighter half
    sigma^2 = lower quartile over the frequencies u + v >= 11 of the mean of D^2 over the smooth patches; the mean of the two halves

White noise is independent from one frequency to the next, so that to choose patches by the low ones does not bias the high ones; the
lower quartile leaves out what texture adds, and the halves are there for noise that grows with the light.
"""

from statistics import NormalDist

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE, SPLIT, AROUND = (
    8,
    11,
    24,
)  # pixels of a patch, u + v, pixels of the window in which clipped ones are counted
SHARE, FEWEST = (
    0.02,
    200,
)  # of the patches in a half of the brightness, that are called smooth; patches at least
QUANTILE = 0.25
PATCHES = 2**16  # looked at in a channel
CLIPPED, CLEAREST = (
    0.02,
    0.05,
)  # share of clipped pixels that does little harm; share of the patches used where none has so few
MOST = 0.35  # share of black pixels, or of white, for which clipped noise is corrected


def estimate_sigma(pixels: Tensor) -> float:
    """The std of white Gaussian noise in pixels [B, C, H, W], in their unit, [0, 1]: the RMS over channels; 0 where all is black or white.

    Values outside [0, 1] are welcome; where there are none, pixels at 0 and 1 are taken for clipped, and places with many of them do
    not count. What looks like noise in a clean photo (grain, sand, foliage all over) is taken for noise, and a painted area of any other
    colour for a photo without noise.
    """
    if pixels.ndim != 4 or min(pixels.shape[-2:]) < 2 * SIDE:
        size = "x".join(str(n) for n in pixels.shape[:-3:-1])
        raise ValueError(
            f"the noise of a {size} picture cannot be estimated, 16x16 is the least; give its std, sigma_y=NUMBER"
        )
    pixels = pixels.detach().float()
    channels = pixels[:, :1] if torch.equal(pixels, pixels[:, :1].expand_as(pixels)) else pixels
    variances = [v for v in map(variance, channels.split(1, 1)) if v is not None]
    return (sum(variances) / len(variances)) ** 0.5 if variances else 0.0


def variance(channel: Tensor) -> float | None:
    """The noise variance of a channel [B, 1, H, W]; None where every pixel is clipped."""
    stride = max(1, round((channel.numel() / PATCHES) ** 0.5))
    ends = clipped_shares(channel, stride)
    lost = ends.sum(1)
    if lost.min() == 1:
        return None
    good = lost <= max(CLIPPED, float(lost[lost < 1].quantile(CLEAREST)))
    patches = F.unfold(channel, SIDE, stride=stride).mT.flatten(0, 1)[good]
    coefficients = patches @ basis(patches)
    by_brightness = coefficients[:, 0].argsort()
    halves = [
        smooth_variance(coefficients[half], ends[good][half])
        for half in by_brightness.tensor_split(2)
        if len(half)
    ]
    return sum(halves) / len(halves)


def smooth_variance(coefficients: Tensor, ends: Tensor) -> float:
    """The noise variance by the smoothest of these patches: [N, SIDE^2] DCT coefficients, [N, 2] clipped shares."""
    u = torch.arange(SIDE, device=coefficients.device)
    order = (u[:, None] + u).flatten()
    texture = coefficients[:, (order > 0) & (order < SPLIT)].square().sum(1)
    count = min(max(FEWEST, int(SHARE * len(texture))), len(texture))
    smooth = texture.topk(count, largest=False).indices
    power = coefficients[smooth][:, order >= SPLIT].square().mean(0).quantile(QUANTILE)
    return float(power) / variance_left(*ends[smooth].mean(0).clamp_max(MOST).tolist())


def clipped_shares(channel: Tensor, stride: int) -> Tensor:
    """Around each patch, the shares of pixels [N, 2] that are black, where nothing is darker, and white, where nothing is brighter."""
    black = (channel <= 0) & (channel.min() >= 0)
    white = (channel >= 1) & (channel.max() <= 1)
    margin = (AROUND - SIDE) // 2
    shares = F.avg_pool2d(
        torch.cat([black, white], 1).float(), AROUND, stride, margin, count_include_pad=False
    )
    return shares.flatten(2).mT.flatten(0, 1)


def variance_left(black: float, white: float) -> float:
    """The variance of a Gaussian of variance 1 of which these shares are clipped."""
    normal = NormalDist()
    a, b = normal.inv_cdf(max(black, 1e-9)), -normal.inv_cdf(max(white, 1e-9))
    mean = a * black + b * white + normal.pdf(a) - normal.pdf(b)
    return (
        a * a * black
        + b * b * white
        + 1
        - black
        - white
        + a * normal.pdf(a)
        - b * normal.pdf(b)
        - mean**2
    )


def basis(like: Tensor) -> Tensor:
    """Patches [N, SIDE^2] @ this are their orthonormal DCT coefficients."""
    n = torch.arange(SIDE, dtype=like.dtype, device=like.device)
    waves = torch.cos(torch.pi / SIDE * torch.outer(n + 0.5, n)) * (2 / SIDE) ** 0.5
    waves[:, 0] /= 2**0.5
    return torch.kron(waves, waves)
