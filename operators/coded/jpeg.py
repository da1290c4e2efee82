"""JPEG (ITU-T T.81, JFIF colours), the baseline pipeline as libjpeg runs it.

    c   = DCT_8x8(D_i C x)           C: RGB -> YCbCr, D_i: mean over the pixels that share a chroma sample
    k   = round(c / q)               q: Annex K's tables scaled by the quality, or a file's own
    y   = C^-1 U_i DCT^-1(q k)       U_i: triangle interpolation, D_i U_i is invertible
    project(x, y):  c clipped to q (k(y) -+ 1/2), and D_i^+ of the change added to x

Rounding is passed straight through in gradients. The last rounding to 8 bits and its clipping are left out: sigma_y is for that.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import Operator
from operators.coded.quantise import HALF, straight_through
from operators.tools.transforms import dct

LUMA = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101 72 92 95 98 112 100 103 99"""
CHROMA = """17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66 99 99 99 99 99 99
99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99 99"""
YCBCR = (
    (0.299, 0.587, 0.114),
    (-0.168735892, -0.331264108, 0.5),
    (0.5, -0.418687589, -0.081312411),
)
FACTORS = (
    (1, 1),
    (1, 2),
    (2, 2),
)  # rows and columns that share a chroma sample, by Pillow's number
ROUNDING = 1 / 255 / 12**0.5
NO_CHROMA = 1e6  # the step of a table that leaves nothing of a channel


