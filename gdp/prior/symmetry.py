"""A prior that sees the picture turned or mirrored, otherwise at every time: what a network knows better one way than another evens out.

As good as free: each time has one way, drawn by t alone, so that calls are no more, and tiles, batches and resumed runs see the same. From
"Equivariant plug-and-play image reconstruction" (Terris, Moreau, Pustelnik & Tachella, CVPR 2024), which draws one for each iteration.
Right where turned pictures are as likely as the picture itself: textures and small crops of photos, but no faces, and no digits.
"""

from random import Random

from torch import Tensor

WAYS = {
    "none": 1,
    "mirror": 2,
    "square": 8,
}  # that a picture can lie: as it is; or left and right exchanged; or as a square can


def check_symmetry(symmetry: str) -> None:
    """ValueError unless it is one of WAYS."""
    if symmetry not in WAYS:
        raise ValueError(
            f"symmetry={symmetry!r}; choose none, mirror (left and right exchanged) or square (turned and mirrored)"
        )


def way(symmetry: str, t: int) -> int:
    """How the picture lies at time t: 0 as it is."""
    return int(Random(t).random() * WAYS[symmetry])


def turned(x: Tensor, k: int) -> Tensor:
    """x [..., H, W] lying in the k-th way; H and W change places from 4 on."""
    x = mirrored(x, k)
    return x.mT if k & 4 else x


def turned_back(x: Tensor, k: int) -> Tensor:
    """x as it was before `turned`."""
    return mirrored(x.mT if k & 4 else x, k)


def mirrored(x: Tensor, k: int) -> Tensor:
    """Left and right exchanged for 1, top and bottom for 2, both for 3."""
    axes = [axis for axis, bit in ((-1, 1), (-2, 2)) if k & bit]
    return x.flip(axes) if axes else x
