"""An old photo: colours lost, small, scratched."""

import torch
from torch import Tensor

from operators.base import Operator
from operators.compose import Compose
from operators.missing.gray import Gray
from operators.missing.mask import Mask, Masking
from operators.missing.scratches import mask_of_scratches
from operators.size.avgpool import AvgPool


def old_photo(mask: Tensor | None = None, r: int = 1, find: bool = False) -> Compose:
    """y = m G D x: D the mean over r x r blocks, G grey, m a mask; A^+ is in closed form.

    Args:
        mask: m [1, 1, h, w], 0 on scratches.
        r: the factor that the photo is to be enlarged by; 1 leaves D out.
        find: whether to look for scratches in y where no mask is given.
    """
    ops: list[Operator] = [AvgPool(r)] if r != 1 else []
    ops.append(Gray())

    if mask is not None:
        ops.append(Mask(mask))
    elif find:
        ops.append(Scratches())
    return Compose(ops)


class Scratches(Masking):
    """A mask of the scratches that `bind` finds in y; before that it loses nothing."""

    pictured = ("scratches",)

    def mask_for(self, x: Tensor) -> Tensor:
        return torch.ones_like(x[:1, :1])

    def bind(self, y: Tensor, init: Operator | None = None) -> Mask:
        """The mask of the scratches in y's first image, for all images."""
        return FoundMask(mask_of_scratches(y[:1]))


class FoundMask(Mask):
    """A mask that was found, shown to the user with white = repaired."""

    pictured = ("scratches",)

    def describe(self, y: Tensor) -> dict[str, float]:
        """The share of the picture that is repaired."""
        return {"scratched": 1 - float(self.mask.mean())}

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """What is repaired."""
        return {"scratches": 1 - self.mask}

    def remark(self, y: Tensor) -> str:
        if not self.mask.all():
            return ""
        return (
            "no scratches were found; "
            "mark stains and tears in a picture, white = repair, and give mask=FILE"
        )
