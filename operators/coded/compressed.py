"""A degradation whose result was saved as a JPEG: y = J(A x + n), n noise.

y        = A x + n + e               e: the rounding of coefficients, as noise (block_noise.py)
whitened:  W A, W y
project:   x + w A^+ d               d: P(A x) - A x;  P: onto the pictures that are saved as y is
w:         (MOST |d| / |A^+ d|)^2    1 at most: what A^+ makes many times stronger are ripples
"""

import math
from pathlib import Path
from typing import cast

from torch import Tensor

from operators.base import LinearOperator, Operator
from operators.coded.jpeg import JPEG
from operators.coded.tables import FACTORS
from operators.coded.traces import is_jpeg, trace_of
from operators.noise.whitened import whiten
from operators.tools.rms import rms_of_each

LOOKED_AT = 512  # pixels a side, at most, of the part in which traces of a codec are looked for

# Times that A^+ may make what a result lacks of its file stronger: denoising and enlarging do up to
# 1.5 times, sharpening 2.3, and where a known or found blur is undone 3.5 to 33.
MOST = 2.0


def compression_of(file: Path) -> JPEG | None:
    """The compression of a photo's file.

    None where it is no JPEG, or one whose tables say nothing of RGB pixels: in CMYK, or with
    unusual layers.
    """
    if not is_jpeg(file):
        return None
    try:
        return JPEG(tables=str(file))
    except ValueError:
        return None


def traced(pixels: Tensor) -> JPEG | None:
    """The compression that a photo [B, 3, H, W] in [0, 1] shows traces of, if any."""
    if pixels.shape[:2] != (1, 3):
        return None

    # The middle of it, from where a block begins.
    places = [
        slice(start := max(0, n - LOOKED_AT) // 32 * 16, start + LOOKED_AT)
        for n in pixels.shape[-2:]
    ]
    found = trace_of(pixels[..., places[0], places[1]].detach().float())
    if found is None or found.quality is None:
        return None
    return JPEG(found.quality, FACTORS.index(found.factors))


class Compressed(Operator):
    """y = A x as its file has it; x and y are A's.

    Args:
        A: the degradation before the file was written, whose y is [B, 3, H, W].
        jpeg: the compression, with the tables of the file.
        rounding: how wrong y is by the compression, an rms in units of [-1, 1].
        noise: the std of further noise, as JPEG.block_whitening takes it.

    Attributes:
        sigma_y: the rms of all that y is wrong by, in units of [-1, 1].
    """

    noise: Tensor

    def __init__(self, A: LinearOperator, jpeg: JPEG, rounding: float, noise: Tensor):
        super().__init__()
        self.A, self.jpeg, self.divisor = A, jpeg, A.divisor
        self.rounding, self.rms = rounding, float(noise.square().mean().sqrt())
        self.sigma_y = (self.rms**2 + self.rounding**2) ** 0.5
        self.register_buffer("noise", noise, persistent=False)
        self.frame, self.takes, self.moves = A.frame, A.takes, A.moves
        self.certain, self.may_ring = A.certain, A.may_ring
        if A.own_noise is not None:
            self.own_noise = math.hypot(A.own_noise, rounding)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, self.A(x))

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        return self.A.x_shape(y)

    def whitened(self, y: Tensor) -> tuple[Operator, Tensor]:
        W = self.jpeg.block_whitening(self.sigma_y, self.noise)
        if self.A.offers("undoing"):  # what is sharpened keeps its colours, and gets no others
            W = W.by_pixel()
        W = W.to(y.device)
        whitened = whiten(self.A, W)
        whitened.beyond_rounding = self.rms > self.rounding
        return whitened, W(y)

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """x with A x saved as y is, or nearer to it where A^+ amplifies.

        x itself where noise was saved along with A x.
        """
        if self.rms > self.rounding:
            return x
        there = self.A(x)
        lacks = self.jpeg.project(there, y) - there
        change = self.A.pinv(lacks)
        w = (MOST * rms_of_each(lacks) / rms_of_each(change).clamp_min(1e-9)).square()
        return x + w.clamp(max=1) * change

    def describe(self, y: Tensor) -> dict[str, object]:
        """What A has to say, and the file's tables."""
        return {**self.A.describe(y), "jpeg": self.jpeg.describe(y)}

    def remark(self, y: Tensor) -> str:
        return self.A.remark(y)


def before_codec(A: Operator) -> Operator:
    """The degradation without its file's codec, if it has one."""
    return A.A if isinstance(A, Compressed) else A
