"""JPEG (ITU-T T.81, JFIF colours), the baseline pipeline as libjpeg runs it.

    c   = DCT_8x8(D_i C x)           C: RGB -> YCbCr, D_i: mean over pixels that share a sample
    k   = round(c / q)               q: Annex K's tables scaled by the quality, or a file's own
    y   = C^-1 U_i DCT^-1(q k)       U_i: triangle interpolation, D_i U_i is invertible
    project(x, y):  c clipped to q (k(y) -+ 1/2), and D_i^+ of the change added to x

Rounding is passed straight through in gradients. The last rounding to 8 bits and its clipping are
left out: sigma_y is for that.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import Operator
from operators.coded.block_noise import (
    LAST_ROUNDING,
    LEVEL,
    BlockWhitening,
    rounding_variance,
)
from operators.coded.jpeg_error import error_variances
from operators.coded.planes import (
    blocks,
    chroma_samples,
    directions,
    downsample,
    join_blocks,
    stored,
    turned,
    upsample,
)
from operators.coded.quantise import HALF, straight_through
from operators.coded.tables import NO_CHROMA, YCBCR, tables_of
from operators.coded.traces import tables_in
from operators.identity import Identity
from operators.noise.whitened import whiten
from operators.tools.transforms import dct

ROUNDING = 1 / 255 / 12**0.5  # std of rounding to 8 bits, in units of [0, 1]

Choice = Callable[[Tensor, Tensor, Tensor], Tensor]  # coefficients of x, codes of y, q -> new ones


class JPEG(Operator):
    """y = C^-1 U DCT^-1(q round(DCT(D C x) / q)): [B, 3, H, W] -> the same, of any size.

    The border is replicated to whole blocks. sigma_y is never below the rounding of the decoder's
    8 bits.

    Args:
        quality: 1 to 100, as in Pillow.
        subsampling: 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0, as in Pillow.
        tables: a JPEG file whose tables and subsampling are used, and how EXIF turns it, or one
            that was a JPEG and shows them (traces.py); "input" is the photo's own file.
    """

    steps: Tensor
    colours: Tensor
    cosines: Tensor
    to_rgb: Tensor

    def __init__(self, quality: int = 10, subsampling: int = 2, tables: str | None = None):
        super().__init__()
        self.own = tables == "input"
        told = tables is None or self.own
        made = tables_of(quality, subsampling) if told else tables_in(str(tables))
        steps, self.factors, self.orientation, self.found = made

        cosines = dct(torch.eye(8, dtype=torch.float64)).T.contiguous()
        self.register_buffer("steps", steps.double().view(3, 8, 8), persistent=False)
        colours = torch.tensor(YCBCR, dtype=torch.float64)
        self.register_buffer("colours", colours, persistent=False)
        self.register_buffer("to_rgb", torch.linalg.inv(colours), persistent=False)
        self.register_buffer("cosines", cosines, persistent=False)

    @property
    def sigma_y(self) -> float:
        """The std of the noise besides the rounding of coefficients, in units of [-1, 1]."""
        return max(self.__dict__.get("noise", 0.0), 2 * ROUNDING)

    @sigma_y.setter
    def sigma_y(self, value: float) -> None:
        self.__dict__["noise"] = value

    @property
    def of_one_photo(self) -> bool:
        return True  # how wrong y is depends on it

    def for_file(self, file: Path) -> "JPEG":
        """With tables=input, the operator of the photo's own tables."""
        return JPEG(tables=str(file)).with_noise(self.sigma_y) if self.own else self

    def describe(self, y: Tensor) -> dict[str, object]:
        """The luma table, how many rows and columns share a chroma sample, a quality found."""
        found = {} if self.found is None else {"quality_found": self.found}
        return {
            "luma": self.steps[0].flatten().int().tolist(),
            "subsampling": list(self.factors),
            **found,
        }

    def forward(self, x: Tensor) -> Tensor:
        Y, *chroma = self.planes(x)
        h, w = self.factors
        out = [self.rounded(Y, 0)]
        for i, plane in enumerate(chroma, 1):
            small = self.rounded(downsample(downsample(plane, w).mT, h).mT, i)
            out.append(upsample(upsample(small, w, Y.shape[-1]).mT, h, Y.shape[-2]).mT)
        return self.image(out)

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The image with the coefficients nearest to x's that round to y's, y = A(z).

        Blocks that a border cuts are left alone: y does not show all that they follow from.
        """
        return self.with_coefficients(x, y, lambda c, k, q: c.clamp(q * (k - HALF), q * (k + HALF)))

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """argmin_x sigma_y^2 (y - x)^T Sigma^-1 (y - x) + rho ||x - v||^2.

        Sigma is that of rounding as noise (block_noise.py), with sigma_y^2 for what else there is.
        """
        W = self.block_whitening(self.sigma_y, torch.as_tensor(self.__dict__.get("noise", 0.0)))
        return v + W.filter(y - v, lambda d: d**2 / (d**2 + rho))

    def whitened(self, y: Tensor) -> tuple[Operator, Tensor]:
        noise, error = self.__dict__.get("noise", 0.0), self.error(y)
        W = self.block_whitening(max(noise, error), torch.as_tensor(noise)).to(y.device)
        whitened = whiten(Identity(), W)
        whitened.beyond_rounding = noise > error
        return whitened, W(y)

    def block_whitening(self, sigma: float, noise: Tensor) -> BlockWhitening:
        """What makes the error of y white.

        Args:
            sigma: the std of the noise then, in units of [-1, 1].
            noise: the std of further noise of y, in units of [-1, 1]: a number, or [3, 8, 8] by
                direction (block_noise.py) and frequency of an 8 x 8 DCT.
        """
        Q = directions(self.is_grey)
        variance = rounding_variance(self.stored_steps, self.factors, Q)
        std = (variance + noise.to(self.steps) ** 2).sqrt()
        return BlockWhitening(std[0], std[1:], self.factors, sigma, self.orientation, Q)

    @property
    def is_grey(self) -> bool:
        """Whether it stores no chroma."""
        return bool((self.steps[1:] >= NO_CHROMA).all())

    def error(self, y: Tensor) -> float:
        """How wrong y [B, 3, H, W] is by this compression: an rms in units of [-1, 1]."""
        share = self.to_rgb.square().sum(0).to(y)
        variance = (share * self.errors(y).mean((1, 2))).sum() / 3 + LAST_ROUNDING
        return LEVEL * float(variance) ** 0.5

    def errors(self, y: Tensor) -> Tensor:
        """The variance [3, 8, 8] of the error of y's coefficients, as stored, in levels^2."""
        steps = self.stored_steps.to(y)
        planes = zip(self.stored_planes(y), steps, strict=True)
        return error_variances([(self.coefficients(p) / q).round() for p, q in planes], steps)

    @property
    def stored_steps(self) -> Tensor:
        """q [3, 8, 8]; the chroma of a grey file, which has none, is known as if q were 1."""
        return torch.where(self.steps >= NO_CHROMA, 1.0, self.steps)

    def stored_planes(self, y: Tensor) -> list[Tensor]:
        """Y, Cb and Cr of y as they were stored, [B, h, w] each."""
        luma, *chroma = self.planes(y)
        return [luma, *(chroma_samples(plane, self.factors) for plane in chroma)]

    def coefficients(self, plane: Tensor) -> Tensor:
        """c of a plane by block, [B, rows, columns, 8, 8]."""
        C = self.cosines.to(plane)
        return C @ blocks(plane) @ C.T

    def planes(self, x: Tensor) -> list[Tensor]:
        """Y - 128, Cb - 128, Cr - 128 of 8-bit levels, each [B, H, W] as it is stored."""
        x = stored(x, self.orientation)
        ycc = torch.einsum("kc,bchw->kbhw", self.colours.to(x), 127.5 * x)
        return [ycc[0] - 0.5, ycc[1], ycc[2]]

    def image(self, planes: Sequence[Tensor]) -> Tensor:
        """The inverse of planes."""
        ycc = torch.stack([planes[0] + 0.5, planes[1], planes[2]])
        rgb = torch.einsum("ck,kbhw->bchw", self.to_rgb.to(ycc), ycc) / 127.5
        return turned(rgb, self.orientation)

    def rounded(self, plane: Tensor, i: int) -> Tensor:
        """Plane i with its coefficients rounded to multiples of q."""
        q, C = self.steps[i].to(plane), self.cosines.to(plane)
        c = self.coefficients(plane)
        return join_blocks(C.T @ straight_through(c, q * (c / q).round()) @ C, plane)

    def with_coefficients(self, x: Tensor, y: Tensor, choose: Choice) -> Tensor:
        """x with its coefficients c replaced by choose(c, k, q), k being y's codes."""
        h, w = self.factors
        (Y, *chroma), (Y_y, *chroma_y) = self.planes(x), self.stored_planes(y)
        out = [Y + self.change(Y, Y_y, 0, choose)]

        # The change of a chroma sample goes to all pixels that share it.
        for i, (plane, plane_y) in enumerate(zip(chroma, chroma_y, strict=True), 1):
            small = downsample(downsample(plane, w).mT, h).mT
            change = self.change(small, plane_y, i, choose)
            change = change.repeat_interleave(h, -2).repeat_interleave(w, -1)
            out.append(plane + change[..., : plane.shape[-2], : plane.shape[-1]])
        return self.image(out)

    def change(self, plane: Tensor, plane_y: Tensor, i: int, choose: Choice) -> Tensor:
        """What new coefficients add to plane i, at whole blocks alone."""
        q, C = self.steps[i].to(plane), self.cosines.to(plane)
        c, k = self.coefficients(plane), (self.coefficients(plane_y) / q).round()
        change = join_blocks(C.T @ (choose(c, k, q) - c) @ C, plane)

        H, W = (n - n % 8 for n in plane.shape[-2:])
        return F.pad(change[..., :H, :W], (0, plane.shape[-1] - W, 0, plane.shape[-2] - H))
