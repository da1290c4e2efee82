"""What lies beside a picture that is blurred: which of its pixels the margin repeats."""

import torch
from torch import Tensor

from operators.tools.transforms import reflect_index

AUTO = "auto"  # the border that suits a photo


def reflect(n: int, margin: int, device: torch.device) -> Tensor:
    """Indices of n pixels and of a margin at each end, reflected about the border.

    The reflection is half-sample symmetric, as often as it takes.
    """
    return reflect_index(torch.arange(-margin, n + margin, device=device), n)


def replicate(n: int, margin: int, device: torch.device) -> Tensor:
    """Indices of n pixels, and the first and the last once more for each pixel of the margin."""
    return torch.arange(-margin, n + margin, device=device).clamp(0, n - 1)


def no_margin(n: int, margin: int, device: torch.device) -> Tensor:
    """Indices of n pixels alone."""
    return torch.arange(n, device=device)


BORDERS = {"reflect": reflect, "replicate": replicate, "valid": no_margin}
