"""What inpainting costs by the size of the hole.

Pixels that the network sees, and seconds, as shares of those of the whole picture.
"""

import time

import torch

from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule
from gdp.prior.tiling import TiledPrior
from operators.missing.mask import BoxMask
from samplers.anchored import Anchored

COLUMNS = "size hole network_pixels_per_pixel seconds share_of_pixels share_of_seconds".split()


def measure_holes(
    prior: Prior, size: tuple[int, int], shares: list[float], steps: int
) -> list[dict]:
    """Inpaint square holes of several sizes.

    Args:
        prior: the prior.
        size: the picture's height and width.
        shares: of the picture that a hole takes.
        steps: of the sampler.

    Returns:
        A row for each share; the last, 1, has a y that holds nothing for certain.
    """
    H, W = size
    y = torch.rand(1, 3, H, W, device=prior.device) - 0.5
    rows: list[dict] = []

    for share in [*shares, 1.0]:
        side = min(share, 0.99) ** 0.5
        box = BoxMask((1 - side) / 2, (1 - side) / 2, side, side)
        A = box.with_noise(0.006 if share == 1 else 0.0)  # above rounding: no pixel is known

        tiled = TiledPrior(prior)
        began = time.perf_counter()
        Anchored(schedule=Schedule(steps))(tiled, A, A(y))
        if prior.device.type == "cuda":
            torch.cuda.synchronize(prior.device)
        seconds, pixels = time.perf_counter() - began, tiled.pixels / tiled.calls
        rows.append({"size": f"{W}x{H}", "hole": share, "pixels": pixels, "seconds": seconds})

    whole = rows[-1]
    return [
        {
            **row,
            "network_pixels_per_pixel": row["pixels"] / (H * W),
            "share_of_pixels": row["pixels"] / whole["pixels"],
            "share_of_seconds": row["seconds"] / whole["seconds"],
        }
        for row in rows
    ]
