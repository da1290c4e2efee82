"""Linear degradations in a row with rounding among them: grey levels, or a codec's.

y = A x + n + sum g_i e_i     e_i: what the i-th rounds away, noise of a std that y tells
                              g_i: what the linear ones after it make of white noise

Rounding counts as noise of the linear rest, which keeps its closed forms. Of a JPEG that all the
linear ones come before the noise is known by frequency (compressed.py); another's counts as white.
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from operators.base import LinearOperator, Operator
from operators.coded.block_noise import rounding_variance
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.coded.planes import directions
from operators.coded.quantise import Quantise
from operators.coded.rows.parts import gains, rounds
from operators.coded.rows.undone import Undone
from operators.compose import Compose
from operators.identity import Identity
from operators.tools.rms import rms_of


def rounded(ops: Sequence[Operator]) -> bool:
    """Whether some operators round and all others are linear."""
    return any(map(rounds, ops)) and all(rounds(A) or isinstance(A, LinearOperator) for A in ops)


class Rounded(Undone):
    """A row of linear operators and of some that round.

    Args:
        ops: A_1 first; a `NoiseHere` says where noise joins in, the end if none.
    """

    def linear(self) -> LinearOperator:
        """What is left without the rounding."""
        ops = [cast(LinearOperator, op) for op in self.parts() if not rounds(op)]
        return Compose(ops) if len(ops) > 1 else (ops[0] if ops else Identity())

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The linear part, whose y is as wrong as rounding made it, and as noise did."""
        level = rms_of(noise)
        A, u, ops = self.linear(), self.backwards(photo), self.parts()
        after = gains(ops, u[:-1])[1:]
        last = self.codec()

        # All that is white, and what codecs round away on the grid of the last.
        white = level**2
        grid = torch.zeros(3, 8, 8, dtype=torch.float64, device=photo.device)
        for k, (op, g, z) in enumerate(zip(ops, after, u[1:], strict=True)):
            if not isinstance(op, JPEG | Quantise) or k == last or self.again(k):
                continue
            if last is not None and isinstance(op, JPEG) and not self.between(k, last):
                grid = grid + on_grid(op, cast(JPEG, ops[last]))
                continue
            banded = 1.0
            if isinstance(op, Quantise) and self.between(-1, k):
                banded = op.banded(z)
            white += (g * op.error(z) * banded) ** 2
        if last is None:
            return A.with_noise(white**0.5).for_photo(photo, white**0.5)

        # A part that asked the photo may doubt it more than by its noise.
        A = cast(LinearOperator, A.with_noise(white**0.5).for_photo(photo, white**0.5))
        jpeg = cast(JPEG, ops[last]).to(photo.device)
        further = (grid + A.sigma_y**2).sqrt()
        return Compressed(A, jpeg, jpeg.error(photo), further)

    def codec(self) -> int | None:
        """The place of the last JPEG, if no linear operator comes after it."""
        ops = self.parts()
        places = [k for k, op in enumerate(ops) if isinstance(op, JPEG)]
        return places[-1] if places and not self.between(places[-1], len(ops)) else None

    def again(self, k: int) -> bool:
        """Whether the next operator rounds to the same levels what this one has rounded already."""
        one, *rest = self.parts()[k:]
        if not rest or self.before_noise == k + 1:
            return False
        return all(isinstance(op, Quantise) for op in (one, rest[0])) and one.top == rest[0].top

    def between(self, first: int, end: int) -> bool:
        """Whether a linear operator, other than none at all, is between two places."""
        ops = self.parts()[first + 1 : end]
        return any(not rounds(op) and not isinstance(op, Identity) for op in ops)


def on_grid(jpeg: JPEG, last: JPEG) -> Tensor:
    """The variance [3, 8, 8] of what a JPEG rounded away before another one on its blocks.

    What the same tables round again stays as it is, so that there is no more noise then.
    """
    if jpeg.factors == last.factors and torch.equal(jpeg.steps, last.steps):
        return torch.zeros_like(last.steps)
    Q = directions(last.is_grey)
    return rounding_variance(jpeg.stored_steps, jpeg.factors, Q).to(last.steps)
