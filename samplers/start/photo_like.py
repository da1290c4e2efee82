"""Random pictures with the statistics of photos, and how wrong a guess of such pictures is.

Photos have 1/f spectra, and colours that go together.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from gdp.prior.noise import Noise
from operators.base import Operator

GREY_CONTRAST = 0.5  # std of a photo's grey values, [-1, 1] units
COLOUR_CONTRAST = 0.4  # std of vivid colours about them, [-1, 1] units
DRAWS = 3  # pictures to measure an error on ...
ENOUGH_PIXELS = 2**14  # ... or one, where y has more pixels than this

# A picture [B, C, H, W], from A, y, and the picture itself for guesses that know more of it; or,
# where a picture is at hand, how wrong it is.
Maker = Callable[[Operator, Tensor, Tensor], Tensor]
Guess = Maker | float


def worst_error(A: Operator, y: Tensor, guess: Maker) -> float:
    """How wrong a guess of photo-like pictures is, where it is worst.

    Args:
        A: the degradation, with y's noise.
        y: a measurement [1, ...], for its shape.
        guess: makes a picture of A and y.

    Returns:
        The largest coefficient of the error in terms of white noise of std 1, [-1, 1] units.
        Coefficients are those of w x w block means, w = 1, 2, 4 ..., which noise hides as well at
        any scale: w times the mean.
    """
    errors = []
    for draw in range(1 if y.shape[-2] * y.shape[-1] > ENOUGH_PIXELS else DRAWS):
        x = photo_like(A.x_shape(y), y, draw)
        noisy = A(x) + A.sigma_y * Noise([draw], "degrade").like(y) if A.sigma_y else A(x)
        errors.append(guess(A, noisy, x) - x)

    def largest(power: Tensor) -> float:
        nearby = min(4, *power.shape[-2:])
        return float(F.avg_pool2d(power, nearby, 1).max())

    return coefficient(torch.cat(errors), largest)


def coefficient(e: Tensor, of_places: Callable[[Tensor], float]) -> float:
    """The coefficient of an error [B, C, H, W] that is hardest to hide, over all scales.

    Args:
        e: the error.
        of_places: sums up the squares [1, 1, h, w] of a scale's coefficients.
    """
    w, worst = 1, 0.0
    while w <= min(e.shape[-2:]):
        power = (w * F.avg_pool2d(e, w)).square().mean((0, 1))[None, None]
        worst, w = max(worst, of_places(power)), 2 * w
    return worst**0.5


def photo_like(shape: tuple[int, ...], like: Tensor, draw: int) -> Tensor:
    """A random picture [1, C, H, W] of a shape [B, C, H, W], the same for the same `draw`.

    More than three channels are bands of a spectrum, which blend three colours.
    """
    colours = min(shape[1], 3)
    z = Noise([draw], "start").like(torch.empty(1, colours + 1, *shape[-2:], device=like.device))
    field = pink(z)

    # One field is grey, the others what differs between channels.
    field = field / field.square().mean((-2, -1), keepdim=True).sqrt().clamp_min(1e-12)
    colour = field[:, 1:]
    if shape[1] > 3:
        bands = (shape[1], *shape[-2:])
        colour = F.interpolate(colour[None], bands, mode="trilinear", align_corners=True)[0]
    return (GREY_CONTRAST * field[:, :1] + COLOUR_CONTRAST * colour).to(like.dtype)


def pink(z: Tensor) -> Tensor:
    """White noise z [..., H, W] with the 1/f amplitudes of photos."""
    H, W = z.shape[-2:]
    fy, fx = torch.fft.fftfreq(H, device=z.device), torch.fft.rfftfreq(W, device=z.device)
    falloff = torch.hypot(fy[:, None], fx[None]).clamp_min(1 / max(H, W)).reciprocal()
    return torch.fft.irfft2(torch.fft.rfft2(z).mul_(falloff), s=(H, W))
