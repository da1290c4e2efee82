"""What guidance descends: terms (x0, y, A) -> [B].

Each is a sum over an image [B, C, H, W] in [-1, 1], so that its pull on a pixel does not depend on
the image's size. The first ones compare A(x0) with y. The others say what a good picture is like
(Zero-DCE, Guo et al., CVPR 2020, Section 3.3, from which GDP took them): well exposed, its colours
in balance, y's contrasts kept, nothing burnt out, smooth. They are minus log-probabilities: a sum
over all values of half the square of (what is wrong, in [0, 1]) / LEVEL, and total variation of
|difference| / CONTRAST. guidance.py says how far such a term moves x0.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

Degradation = Callable[[Tensor], Tensor]

# One standard deviation of what terms of weight 1 say.
LEVEL = 0.05  # of a picture's means, differences of patches, and excess, in [0, 1]
UNEVEN = 0.25  # of the mean of a patch, in [0, 1]
CONTRAST = 0.5  # size of differences between pixels, [-1, 1] units
ROUND = 0.01  # below which |difference| is rounded off, [-1, 1] units


def fidelity(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """||A(x0) - y||^2."""
    return (A(x0) - y).square().flatten(1).sum(1)


def fidelity_l1(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """|A(x0) - y|_1, which outliers sway less."""
    return (A(x0) - y).abs().flatten(1).sum(1)


def fidelity_ssim(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """1 - SSIM(A(x0), y), by kornia; y is an image of three channels or one."""
    from kornia.metrics import ssim

    window = min(11, (min(y.shape[-2:]) - 1) // 2 * 2 + 1)
    return (1 - ssim((A(x0) + 1) / 2, (y + 1) / 2, window)).flatten(1).sum(1)


def mean_squared_error(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """mean (A(x0) - y)^2 in [0, 1] units, GDP's own: its pull on a pixel weakens as images grow."""
    return (A(x0) - y).square().flatten(1).mean(1) / 4


def total_variation(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """The sum of |differences| / CONTRAST between neighbours, down and across."""
    parts = [x0.diff(dim=d) for d in (-2, -1)]
    sizes = [((d.square() + ROUND**2).sqrt() - ROUND).flatten(1).sum(1) for d in parts]
    return (sizes[0] + sizes[1]) / CONTRAST


def exposure(
    x0: Tensor, y: Tensor, A: Degradation, target: float = 0.44, patch: int | None = None
) -> Tensor:
    """How far the mean brightness is from the target; 0.44 is the median of photos.

    Args:
        x0, y, A: as for every term.
        target: E in [0, 1].
        patch: pixels of a side; the mean of each patch x patch is to be E as well, which evens out
            light and contrast (Zero-DCE has 16).
    """
    grey = (x0.mean(1, keepdim=True) + 1) / 2
    loss = (grey.mean((1, 2, 3)) - target).square()
    if patch is not None:
        H, W = (max(1, n // patch) for n in grey.shape[-2:])
        means = F.adaptive_avg_pool2d(grey, (H, W))
        loss = loss + (LEVEL / UNEVEN) ** 2 * (means - target).square().flatten(1).mean(1)
    return loss * values(x0) / (2 * LEVEL**2)


def colour_constancy(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """How far the means of red, green and blue are from each other."""
    means = ((x0 + 1) / 2).mean((-2, -1))
    spread = (means - means.mean(1, keepdim=True)).square().mean(1)
    return spread * values(x0) / (2 * LEVEL**2)


def spatial_consistency(x0: Tensor, y: Tensor, A: Degradation, patch: int = 4) -> Tensor:
    """Differences between neighbouring patches, x0's against y's, whose contrast is made x0's.

    y is a picture of one colour or three, of any size; of another y nothing is asked.
    """
    if y.ndim != 4 or y.shape[1] not in (1, x0.shape[1]):
        return x0.new_zeros(len(x0))
    H, W = (max(1, n // patch) for n in x0.shape[-2:])
    ours, theirs = (
        F.adaptive_avg_pool2d((z.mean(1, keepdim=True) + 1) / 2, (H, W)) for z in (x0, y)
    )

    # y's contrast is made x0's, then differences to the next patch are compared.
    contrast, contrast_of_y = (z.std((1, 2, 3), correction=0, keepdim=True) for z in (ours, theirs))
    theirs = theirs * (contrast / contrast_of_y.clamp_min(1e-3)).detach()
    gaps = [(ours.diff(dim=d) - theirs.diff(dim=d)).square().flatten(1).sum(1) for d in (-1, -2)]
    return (gaps[0] + gaps[1]) * x0.shape[1] * patch**2 / (2 * LEVEL**2)


def saturation(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """What lies beyond black or white: a file would clip it."""
    return (F.relu(x0.abs() - 1) / 2).square().flatten(1).sum(1) / (2 * LEVEL**2)


def values(x0: Tensor) -> int:
    """How many numbers an image has."""
    return x0[0].numel()
