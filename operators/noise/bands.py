"""How much of the noise that was claimed has been taken away, in bands of frequencies."""

from collections.abc import Iterable

import torch
from torch import Tensor

from operators.tools.transforms import dct2


def share_taken(change: Tensor, std: Tensor, low: float, high: float) -> float:
    """The rms of a change over that of the noise claimed, in a band.

    Args:
        change: what was taken away [H, W], in the units of `std`.
        std: of the noise by frequency of a DCT, [H, W].
        low: max(u, v) of the band's lowest frequencies, as a share of the highest one.
        high: where the band ends.

    Returns:
        1 where as much was taken as there was said to be; 0 of a band without frequencies.
    """
    return shares_taken(change, std, [(low, high)])[0]


def shares_taken(change: Tensor, std: Tensor, bands: Iterable[tuple[float, float]]) -> list[float]:
    """The same in each of several bands (low, high); other arguments likewise."""
    rows, columns = (torch.arange(n, device=change.device) / n for n in change.shape)
    order, found = torch.maximum(rows[:, None], columns), dct2(change[None, None])[0, 0]
    shares = []
    for low, high in bands:
        band = (order >= low) & (order < high)
        taken, claimed = (c[band].square().sum() for c in (found, std))
        shares.append(float((taken / claimed.clamp_min(1e-20)).sqrt()))
    return shares
