"""What a known blur takes away of a photo, and so shows of its noise.

    P(w) = |F h Q y|^2 / sum h^2           h: a window;  Q: directions in RGB
    n_k^2 = mean of P over band k of max(u, v), where |K| < DARK      K: transfer function

Where the kernel passes nothing y holds noise alone, and whatever else the kernel does not explain:
at the zeros of a movement or of a lens out of focus, and beyond what a Gaussian leaves.
"""

from itertools import pairwise

import torch
from torch import Tensor

# |K| up to which, and down to which, what a scene leaves is no more than the rounding of 8 bits;
# and the frequencies of a band that tell its noise.
DARK, DARKEST, ENOUGH = 0.03, 0.005, 64

# |K| from which y is the scene, at FEWEST frequencies or more; between which a kernel that is wrong
# shows; times the power of a scene that falls as 1 / w^2, w above FLAT, from which it is wrong.
WHOLE, FEWEST, PASSED, MORE, FLAT = 0.5, 16, (0.0125, 0.025, 0.05, 0.1), 6.0, 0.06
BANDS = 8  # evenly up to the highest frequency
SIDE = 2048  # pixels of the part that is looked at


def dark_noise(kernel: Tensor, y: Tensor, colours: Tensor) -> Tensor | None:
    """The std of y's noise where a kernel passes nothing, of the noisiest band.

    Args:
        kernel: [h, w], of the sum 1.
        y: [1, C, H, W].
        colours: Q [C, C].

    Returns:
        By direction, [C], in y's units; None where the kernel passes something of everything.
    """
    if any(n < side for n, side in zip(y.shape[-2:], kernel.shape[-2:], strict=True)):
        return None
    top, left = (max(0, n - SIDE) // 2 for n in y.shape[-2:])
    y = y[..., top : top + SIDE, left : left + SIDE]
    H, W = y.shape[-2:]
    h = torch.outer(*(torch.hann_window(n + 2)[1:-1].to(y) for n in (H, W)))
    p = torch.einsum("kc,chw->khw", colours.to(y), y[0])
    p = p - (p * h).sum((-2, -1), keepdim=True) / h.sum()
    power = torch.fft.rfft2(p * h).abs().square() / h.square().sum()

    K = torch.fft.rfft2(kernel.to(y), s=(H, W)).abs()
    v, u = (2 * f.abs() for f in (torch.fft.fftfreq(H), torch.fft.rfftfreq(W)))
    u, v = u.to(K), v[:, None].to(K)
    band = (BANDS * torch.maximum(v, u)).long().clamp_max(BANDS - 1)
    found = []
    for k in range(BANDS):
        passed, here = K[band == k].sort()
        count = min(max(ENOUGH, int((passed < DARKEST).sum())), int((passed < DARK).sum()))
        if count >= ENOUGH:
            found.append(power[:, band == k][:, here[:count]].mean(-1))
    if not found:
        return None

    noise, most = torch.stack(found).amax(0), beyond_scenes(power, K, torch.hypot(v, u))
    return torch.maximum(noise, most).sqrt()


def beyond_scenes(power: Tensor, K: Tensor, w: Tensor) -> Tensor:
    """The most power of y beyond what scenes have where K passes a little, by direction [C].

    It is there where K is wider than what has blurred y, and would be made many times stronger.

    Args:
        power: of y [C, H, W / 2 + 1].
        K: the transfer function's size [H, W / 2 + 1].
        w: the frequency, 1 the highest along an axis.
    """
    law, seen = (K / w.clamp_min(FLAT)).square(), w > FLAT
    whole, most = seen & (K > WHOLE), power.new_zeros(len(power))
    if int(whole.sum()) < FEWEST:
        return most
    scene = (power[:, whole] / law[whole]).clamp_min(1e-12).log().mean(-1).exp()

    for low, high in pairwise(PASSED):
        here = seen & (low < K) & (high >= K)
        if int(here.sum()) >= ENOUGH:
            beyond = power[:, here].mean(-1) - MORE * scene * law[here].mean()
            most = torch.maximum(most, beyond)
    return most