class JPEG(Operator):
    """y = C^-1 U DCT^-1(q round(DCT(D C x) / q)): [B, 3, H, W] -> the same, of any size; the border is replicated to whole blocks.

    `quality` 1..100 and `subsampling` are Pillow's: 0 = 4:4:4, 1 = 4:2:2, 2 = 4:2:0. `tables`, a JPEG file, replaces both; "input" stands
    for the photo's own file. sigma_y is never below the rounding of the decoder's 8 bits.
    """

    steps: Tensor
    colours: Tensor
    cosines: Tensor

    def __init__(self, quality: int = 10, subsampling: int = 2, tables: str | None = None):
        super().__init__()
        self.own = tables == "input"
        if tables is None or self.own:
            luma, chroma = standard_tables(quality)
            if isinstance(subsampling, bool) or subsampling not in (0, 1, 2):
                raise ValueError(
                    f"operator.subsampling={subsampling!r}; it is 0 (4:4:4), 1 (4:2:2) or 2 (4:2:0)"
                )
            steps, self.factors = torch.tensor([luma, chroma, chroma]), FACTORS[subsampling]
        else:
            steps, self.factors = read_tables(tables)
        self.register_buffer("steps", steps.double().view(3, 8, 8), persistent=False)
        self.register_buffer("colours", torch.tensor(YCBCR, dtype=torch.float64), persistent=False)
        self.register_buffer(
            "cosines", dct(torch.eye(8, dtype=torch.float64)).T.contiguous(), persistent=False
        )

    @property
    def sigma_y(self) -> float:
        """The std of the noise besides the rounding of coefficients."""
        return max(self.__dict__.get("noise", 0.0), 2 * ROUNDING)

    @sigma_y.setter
    def sigma_y(self, value: float) -> None:
        self.__dict__["noise"] = value

    def for_file(self, file: Path) -> "JPEG":
        """With tables=input, those of the photo."""
        if not self.own:
            return self
        A = JPEG(tables=str(file))
        A.sigma_y = self.sigma_y
        return A

    def describe(self, y: Tensor) -> dict[str, object]:
        """The luma table, and how many rows and columns share a chroma sample."""
        return {"luma": self.steps[0].flatten().int().tolist(), "subsampling": list(self.factors)}

    def planes(self, x: Tensor) -> list[Tensor]:
        """Y - 128, Cb - 128, Cr - 128 of 8-bit levels, each [B, H, W]."""
        ycc = torch.einsum("kc,bchw->kbhw", self.colours.to(x), 127.5 * x)
        return [ycc[0] - 0.5, ycc[1], ycc[2]]

    def image(self, planes: Sequence[Tensor]) -> Tensor:
        """The inverse of planes."""
        ycc = torch.stack([planes[0] + 0.5, planes[1], planes[2]])
        return (
            torch.einsum("ck,kbhw->bchw", torch.linalg.inv_ex(self.colours)[0].to(ycc), ycc) / 127.5
        )

    def forward(self, x: Tensor) -> Tensor:
        Y, *chroma = self.planes(x)
        h, w = self.factors
        out = [self.rounded(Y, 0)]
        for i, plane in enumerate(chroma, 1):
            small = self.rounded(halved(halved(plane, w).mT, h).mT, i)
            out.append(doubled(doubled(small, w, x.shape[-1]).mT, h, x.shape[-2]).mT)
        return self.image(out)

    def rounded(self, plane: Tensor, i: int) -> Tensor:
        """A plane with its coefficients rounded to multiples of q."""
        q, C = self.steps[i].to(plane), self.cosines.to(plane)
        c = C @ blocks(plane) @ C.T
        return unblocked(C.T @ straight_through(c, q * (c / q).round()) @ C, plane)

    def project(self, x: Tensor, y: Tensor) -> Tensor:
        """The image with the coefficients nearest to x's that round to y's, y = A(z).

        Blocks that the right or lower border cuts are left alone: their coefficients do not follow from what y shows of them.
        """

        def nearest(c: Tensor, k: Tensor, q: Tensor) -> Tensor:
            return c.clamp(q * (k - HALF), q * (k + HALF))

        return self.moved(x, y, nearest)

    def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
        """Each coefficient of v drawn towards y's, whose rounding error has variance q^2 / 12, as v's has sigma_y^2 / rho; then `project`.

        Weights of colour planes other than luma's own are left out: the map to YCbCr is taken for orthonormal.
        """
        spread = 127.5**2 * self.sigma_y**2 / max(rho, 1e-12)

        def drawn(c: Tensor, k: Tensor, q: Tensor) -> Tensor:
            return (c + spread / (spread + q**2 / 12) * (q * k - c)).clamp(
                q * (k - HALF), q * (k + HALF)
            )

        return self.moved(v, y, drawn)

    def moved(self, x: Tensor, y: Tensor, to: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Tensor:
        """x with its coefficients c replaced by to(c, k, q), k being y's codes."""
        h, w = self.factors
        (Y, *chroma), (Y_y, *chroma_y) = self.planes(x), self.planes(y)
        out = [Y + self.change(Y, Y_y, 0, to)]
        for i, (plane, plane_y) in enumerate(zip(chroma, chroma_y, strict=True), 1):
            small = halved(halved(plane, w).mT, h).mT
            small_y = undoubled(undoubled(plane_y, w).mT, h).mT
            change = (
                self.change(small, small_y, i, to).repeat_interleave(h, -2).repeat_interleave(w, -1)
            )
            out.append(plane + change[..., : x.shape[-2], : x.shape[-1]])
        return self.image(out)

    def change(
        self, plane: Tensor, plane_y: Tensor, i: int, to: Callable[[Tensor, Tensor, Tensor], Tensor]
    ) -> Tensor:
        """What `to` adds to whole blocks of a plane."""
        q, C = self.steps[i].to(plane), self.cosines.to(plane)
        c, k = C @ blocks(plane) @ C.T, (C @ blocks(plane_y) @ C.T / q).round()
        change = unblocked(C.T @ (to(c, k, q) - c) @ C, plane)
        H, W = (n - n % 8 for n in plane.shape[-2:])
        return F.pad(change[..., :H, :W], (0, plane.shape[-1] - W, 0, plane.shape[-2] - H))


def blocks(plane: Tensor) -> Tensor:
    """[B, H, W] -> [B, rows, columns, 8, 8], the border replicated."""
    B, H, W = plane.shape
    padded = F.pad(plane[:, None], (0, -W % 8, 0, -H % 8), mode="replicate")
    return padded.view(B, (H + 7) // 8, 8, (W + 7) // 8, 8).transpose(2, 3)


def unblocked(tiles: Tensor, like: Tensor) -> Tensor:
    """The inverse of blocks: [B, H, W] of the size of `like`."""
    B, rows, columns = tiles.shape[:3]
    return tiles.transpose(2, 3).reshape(B, 8 * rows, 8 * columns)[
        :, : like.shape[-2], : like.shape[-1]
    ]


def halved(p: Tensor, factor: int) -> Tensor:
    """D: means of pairs along the last dimension (the last value replicated), or p itself for factor 1."""
    if factor == 1:
        return p
    p = torch.cat([p, p[..., -1:]], -1) if p.shape[-1] % 2 else p
    return (p[..., ::2] + p[..., 1::2]) / 2


def doubled(p: Tensor, factor: int, n: int) -> Tensor:
    """U: n values along the last dimension, 3/4 of the nearest sample and 1/4 of the next (libjpeg's "fancy upsampling")."""
    if factor == 1:
        return p
    before, after = (
        torch.cat([p[..., :1], p[..., :-1]], -1),
        torch.cat([p[..., 1:], p[..., -1:]], -1),
    )
    return torch.stack([0.75 * p + 0.25 * before, 0.75 * p + 0.25 * after], -1).flatten(-2)[..., :n]


def undoubled(p: Tensor, factor: int) -> Tensor:
    """U^+: the samples that `doubled` made p of, by the small tridiagonal system (D U) u = D p."""
    if factor == 1:
        return p
    small = halved(p, factor)
    eye = torch.eye(small.shape[-1], dtype=p.dtype, device=p.device)
    return torch.linalg.solve_ex(
        halved(doubled(eye, factor, p.shape[-1]), factor), small, left=False
    )[0]


def standard_tables(quality: int) -> tuple[list[int], list[int]]:
    """Annex K's luma and chroma tables at a quality, as libjpeg scales them."""
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise ValueError(
            f"operator.quality={quality!r}; JPEG's quality is a whole number from 1 to 100"
        )
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    luma, chroma = (
        [min(max((int(q) * scale + 50) // 100, 1), 255) for q in table.split()]
        for table in (LUMA, CHROMA)
    )
    return luma, chroma


def read_tables(path: str) -> tuple[Tensor, tuple[int, int]]:
    """The three tables of a JPEG file, and how many rows and columns share a chroma sample."""
    from PIL import Image

    if not Path(path).expanduser().is_file():
        raise FileNotFoundError(
            f"no file at {path}; operator.tables= takes a JPEG, whose tables are used"
        )
    try:
        with Image.open(Path(path).expanduser(), formats=["JPEG"]) as picture:
            layers = picture.layer  # type: ignore[attr-defined]
            tables = picture.quantization  # type: ignore[attr-defined]
            turned, rgb = (
                picture.getexif().get(0x0112, 1) != 1,
                picture.info.get("adobe_transform") == 0,
            )
    except (OSError, SyntaxError, AttributeError) as error:
        raise ValueError(
            f"{path} is no JPEG that can be read ({error}); operator.tables= takes a JPEG"
        ) from None
    if turned:
        raise ValueError(
            f"{path} is stored turned, so its blocks lie askew; turn it losslessly first (jpegtran, exiftran)"
        )
    if len(layers) == 1:
        return torch.tensor([tables[layers[0][3]], [NO_CHROMA] * 64, [NO_CHROMA] * 64]), (1, 1)
    columns, rows = (layers[0][i] / layers[1][i] for i in (1, 2)) if len(layers) == 3 else (0, 0)
    if rgb or not {rows, columns} <= {1, 2} or layers[1][1:3] != layers[2][1:3]:
        raise ValueError(
            f"{path} is an unusual JPEG (layers {layers}); save it again as YCbCr in 4:4:4, 4:2:2 or 4:2:0"
        )
    return torch.tensor([tables[layer[3]] for layer in layers]), (int(rows), int(columns))
