"""Whether what was taken away of a photo lies as noise does: all over, and not where detail is."""

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from operators.tools.transforms import dct2, idct2

TILE, AROUND = 8, 5  # pixels of a tile, and of the mean that is taken off to see what is fine


def evenness(change: Tensor, x: Tensor, claimed: Tensor, gain: Tensor | None) -> float:
    """lo - c / 2: how much of the noise that was claimed was taken where nothing hides it.

    Args:
        change: y - x [H, W].
        x: the result.
        claimed: std of the noise by frequency of a DCT [H, W].
        gain: of the noise by pixel [H, W].
    """
    white = Noise([0]).like(x[None, None])
    expected = fine(idct2(dct2(white) * claimed)[0, 0]).square().mean().sqrt()
    share = fine(change if gain is None else change / gain) / expected.clamp_min(1e-9)
    q, taken, detail = map(by_tile, (share, fine(change), fine(x)))

    flattest = q[detail.argsort()[: max(1, len(detail) // 4)]].median()
    logs = torch.stack([taken, detail]).clamp_min(1e-5).log()
    return float(flattest - torch.corrcoef(logs)[0, 1].nan_to_num() / 2)


def by_tile(p: Tensor) -> Tensor:
    """The rms of a picture [H, W] in each of its tiles [N]."""
    return F.avg_pool2d(p.square()[None, None], TILE).flatten().sqrt()


def fine(p: Tensor) -> Tensor:
    """A picture [H, W] less what is around each pixel."""
    padded = F.pad(p[None, None], (AROUND // 2,) * 4, mode="reflect")
    return p - F.avg_pool2d(padded, AROUND, 1)[0, 0]
