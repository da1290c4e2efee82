"""JPEG's rounding as noise of its result, and what makes that noise white, block by block.

    n  = Q^T E^T T^T s z            z: white;  Q: luma's direction in RGB and two at right angles
                                    T: orthonormal DCT of blocks, each plane's own
                                    E: pixels that share a chroma sample, their sum over sqrt(2)
    W  = Q^T E^T T^T (sigma / s) T E Q      W y = W x + white noise of std sigma;
                                            0 for chroma that was not stored
    s^2 = q^2 / 12 + 1 / 12 + further noise

A uniform error has the variance q^2 / 12 (Widrow and Kollar, Quantization Noise, 2008, chapter 4).
It is taken for every coefficient, those that were rounded to 0 as well: that such a coefficient is
likely to be small is what a prior knows, and would count twice. YCbCr is not orthonormal: luma is
exact here, the errors of the chroma planes are shared out between Q's other two directions.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from operators.coded.planes import directions, stored, turned
from operators.coded.tables import UPRIGHT, YCBCR
from operators.noise.whitening import Whitening
from operators.tools.transforms import dct, idct

SIDE = 8  # pixels of a block
LEVEL = 1 / 127.5  # a grey level of 8 bits, in units of [-1, 1]
LAST_ROUNDING = 1 / 12  # variance of the decoder's rounding to 8 bits, in levels^2


class BlockWhitening(Whitening):
    """W, for pictures [B, 3, H, W] of any size in [-1, 1].

    What is left of a block at the right or lower border is taken for a block of its own size.

    Args:
        luma: s of luma's direction [n, m] by frequency of a block, in units of [-1, 1].
        chroma: s of the other two [2, k, l], of the samples that were stored.
        factors: rows and columns of pixels that share a chroma sample.
        sigma: the std of the noise after W, in units of [-1, 1]: a typical one of that before it.
        orientation: EXIF's, how pictures are turned from where blocks lie.
        colours: Q [3, 3], orthonormal rows; None: directions().
    """

    whole = False
    luma: Tensor
    chroma: Tensor

    def __init__(
        self,
        luma: Tensor,
        chroma: Tensor,
        factors: tuple[int, int],
        sigma: float,
        orientation: int = UPRIGHT,
        colours: Tensor | None = None,
    ):
        colours = directions() if colours is None else colours
        nn.Module.__init__(self)  # what Whitening holds is of whole pictures
        self.factors, self.sigma, self.orientation = factors, sigma, orientation
        for name, value in (("luma", luma), ("chroma", chroma), ("colours", colours)):
            self.register_buffer(name, value, persistent=False)

    def forward(self, y: Tensor) -> Tensor:
        """W y."""
        return self.filter(y, lambda d: d)

    def transpose(self, y: Tensor) -> Tensor:
        """W^T y, which is W y."""
        return self.filter(y, lambda d: d)

    def inverse(self, y: Tensor) -> Tensor:
        """W^+ y."""
        return self.filter(y, lambda d: torch.where(d > 0, 1 / d, 0.0))

    def filter(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
        """Q^T E^T T^T f(sigma / s) T E Q x, and f(0) times what W does not see.

        Args:
            x: [B, 3, H, W].
            f: of the singular values of W; elementwise.
        """
        # f sees the singular values as pictures, as it may hold one of their size.
        Q, null = self.colours.to(x), f(x.new_zeros(1, 1, 1, 1)).view(())
        p = stored(x, self.orientation).movedim(1, 0)
        luma, *chroma = (Q @ p.flatten(1)).view(p.shape)
        out = [by_block(luma, f((self.sigma / self.luma.to(x))[None, None])[0, 0])]

        # Of chroma the samples are seen that pixels share.
        h, w = self.factors
        for plane, std in zip(chroma, self.chroma.to(x), strict=True):
            values = f((self.sigma / std)[None, None])[0, 0]
            small = by_block(pair(pair(plane, w, -1), h, -2), values - null)
            change = unpair(unpair(small, h, plane.shape[-2], -2), w, plane.shape[-1], -1)
            out.append(change.add_(null * plane))
        seen = Q.T @ torch.stack(out).flatten(1)
        return turned(seen.view(p.shape).movedim(0, 1), self.orientation)

    def by_pixel(self) -> "BlockWhitening":
        """The same where each pixel's own chroma is believed, not the samples that it shares alone.

        What lies between the samples counts for as wrong as the highest frequencies of theirs.
        """
        rows, columns = ((torch.arange(SIDE) * f).clamp_max(SIDE - 1) for f in self.factors)
        chroma = self.chroma[:, rows][:, :, columns]
        known = (self.sigma, self.orientation, self.colours)
        return BlockWhitening(self.luma, chroma, (1, 1), *known)

    def coarse(self, r: int) -> float:
        """The rms of the noise in means over r x r pixels, r at least a block's: by blocks' own."""
        variances = (self.luma[0, 0].square(), *self.chroma[:, 0, 0].square())
        return float(sum(map(float, variances)) / 3) ** 0.5 / r

    def at_scale(self, r: int) -> "BlockWhitening":
        """The same noise after means over r x r pixels: low frequencies of smaller blocks."""
        if r == 1:
            return self
        n = max(1, SIDE // r)
        rows, columns = (min(SIDE, max(1, SIDE * factor // r)) for factor in self.factors)
        chroma = self.chroma[:, :rows, :columns]
        known = (self.sigma / r, self.orientation, self.colours)
        return BlockWhitening(self.luma[:n, :n] / r, chroma / r, (1, 1), *known)


def rounding_variance(steps: Tensor, factors: tuple[int, int], Q: Tensor) -> Tensor:
    """The variance [3, 8, 8] of y's error by direction and frequency, in units of [-1, 1].

    It is that of orthonormal coefficients; of chroma, of those of the samples that were stored.

    Args:
        steps: q [3, 8, 8] of Y, Cb and Cr, in grey levels.
        factors: rows and columns of pixels that share a chroma sample.
        Q: the directions [3, 3].
    """
    rows = torch.tensor(YCBCR, dtype=torch.float64)
    share = ((rows @ Q.double().T) ** 2).to(steps)  # [plane, direction]
    planes = steps**2 / 12 + LAST_ROUNDING
    luma = planes[0] / share[0, 0]
    chroma = 1 / torch.einsum("po,puv->ouv", share[1:, 1:], 1 / planes[1:])
    return LEVEL**2 * torch.cat([luma[None], factors[0] * factors[1] * chroma])


def by_block(p: Tensor, values: Tensor) -> Tensor:
    """T^T diag(values) T p of planes p [..., H, W]; values [n, m] by frequency of n x m blocks."""
    n, m = values.shape
    H, W = (k // side * side for k, side in zip(p.shape[-2:], (n, m), strict=True))
    if not (H and W):
        return by_dct(p, values)

    # All whole blocks by one matrix; what the right and lower borders cut off by transforms.
    rows, columns = (torch.eye(k, dtype=p.dtype, device=p.device) for k in (n, m))
    T = torch.kron(dct(rows).T, dct(columns).T)
    M = (T.T @ (values.flatten()[:, None] * T)).to(p)
    inner = p[..., :H, :W].unflatten(-1, (-1, m)).unflatten(-3, (-1, n)).transpose(-3, -2)
    inner = (inner.flatten(-2) @ M).unflatten(-1, (n, m)).transpose(-3, -2)
    out = inner.flatten(-4, -3).flatten(-2)
    if p.shape[-1] > W:
        out = torch.cat([out, by_dct(p[..., :H, W:], values)], -1)
    return out if p.shape[-2] == H else torch.cat([out, by_dct(p[..., H:, :], values)], -2)


def by_dct(p: Tensor, values: Tensor) -> Tensor:
    """The same by transforms, for planes of any size."""
    n, m = values.shape
    rows = frequencies(p.shape[-2], n, p.device)
    columns = frequencies(p.shape[-1], m, p.device)
    c = block_dct(block_dct(p, m).mT, n).mT * values[rows][:, columns]
    return block_idct(block_idct(c, m).mT, n).mT


def block_dct(p: Tensor, side: int) -> Tensor:
    """The orthonormal DCT of each `side` entries of the last dimension, and of what is left."""
    return in_blocks(p, side, dct)


def block_idct(c: Tensor, side: int) -> Tensor:
    """The inverse, and transpose, of block_dct."""
    return in_blocks(c, side, idct)


def in_blocks(p: Tensor, side: int, transform: Callable[[Tensor], Tensor]) -> Tensor:
    """A transform of each `side` entries of the last dimension, and of what is left."""
    whole = p.shape[-1] // side * side
    rest = [transform(p[..., whole:])] if whole < p.shape[-1] else []
    if not whole:
        return rest[0]
    inner = transform(p[..., :whole].unflatten(-1, (-1, side))).flatten(-2)
    return torch.cat([inner, *rest], -1)


def frequencies(n: int, side: int, device: torch.device) -> Tensor:
    """Which of a block's frequencies each of n coefficients of block_dct is, or is just above."""
    i = torch.arange(n, device=device)
    left = n % side
    return torch.where(i < n - left, i % side, (i - (n - left)) * side // max(left, 1))


def pair(p: Tensor, factor: int, dim: int) -> Tensor:
    """E p over a dimension; the last of an odd number of pixels stays as it is."""
    if factor == 1:
        return p
    n = p.shape[dim]
    both = p.narrow(dim, 0, n // 2 * 2).unflatten(dim, (-1, 2))
    inner = (both.select(dim, 0) + both.select(dim, 1)) / 2**0.5
    return torch.cat([inner, p.narrow(dim, n - 1, 1)], dim) if n % 2 else inner


def unpair(p: Tensor, factor: int, n: int, dim: int) -> Tensor:
    """E^T p, of n pixels."""
    if factor == 1:
        return p
    inner = (p.narrow(dim, 0, n // 2) / 2**0.5).repeat_interleave(2, dim)
    return torch.cat([inner, p.narrow(dim, n // 2, 1)], dim) if n % 2 else inner
