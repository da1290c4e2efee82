"""What guidance descends: terms (x0, y, A) -> [B].

Each is a sum over an image [B, C, H, W] in [-1, 1], so that its pull on a pixel does not depend on
the image's size. The first ones compare A(x0) with y. The others say what a good picture is like
(Zero-DCE, Guo et al., CVPR 2020, Section 3.3, from which GDP took them): well exposed, its colours
in balance, y's contrasts kept, nothing burnt out, smooth. Brightness is in [0, 1] there.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

Degradation = Callable[[Tensor], Tensor]


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
    """The sum of |differences| between neighbours, down and across."""
    down, across = x0.diff(dim=-2).abs(), x0.diff(dim=-1).abs()
    return down.flatten(1).sum(1) + across.flatten(1).sum(1)


def exposure(x0: Tensor, y: Tensor, A: Degradation, target: float = 0.44, patch: int = 8) -> Tensor:
    """(mean brightness of each patch x patch - target)^2; 0.44 is the median of photos."""
    grey = (x0.mean(1, keepdim=True) + 1) / 2
    H, W = (max(1, n // patch) for n in grey.shape[-2:])
    means = F.adaptive_avg_pool2d(grey, (H, W))
    return (means - target).square().flatten(1).mean(1) * grey.shape[-1] * grey.shape[-2]


def colour_constancy(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """The squared differences between the means of red, green and blue."""
    r, g, b = ((x0 + 1) / 2).mean((-2, -1)).unbind(1)
    return ((r - g).square() + (g - b).square() + (b - r).square()) * x0.shape[-1] * x0.shape[-2]


def spatial_consistency(x0: Tensor, y: Tensor, A: Degradation, patch: int = 4) -> Tensor:
    """Differences between neighbouring patches, x0's against y's, whose contrast is made x0's."""
    if y.shape[1:] != x0.shape[1:]:
        return x0.new_zeros(len(x0))
    H, W = (max(1, n // patch) for n in x0.shape[-2:])
    ours, theirs = (
        F.adaptive_avg_pool2d((z.mean(1, keepdim=True) + 1) / 2, (H, W)) for z in (x0, y)
    )

    # y's contrast is made x0's, then differences to the next patch are compared.
    contrast, contrast_of_y = (z.std((1, 2, 3), correction=0, keepdim=True) for z in (ours, theirs))
    theirs = theirs * (contrast / contrast_of_y.clamp_min(1e-3)).detach()
    gaps = [(ours.diff(dim=d) - theirs.diff(dim=d)).square().flatten(1).sum(1) for d in (-1, -2)]
    return (gaps[0] + gaps[1]) * patch**2


def saturation(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """What lies beyond black or white, squared: a file would clip it."""
    return F.relu(x0.abs() - 1).square().flatten(1).sum(1)


def illumination_smoothness(x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
    """The squared differences of A.M between neighbours, where A has such a map.

    It guides A's parameters, not x0.
    """
    M = getattr(A, "M", None)
    if M is None:
        return x0.new_zeros(len(x0))
    return (
        M.diff(dim=-1).square().flatten(1).sum(1) + M.diff(dim=-2).square().flatten(1).sum(1)
    ).expand(len(x0))
