"""Inpainting: y keeps the pixels where the mask is one, and is zero elsewhere."""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator, check_fraction
from operators.scale import known_mean, scaled


class Masking(ProjectionOperator):
    """y = m x: [B, C, H, W] -> the same; a subclass says in `kept` which pixels are known (m = 1)."""

    s = 1.0

    def kept(self, x: Tensor) -> Tensor:
        """1 = known, 0 = to restore; broadcasts against x [B, C, H, W]."""
        raise TypeError(f"{type(self).__name__} defines no kept(x); a mask is that")

    def forward(self, x: Tensor) -> Tensor:
        return self.kept(x) * x

    def adjoint(self, y: Tensor) -> Tensor:
        return self(y)

    def observe(self, photo: Tensor) -> Tensor:
        """The photo, blanked where its content is not to be trusted."""
        return self(photo)

    def known(self, y: Tensor) -> Tensor | None:
        return (self.kept(y) == 1).all(1, keepdim=True).expand(-1, -1, *y.shape[-2:])

    def at_scale(self, r: int, y: Tensor) -> tuple["Mask", Tensor]:
        """The mean of what is known; a coarse pixel is known if half of it is, or as much as of the whole picture where that is less."""
        kept = self.kept(y)
        y, kept, factor = known_mean(y, kept, r, min(0.5, float(kept.mean())))
        return scaled(Mask(kept), self, 1 / factor), y


class Mask(Masking):
    """`mask` [1 or B, 1 or C, h, w], 1 = known; another size than the image's is resized by nearest neighbour."""

    mask: Tensor

    def __init__(self, mask: Tensor):
        super().__init__()
        if not ((mask == 0) | (mask == 1)).all():
            raise ValueError(
                "a mask holds ones (known pixels) and zeros (to restore) only; threshold it first"
            )
        self.register_buffer("mask", mask.float(), persistent=False)

    def kept(self, x: Tensor) -> Tensor:
        mask = self.mask.to(x)
        if mask.shape[-2:] == x.shape[-2:]:
            return mask
        return F.interpolate(mask, x.shape[-2:], mode="nearest-exact")


class DrawnMask(Masking):
    """A subclass draws the mask of a size in `drawn`; it is the same for every image of that size."""

    def __init__(self) -> None:
        super().__init__()
        self._last = torch.zeros(1, 1, 0, 0)

    def drawn(self, H: int, W: int) -> Tensor:
        """[1, 1 or C, H, W], 1 = known."""
        raise TypeError(f"{type(self).__name__} defines no drawn(H, W); a drawn mask is that")

    def kept(self, x: Tensor) -> Tensor:
        if self._last.shape[-2:] != x.shape[-2:]:
            self._last = self.drawn(*x.shape[-2:])
        self._last = self._last.to(x)
        return self._last


class RandomMask(DrawnMask):
    """y = m x: every pixel is lost with probability `rate`, by `seed`. With `per_channel` its three values are lost independently."""

    def __init__(self, rate: float = 0.5, seed: int = 0, per_channel: bool = False):
        super().__init__()
        self.rate, self.seed, self.channels = (
            check_fraction("rate", rate),
            seed,
            3 if per_channel else 1,
        )

    def drawn(self, H: int, W: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed)
        return (torch.rand(1, self.channels, H, W, generator=generator) >= self.rate).float()


class BoxMask(Masking):
    """A rectangle is lost; its edges are fractions of the image's height and width, so it fits any size."""

    def __init__(
        self, top: float = 0.25, left: float = 0.25, height: float = 0.5, width: float = 0.5
    ):
        super().__init__()
        self.box = {"top": top, "left": left, "height": height, "width": width}
        check_fraction("height", height, 0, 1 + 1e-9)
        check_fraction("width", width, 0, 1 + 1e-9)
        if min(top, left) < 0 or top + height > 1 or left + width > 1 or height * width == 1:
            raise ValueError(
                f"the box {self.box} must lie inside the image (0..1) and leave some of it"
            )

    def kept(self, x: Tensor) -> Tensor:
        H, W = x.shape[-2:]
        top, left = round(self.box["top"] * H), round(self.box["left"] * W)
        mask = torch.ones(1, 1, H, W, dtype=x.dtype, device=x.device)
        mask[
            ...,
            top : top + round(self.box["height"] * H),
            left : left + round(self.box["width"] * W),
        ] = 0
        return mask


class StripeMask(Masking):
    """`width` lines of every `period` are lost: rows, or columns where `vertical`."""

    def __init__(self, period: int = 12, width: int = 4, vertical: bool = False):
        super().__init__()
        if not 0 < width < period:
            raise ValueError(
                f"operator.width={width!r} of operator.period={period!r}; stripes need 0 < width < period"
            )
        self.period, self.width, self.vertical = period, width, vertical

    def kept(self, x: Tensor) -> Tensor:
        lines = torch.arange(x.shape[-1 if self.vertical else -2], device=x.device)
        kept = (lines % self.period >= self.width).to(x)
        return kept.view(1, 1, 1, -1) if self.vertical else kept.view(1, 1, -1, 1)


class TextMask(DrawnMask):
    """y = m x: the letters of `text`, written all over the picture at a height of `size` (a fraction of the picture's), are lost."""

    def __init__(self, text: str = "restore", size: float = 0.12):
        super().__init__()
        if not text.strip():
            raise ValueError("operator.text is empty; give the words that cover the picture")
        self.text, self.size = text, check_fraction("size", size)

    def drawn(self, H: int, W: int) -> Tensor:
        return written(self.text, self.size, H, W)


def written(text: str, size: float, H: int, W: int) -> Tensor:
    """[1, 1, H, W]: 0 on the letters of lines of text, 1 elsewhere."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    page, height = Image.new("L", (W, H), 255), max(6, round(size * H))
    font = ImageFont.load_default(height)
    line = (text + " ") * (1 + W // max(1, int(font.getlength(text))))
    for k, top in enumerate(range(0, H, round(1.6 * height))):
        ImageDraw.Draw(page).text((-(k % 3) * height, top), line, fill=0, font=font)
    return torch.from_numpy((np.asarray(page) >= 128).astype("float32"))[None, None]
