"""What JPEG does to a colour plane besides rounding: blocks of 8 x 8, and chroma at a lower size.

    D     mean of two samples in a row                                 downsample
    U     3/4 of the nearest sample, 1/4 of the next                   upsample, libjpeg's "fancy"
    U^+   (D U)^-1 D, D U being 1/8 3/4 1/8: diagonal in the DCT       undo_upsample

Each acts on the last dimension; a factor of 1 leaves it alone. Blocks lie as the file has them; how
a picture is turned from there (`turned`) is EXIF's orientation, 1 to 8.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.coded.tables import YCBCR
from operators.tools.transforms import dct, idct

SWEEPS = 20  # of an iteration whose error falls to a third each time


def blocks(plane: Tensor) -> Tensor:
    """[B, H, W] -> [B, rows, columns, 8, 8]; the border is replicated to whole blocks."""
    B, H, W = plane.shape
    padded = F.pad(plane[:, None], (0, -W % 8, 0, -H % 8), mode="replicate")
    return padded.view(B, (H + 7) // 8, 8, (W + 7) // 8, 8).transpose(2, 3)


def join_blocks(parts: Tensor, like: Tensor) -> Tensor:
    """The inverse of `blocks`: [B, H, W] of the size of `like`."""
    B, rows, columns = parts.shape[:3]
    plane = parts.transpose(2, 3).reshape(B, 8 * rows, 8 * columns)
    return plane[:, : like.shape[-2], : like.shape[-1]]


def downsample(p: Tensor, factor: int) -> Tensor:
    """D p; the last of an odd number of samples is replicated."""
    if factor == 1:
        return p
    p = torch.cat([p, p[..., -1:]], -1) if p.shape[-1] % 2 else p
    return (p[..., ::2] + p[..., 1::2]) / 2


def upsample(p: Tensor, factor: int, n: int) -> Tensor:
    """The first n samples of U p."""
    if factor == 1:
        return p
    before = torch.cat([p[..., :1], p[..., :-1]], -1)
    after = torch.cat([p[..., 1:], p[..., -1:]], -1)
    return torch.stack([0.75 * p + 0.25 * before, 0.75 * p + 0.25 * after], -1).flatten(-2)[..., :n]


def undo_upsample(p: Tensor, factor: int) -> Tensor:
    """U^+ p: the samples that U made p of."""
    if factor == 1:
        return p
    small, n = downsample(p, factor), p.shape[-1]
    if n % 2 == 0:
        k = torch.arange(n // 2, dtype=p.dtype, device=p.device)
        return idct(dct(small) / (0.75 + 0.25 * torch.cos(2 * torch.pi * k / n)))

    # The last sample of an odd number is another's: by iteration.
    x = small
    for _ in range(SWEEPS):
        x = x + (small - downsample(upsample(x, factor, n), factor)) / 0.75
    return x


def chroma_samples(p: Tensor, factors: tuple[int, int]) -> Tensor:
    """The samples that a decoder made the chroma plane p of; rows and columns share them."""
    h, w = factors
    return undo_upsample(undo_upsample(p, w).mT, h).mT


def turned(p: Tensor, orientation: int) -> Tensor:
    """A picture [..., H, W] as it is shown, of one as it is stored with an EXIF orientation."""
    if orientation >= 5:  # the first row is the left or the right side
        p = p.mT
    flipped = {2: (-1,), 3: (-2, -1), 4: (-2,), 6: (-1,), 7: (-2, -1), 8: (-2,)}
    return p.flip(flipped[orientation]) if orientation in flipped else p


def stored(p: Tensor, orientation: int) -> Tensor:
    """The inverse of `turned`."""
    opposite = {6: 8, 8: 6}  # a quarter to the right, and to the left
    return turned(p, opposite.get(orientation, orientation))


def directions(grey: bool = False) -> Tensor:
    """Q [3, 3]: the directions in RGB that JPEG's planes are nearest to, orthonormal.

    Args:
        grey: whether there is but one plane, which is grey: then what is on it stays on it.
    """
    if grey:
        return F.normalize(torch.tensor([[1, 1, 1], [1, 0, -1], [1, -2, 1]]).double(), dim=1)
    rows = torch.tensor(YCBCR, dtype=torch.float64)
    luma = rows[0] / rows[0].norm()
    chroma = rows[1:] - torch.outer(rows[1:] @ luma, luma)
    U, _, V = torch.linalg.svd(chroma, full_matrices=False)
    return torch.cat([luma[None], U @ V])
