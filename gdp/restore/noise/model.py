"""What is known of a photo's noise: a std by frequency and colour, and a gain by brightness.

n  = g(b) Q^T C^-1 s z       z: white;  C: DCT-II of the picture, Q: three directions in RGB
s  = spectrum, [0, 1] units     g = curve(b), of the brightness b around a pixel; its rms is 1

Q's first row is grey, the others red against blue and green against magenta, unless noise is in one
direction alone: that of a toned picture is its tone.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from operators.base import Operator
from operators.noise.whitened import can_whiten, whiten
from operators.noise.whitening import Whitening

FREQUENCIES = 32  # a side of the spectrum: k stands for k / 32 of the highest frequency
BRIGHTNESSES = 17  # of the curve, evenly from 0 to 1
AROUND = 9  # pixels a side over which brightness is taken
SURE, LITTLE = 0.78, 0.016  # `sure` below which noise of a lesser std may be texture
ROUNDING = 1 / 255 / 12**0.5  # std of 8-bit pixels; no less is believed at any frequency
OPPONENT = F.normalize(torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]]), dim=1)


@dataclass(frozen=True, eq=False)
class NoiseModel:
    """The covariance of a photo's noise.

    Args:
        spectrum: s [3, 32, 32], std by colour direction and frequency, [0, 1] units.
        curve: g [17] at brightnesses from 0 to 1.
        colours: Q [3, 3], orthonormal, a direction a row.
        sure: 0..1, how evenly what was measured lies over the photo, as noise does and texture
            does not.
        falls: log of how many times more it is in the darkest fifth of the photo than in the
            brightest one, as it was measured, whatever is known of it.
        at_light: the brightnesses at which it was measured, where that was in pictures of something
            even, and not in the photo; rising.
    """

    spectrum: Tensor
    curve: Tensor
    colours: Tensor
    sure: float = 1.0
    falls: float = 0.0
    at_light: tuple[float, ...] = ()

    @classmethod
    def white(cls, std: float) -> "NoiseModel":
        """White noise of a std in [0, 1] units."""
        spectrum = torch.full((3, FREQUENCIES, FREQUENCIES), float(std), dtype=torch.float64)
        return cls(spectrum, torch.ones(BRIGHTNESSES), OPPONENT)

    @property
    def std(self) -> float:
        """The rms of the noise in [0, 1] units."""
        if self.is_white:
            return float(self.spectrum[0, 0, 0])
        return float(self.spectrum.double().square().mean().sqrt())

    @property
    def doubtful(self) -> bool:
        """Whether it is so little, and so uneven, that it may be texture."""
        return self.sure < SURE and self.std < LITTLE

    @property
    def is_white(self) -> bool:
        """Whether it is the same at all frequencies, in all channels, and for all light."""
        flat = torch.equal(self.spectrum, self.spectrum[:1, :1, :1].expand_as(self.spectrum))
        return flat and torch.equal(self.curve, torch.ones_like(self.curve))

    @property
    def is_flat(self) -> bool:
        """Whether it is the same at all frequencies, if not in all directions of colour."""
        return torch.equal(self.spectrum, self.spectrum[:, :1, :1].expand_as(self.spectrum))

    def scaled(self, std: float) -> "NoiseModel":
        """Noise of the same kind, with another rms in [0, 1] units."""
        if self.std == 0 or self.is_white:
            return replace(self, spectrum=torch.full_like(self.spectrum, std))
        return replace(self, spectrum=self.spectrum * (std / self.std))

    def at_least(self, std: float) -> "NoiseModel":
        """With a std of at least this, in [0, 1] units, at each frequency."""
        return replace(self, spectrum=self.spectrum.clamp_min(std))

    def at(self, height: int, width: int) -> Tensor:
        """The std [1, 3, H, W] by colour direction and frequency of a DCT of this size."""
        rows, columns = (FREQUENCIES / n * torch.arange(n) for n in (height, width))
        return interpolate2(self.spectrum.clamp_min(1e-6).log(), rows, columns).exp()[None]

    def gain(self, pixels: Tensor) -> Tensor | None:
        """g [1, 1, H, W] of a photo [B, C, H, W] in [0, 1]; None where it is 1 all over."""
        if torch.equal(self.curve, torch.ones_like(self.curve)):
            return None
        grey = pixels.mean((0, 1), keepdim=True).clamp(0, 1)
        margin = min(AROUND // 2, *(n - 1 for n in grey.shape[-2:]))
        padded = F.pad(grey, (margin,) * 4, mode="reflect")
        around = F.avg_pool2d(padded, 2 * margin + 1, 1)

        return curve_at(self.curve, around.flatten()).view_as(grey)

    def whiten(self, operator: Operator, y: Tensor) -> tuple[Operator, Tensor]:
        """The operator and y that samplers see: their noise is white, of std operator.sigma_y.

        Args:
            operator: A, not bound, with or without y's noise.
            y: the measurement in [-1, 1].

        Returns:
            W A and W y; the operator with the noise's rms and y as it is, where the noise is white
            or y no picture by itself.
        """
        white = operator.with_noise(2 * self.std)
        if self.is_white or not can_whiten(operator, y):
            return white, y

        # Noise of one channel is what grey has of it.
        colours, std = self.colours, 2 * self.at(y.shape[-2], y.shape[-1])
        if y.shape[1] == 1:
            colours, std = torch.ones(1, 1), std[:, :1] / 3**0.5
        W = Whitening(std.to(y), self.gain((y + 1) / 2), colours.to(y))
        return whiten(white, W), W(y)

    def describe(self) -> dict[str, Any]:
        """What a report says of it."""
        power = self.spectrum.double().square().mean((1, 2))
        channels = (self.colours.double().square() * power[:, None]).sum(0).sqrt()
        return {
            "std": self.std,
            "coloured": not self.is_white,
            "std_of_channels": [round(float(std), 6) for std in channels],
            "std_by_brightness": [round(float(g) * self.std, 6) for g in self.curve[::4]],
            "measured_at": [round(b, 4) for b in self.at_light],
        }

    def save(self, path: str | Path) -> None:
        """Write it for noise=FILE; the name ends in .safetensors."""
        from safetensors.torch import save_file

        parts = {"spectrum": self.spectrum, "curve": self.curve, "colours": self.colours}
        if self.at_light:
            parts["at_light"] = torch.tensor(self.at_light, dtype=torch.float64)
        save_file({name: part.contiguous() for name, part in parts.items()}, str(path))


def curve_at(curve: Tensor, brightness: Tensor) -> Tensor:
    """A curve [17], above 0, at brightnesses [N] in [0, 1]."""
    return interpolate(curve.to(brightness).log()[None], brightness * (BRIGHTNESSES - 1))[0].exp()


def interpolate(values: Tensor, places: Tensor) -> Tensor:
    """Values [..., n] at fractional places [m] along their last dimension: [..., m]."""
    n = values.shape[-1]
    places = places.to(values).clamp(0, n - 1)
    i = places.floor().long().clamp_max(n - 2)
    return torch.lerp(values[..., i], values[..., i + 1], (places - i).to(values))


def interpolate2(values: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Values [..., n, m] at fractional rows [h] and columns [w]: [..., h, w]."""
    return interpolate(interpolate(values, columns).mT, rows).mT


def orders() -> Tensor:
    """max(u, v) as a share of the highest frequency, [32, 32]."""
    n = torch.arange(FREQUENCIES)
    return torch.maximum(n[:, None], n) / FREQUENCIES
