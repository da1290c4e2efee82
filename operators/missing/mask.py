"""Inpainting: y has the pixels where a mask is one, and is zero elsewhere.

    y = m x,   m = 1 known, m = 0 to restore

The mask is a picture, or is drawn for any size: at random, as a box, as stripes or letters.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import ProjectionOperator, check_fraction
from operators.scale import shrink_known


class Masking(ProjectionOperator):
    """y = m x: [B, C, H, W] -> the same; a subclass says in `mask_for` what m is."""

    s = 1.0

    def mask_for(self, x: Tensor) -> Tensor:
        """m: 1 = known, 0 = to restore; it broadcasts against x [B, C, H, W]."""
        raise TypeError(f"{type(self).__name__} defines no mask_for(x); a mask is that")

    def forward(self, x: Tensor) -> Tensor:
        return self.mask_for(x) * x

    def adjoint(self, y: Tensor) -> Tensor:
        return self(y)

    def observe(self, photo: Tensor) -> Tensor:
        """The photo, blanked where its content is not to be trusted."""
        return self(photo)

    def known(self, y: Tensor) -> Tensor | None:
        return (self.mask_for(y) == 1).all(1, keepdim=True).expand(-1, -1, *y.shape[-2:])

    def at_scale(self, r: int, y: Tensor) -> tuple["Mask", Tensor]:
        """A mask of coarse pixels, with the means of what is known.

        A coarse pixel is known if half of it is, or as large a share of it as of the whole
        picture where that is less.
        """
        mask = self.mask_for(y)
        y, mask, gain = shrink_known(y, mask, r, min(0.5, float(mask.mean())))
        return Mask(mask).with_noise(self.sigma_y / gain), y


class Mask(Masking):
    """y = m x: [B, C, H, W] -> the same, with a mask that is given.

    Args:
        mask: [1 or B, 1 or C, h, w], 1 = known and 0 = to restore; a size that is not the
            image's is brought to it by nearest neighbour. What lies between is to restore too,
            and says how much of the photo the result is to have there.

    Attributes:
        share: the mask as it was given, where something of it lies between 0 and 1; else None.
    """

    mask: Tensor
    share: Tensor | None

    def __init__(self, mask: Tensor):
        super().__init__()
        self.set(mask)

    def set(self, mask: Tensor) -> None:
        """Take another mask.

        Raises:
            ValueError: it has values outside of [0, 1].
        """
        if not ((mask >= 0) & (mask <= 1)).all():
            raise ValueError(
                "a mask goes from 0 (to restore) to 1 (known pixels); scale it to that first"
            )
        known = mask == 1
        self.register_buffer("mask", known.float(), persistent=False)
        soft = bool(((mask > 0) & ~known).any())
        self.register_buffer("share", mask.float() if soft else None, persistent=False)

    def mask_for(self, x: Tensor) -> Tensor:
        mask = self.mask.to(x)
        if mask.shape[-2:] == x.shape[-2:]:
            return mask
        return F.interpolate(mask, x.shape[-2:], mode="nearest-exact")

    def blend(self, x: Tensor, photo: Tensor) -> Tensor:
        """x with the photo's own share where the mask lies between known and to restore."""
        if self.share is None:
            return x
        share = F.interpolate(
            self.share.to(x), x.shape[-2:], mode="bilinear", align_corners=False, antialias=True
        )
        return torch.lerp(x, photo, torch.where(self.mask_for(x) == 1, 1.0, share))


class DrawnMask(Masking):
    """A subclass draws the mask of a size in `draw`; all images of that size have the same."""

    def __init__(self) -> None:
        super().__init__()
        self._latest = torch.zeros(1, 1, 0, 0)

    def draw(self, H: int, W: int) -> Tensor:
        """m [1, 1 or C, H, W], 1 = known."""
        raise TypeError(f"{type(self).__name__} defines no draw(H, W); a drawn mask is that")

    def mask_for(self, x: Tensor) -> Tensor:
        if self._latest.shape[-2:] != x.shape[-2:]:
            self._latest = self.draw(*x.shape[-2:])
        self._latest = self._latest.to(x)
        return self._latest


class RandomMask(DrawnMask):
    """y = m x: every pixel is lost with the probability `rate`.

    Args:
        rate: the probability, between 0 and 1.
        seed: what the mask is drawn by.
        per_channel: whether the three values of a pixel are lost independently.
    """

    def __init__(self, rate: float = 0.5, seed: int = 0, per_channel: bool = False):
        super().__init__()
        self.rate, self.seed = check_fraction("rate", rate), seed
        self.channels = 3 if per_channel else 1

    def draw(self, H: int, W: int) -> Tensor:
        generator = torch.Generator().manual_seed(self.seed)
        return (torch.rand(1, self.channels, H, W, generator=generator) >= self.rate).float()


class BoxMask(Masking):
    """A rectangle is lost; its edges are fractions of the image's height and width.

    Args:
        top: from the upper edge of the image to that of the box, a fraction of the height.
        left: from the left edge of the image to that of the box, a fraction of the width.
        height: of the box, a fraction of the image's.
        width: of the box, a fraction of the image's.
    """

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

    def mask_for(self, x: Tensor) -> Tensor:
        H, W = x.shape[-2:]
        top, left = round(self.box["top"] * H), round(self.box["left"] * W)
        bottom = top + round(self.box["height"] * H)
        right = left + round(self.box["width"] * W)

        mask = torch.ones(1, 1, H, W, dtype=x.dtype, device=x.device)
        mask[..., top:bottom, left:right] = 0
        return mask


class StripeMask(Masking):
    """Some lines of every few are lost.

    Args:
        period: pixels from one stripe to the next.
        width: pixels of a stripe.
        vertical: whether columns are lost, and not rows.
    """

    def __init__(self, period: int = 12, width: int = 4, vertical: bool = False):
        super().__init__()
        if not 0 < width < period:
            raise ValueError(
                f"operator.width={width!r} of operator.period={period!r}; "
                "stripes need 0 < width < period"
            )
        self.period, self.width, self.vertical = period, width, vertical

    def mask_for(self, x: Tensor) -> Tensor:
        lines = torch.arange(x.shape[-1 if self.vertical else -2], device=x.device)
        known = (lines % self.period >= self.width).to(x)
        return known.view(1, 1, 1, -1) if self.vertical else known.view(1, 1, -1, 1)


class TextMask(DrawnMask):
    """y = m x: the letters of a text, written all over the picture, are lost.

    Args:
        text: the words.
        size: their height, a fraction of the picture's.
    """

    def __init__(self, text: str = "restore", size: float = 0.12):
        super().__init__()
        if not text.strip():
            raise ValueError("operator.text is empty; give the words that cover the picture")
        self.text, self.size = text, check_fraction("size", size)

    def draw(self, H: int, W: int) -> Tensor:
        import numpy as np
        from PIL import Image, ImageDraw, ImageFont

        page, height = Image.new("L", (W, H), 255), max(6, round(self.size * H))
        font = ImageFont.load_default(height)
        line = (self.text + " ") * (1 + W // max(1, int(font.getlength(self.text))))

        # Every line is moved to the left, so that gaps do not line up.
        for k, top in enumerate(range(0, H, round(1.6 * height))):
            ImageDraw.Draw(page).text((-(k % 3) * height, top), line, fill=0, font=font)
        return torch.from_numpy((np.asarray(page) >= 128).astype("float32"))[None, None]
