"""An old photo: without colours, or faded and scratched; small if it is said.

A grey print stays grey, and a toned one keeps its tone: what a prior would put in for colours that
nothing tells is a tint. Where they are to be put in, they are told to be lost.
"""

import torch
from torch import Tensor

from operators.base import LinearOperator, Operator
from operators.compose import Compose
from operators.missing.gray import Gray
from operators.missing.mask import Mask, Masking
from operators.missing.scratches import mask_of_scratches
from operators.missing.stains import WORTH, has_colours, mask_of_stains, nearly_grey
from operators.size.avgpool import AvgPool

ENDS = (0.01, 0.99)  # shares of the pixels between which a photo's contrast is measured
USUAL = (-0.9, 0.85)  # where these lie in a photo that has not faded, [-1, 1] units
FADED = 0.65  # of that contrast, more of which is a photo's own
LEAST_LEFT = 0.2  # of it: what has less is no photo that has faded


def old_photo(
    mask: Tensor | None = None, r: int = 1, find: bool = False, colours: bool = True
) -> Compose:
    """y = m G D x: D the mean over r x r blocks, G grey, m a mask; A^+ is in closed form.

    Args:
        mask: m [1, 1, h, w], 0 on scratches.
        r: the factor that the photo is to be enlarged by; 1 leaves D out.
        find: whether to look for scratches in y where no mask is given.
        colours: whether they are lost, and to be put in; else a photo is taken for a print that
            has those that it should have, and G is left out for it.
    """
    ops: list[Operator] = [AvgPool(r)] if r != 1 else []
    ops.append(Gray())

    if mask is not None:
        ops.append(Mask(mask) if colours else MarkedPrint(mask))
    elif find:
        ops.append(Scratches(colours))
    elif not colours:
        ops.append(MarkedPrint(torch.ones(1, 1, 1, 1)))
    return Compose(ops)


class Scratches(Masking):
    """A mask of the scratches and stains that are found in a photo; before that it loses nothing.

    `for_photo` sees the colours, by which stains are told, and how far the photo has faded; `bind`
    finds the scratches of a y that is no photo.

    Args:
        colours: whether a photo that has none of its own has lost them.
    """

    pictured = ("scratches",)

    def __init__(self, colours: bool = True):
        super().__init__()
        self.colours = colours

    def mask_for(self, x: Tensor) -> Tensor:
        return torch.ones_like(x[:1, :1])

    def bind(self, y: Tensor, init: Operator | None = None) -> Mask:
        """The mask of the scratches in y's first image, for all images."""
        return FoundMask(mask_of_scratches(y[:1]))

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The mask of scratches and stains, and by how much grey values have faded."""
        mask = mask_of_scratches(photo[:1]) * mask_of_stains(photo[:1])
        gain, offset = fading(photo[:1].mean(1, keepdim=True)[mask == 1])
        coloured = has_colours(photo[:1])
        kept = photo.shape[1] == 3 and (coloured or not self.colours)
        tone = 1.0 if coloured or not kept else 0.0 if nearly_grey(photo[:1], noise) else gain
        found = FoundMask(mask, gain, offset, kept, tone)
        found = found.with_noise(self.sigma_y)
        lost, lines = 1 - float(mask.mean()), []
        if lost > WORTH:
            lines.append(
                f"scratches and stains are {lost:.0%} of it; correct their mask, which is saved "
                "beside the result, and give it as mask="
            )
        if coloured:
            lines.append(
                "it has colours of its own, which are kept; task=colorize takes them for lost"
            )
        found.findings = lines
        return found


class Print(Mask):
    """A mask of a print, which may have the colours that it should have: grey, a tone, its own.

    Args:
        mask: m, as of `Mask`.
        kept: whether no colours are lost.
        tone: the share of the photo's that y has: none of a grey one, whose colours are noise.
    """

    def __init__(self, mask: Tensor, kept: bool = True, tone: float = 1.0):
        super().__init__(mask)
        self.kept, self.tone = kept, tone

    def after(self, ops: list[LinearOperator]) -> list[LinearOperator]:
        """Of what goes before it, what has happened to this photo."""
        return [op for op in ops if not (self.kept and isinstance(op, Gray))]

    def observe(self, photo: Tensor) -> Tensor:
        """The photo with that share of its tone, blanked where it is lost."""
        if self.tone != 1:
            photo = torch.lerp(photo.mean(1, keepdim=True), photo, self.tone)
        return self.mask_for(photo) * photo


class MarkedPrint(Print):
    """A print with a mask that is given."""

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> Operator:
        """The same, for a photo of which it is seen whether it is grey."""
        kept, grey = photo.shape[1] == 3, nearly_grey(photo[:1], noise)
        return MarkedPrint(self.mask, kept, 0.0 if grey else 1.0).with_noise(self.sigma_y)


class FoundMask(Print):
    """A mask that was found, shown to the user with white = repaired: y = m (gain x) + m offset.

    Args:
        mask: m, as of `Mask`.
        gain: what fading has left of the contrast.
        offset: what it has added, [-1, 1] units; `observe` takes it off.
        kept, tone: as of `Print`; contrast that comes back makes a tone no stronger if it is gain.
    """

    pictured = ("scratches",)

    def __init__(
        self,
        mask: Tensor,
        gain: float = 1.0,
        offset: float = 0.0,
        kept: bool = False,
        tone: float = 1.0,
    ):
        super().__init__(mask, kept, tone)
        self.s, self.offset = gain, offset

    def forward(self, x: Tensor) -> Tensor:
        return self.s * super().forward(x)

    def known(self, y: Tensor) -> Tensor | None:
        return super().known(y) if self.s == 1 else None

    def observe(self, photo: Tensor) -> Tensor:
        """The photo without what fading has added, blanked where it is lost."""
        return super().observe(photo - self.offset)

    def at_scale(self, r: int, y: Tensor) -> tuple[Mask, Tensor]:
        """As of `Masking`, with the same fading."""
        small, y_small = super().at_scale(r, y)
        return FoundMask(small.mask, self.s).with_noise(small.sigma_y), y_small

    def describe(self, y: Tensor) -> dict[str, float]:
        """The share of the picture that is repaired, and of its contrast that was left."""
        faded = {} if self.s == 1 else {"contrast_left": self.s}
        return {"scratched": 1 - float(self.mask.mean()), **faded}

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


def fading(grey: Tensor) -> tuple[float, float]:
    """Gain and offset in [-1, 1] units of a photo that has faded: its values are gain x + offset.

    Args:
        grey: the values that are known, in one row. 1 and 0 where their range is a photo's.
    """
    values = grey.flatten().sort().values
    if not len(values):
        return 1.0, 0.0
    low, high = (float(values[round(q * (len(values) - 1))]) for q in ENDS)
    gain = (high - low) / (USUAL[1] - USUAL[0])
    if gain > FADED:
        return 1.0, 0.0
    gain = max(gain, LEAST_LEFT)
    return gain, (low + high) / 2 - gain * sum(USUAL) / 2
