"""An old photo: colours lost, small, scratched."""

from torch import Tensor

from operators.avgpool import AvgPool
from operators.base import Operator
from operators.compose import Compose
from operators.gray import Gray
from operators.mask import Mask


def old_photo(mask: Tensor | None = None, r: int = 1) -> Compose:
    """y = m G D x: D means over r x r blocks, G grey, m the `mask` [1, 1, h, w], 0 on scratches; A^+ in closed form.

    r = 1 leaves D out, and None the mask.
    """
    ops: list[Operator] = [AvgPool(r)] if r != 1 else []
    ops.append(Gray())
    return Compose([*ops, Mask(mask)] if mask is not None else ops)
