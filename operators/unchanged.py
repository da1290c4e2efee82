"""A photo that is looked at and left as it is."""

from torch import Tensor

from operators.identity import Identity
from operators.scale import same_at_scale


class Unchanged(Identity):
    """y = x, and nothing is to be undone.

    Args:
        why: what a user is told.
        noisy: whether there may be, but noise hides what it is.
    """

    leaves = True

    def __init__(self, why: str, noisy: bool = False):
        super().__init__()
        self.why, self.noisy = why, noisy

    def remark(self, y: Tensor) -> str:
        return self.why

    def at_scale(self, r: int, y: Tensor) -> tuple["Unchanged", Tensor]:
        return same_at_scale(self, r, y)
