"""A prior that sees the picture turned or mirrored, otherwise at every time.

What a network knows better in one orientation than in another evens out, as good as for free: each
time has one orientation, drawn by t alone, so that calls are no more, and tiles, batches and
resumed runs see the same. From "Equivariant plug-and-play image reconstruction" (Terris, Moreau,
Pustelnik & Tachella, CVPR 2024), which draws one for each iteration. Right where turned pictures
are as likely as the picture itself: textures and small crops of photos, but no faces, no digits.
"""

from random import Random

from torch import Tensor

# Orientations of a picture: as it is; or mirrored left to right; or the eight of a square
ORIENTATIONS = {"none": 1, "mirror": 2, "square": 8}


def check_symmetry(symmetry: str) -> None:
    """Raise ValueError unless `symmetry` is one of ORIENTATIONS."""
    if symmetry not in ORIENTATIONS:
        raise ValueError(
            f"symmetry={symmetry!r}; choose none, mirror (left and right exchanged) or square "
            "(turned and mirrored)"
        )


def orientation(symmetry: str, t: int) -> int:
    """How the picture lies at time t: a number for `turn`, 0 as it is."""
    return int(Random(t).random() * ORIENTATIONS[symmetry])


def turn(x: Tensor, k: int) -> Tensor:
    """Bring a picture into orientation k.

    Args:
        x: [..., H, W].
        k: 0..7; bit 0 exchanges left and right, bit 1 top and bottom, and bit 2 rows and columns
            after that.

    Returns:
        [..., H, W], or [..., W, H] from k = 4 on.
    """
    axes = [axis for axis, bit in ((-1, 1), (-2, 2)) if k & bit]
    x = x.flip(axes) if axes else x
    return x.mT if k & 4 else x


def turn_back(x: Tensor, k: int) -> Tensor:
    """The picture before `turn` brought it into orientation k."""
    return turn(x.mT, k).mT if k & 4 else turn(x, k)
