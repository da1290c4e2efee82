"""What one line of another library does to a photo; a library that is not there is left out.

Every tool takes a pair and gives pixels [1, 3, H, W] in [0, 1]. Blind ones look at the photo alone;
those marked * know the truth, or are told what nobody would know.

    noise     benchmarks/reality/others_noise.py
    blur      unsharp masking, Wiener's filter
    enlarge   bicubic and Lanczos interpolation
    light     benchmarks/reality/others_light.py
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from torch import Tensor

from benchmarks.reality.arrays import to_array, to_pixels
from benchmarks.reality.others_light import LIGHT
from benchmarks.reality.others_noise import NOISE
from benchmarks.reality.pairs import Pair
from benchmarks.tools import here
from benchmarks.tools import wiener as mirrored_wiener
from gdp.picture import picture_of, read

UNSHARP_SIGMA, UNSHARP_AMOUNT = 1.0, 1.0  # pixels, share of the detail that is added
WIENER_BALANCE = 0.1  # of scikit-image's filter
GUESS = (9, 1.0)  # side and sigma of the blur that is guessed, in pixels


class Tool(NamedTuple):
    """A way to restore that is not ours.

    Attributes:
        run: takes a pair, gives pixels [1, 3, H, W], or None where it does not apply.
        libraries: that it needs, by the names of their imports.
    """

    run: Callable[[Pair], Tensor | None]
    libraries: tuple[str, ...] = ()

    @property
    def here(self) -> bool:
        """Whether its libraries are installed."""
        return here(*self.libraries)


def unsharp(pair: Pair) -> Tensor:
    """Unsharp masking."""
    from scipy.ndimage import gaussian_filter

    y = to_array(pair.photo)
    soft = gaussian_filter(y, (UNSHARP_SIGMA, UNSHARP_SIGMA, 0), mode="reflect")
    return to_pixels((y + UNSHARP_AMOUNT * (y - soft)).clip(0, 1))


def wiener(pair: Pair, kernel: np.ndarray) -> Tensor:
    """Wiener's filter for a kernel."""
    return to_pixels(mirrored_wiener(to_array(pair.photo), kernel, WIENER_BALANCE))


def wiener_known(pair: Pair) -> Tensor | None:
    """Wiener's filter for the kernel that is known."""
    if pair.kernel is None:
        return None
    kernel = to_array(read(pair.kernel).pixels).mean(-1)
    return wiener(pair, kernel / kernel.sum())


def wiener_guessed(pair: Pair) -> Tensor:
    """Wiener's filter for a Gaussian."""
    from operators.blur.kernels import gaussian

    kernel = gaussian(*GUESS).double().squeeze().numpy()
    return wiener(pair, kernel)


def interpolated(filter_: Image.Resampling) -> Callable[[Pair], Tensor | None]:
    """Pillow's enlargement of the small photo."""

    def run(pair: Pair) -> Tensor | None:
        if pair.small is None:
            return None
        H, W = pair.truth.shape[-2:]
        small = picture_of(read(pair.small).pixels)
        return to_pixels(np.asarray(small.resize((W, H), filter_)))

    return run


BLUR = {
    "unsharp": Tool(unsharp),
    "wiener_guess": Tool(wiener_guessed, ("skimage",)),
    "wiener_known": Tool(wiener_known, ("skimage",)),
}
ENLARGE = {
    "bicubic": Tool(interpolated(Image.Resampling.BICUBIC)),
    "lanczos": Tool(interpolated(Image.Resampling.LANCZOS)),
}
FAMILIES: Mapping[str, Mapping[str, Tool]] = {
    "noise": {name: Tool(run, libraries) for name, (run, libraries) in NOISE.items()},
    "blur": BLUR,
    "enlarge": ENLARGE,
    "light": {name: Tool(run, libraries) for name, (run, libraries) in LIGHT.items()},
}


def tools(families: Sequence[str]) -> dict[str, Tool]:
    """The tools of some families whose libraries are installed."""
    return {
        name: tool for family in families for name, tool in FAMILIES[family].items() if tool.here
    }
