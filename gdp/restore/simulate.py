"""A y made of a clean photo: A(x), with the noise that a camera adds, in its order."""

from collections.abc import Sequence

import torch
from torch import Tensor

from gdp.picture import to_image, to_model
from gdp.prior.noise import Noise, impulses, photons
from gdp.restore.measure import Seen, check, foreign, viewed
from gdp.restore.noise.level import estimate_sigma
from gdp.restore.setup import AUTO, Setup
from operators.base import Operator


def made(pixels: Tensor, operator: Operator, setup: Setup, reference: Tensor | None) -> Seen:
    """Degrade a clean photo, which is the truth itself.

    Args:
        pixels: [1, C, H, W] in [0, 1].
        operator: the degradation, not bound.
        setup: the settings: how much noise, and the seed that draws it.
        reference: None; another truth is refused.

    Raises:
        ValueError: a truth is given, or the operator does not fit the photo.
    """
    config = setup.config
    if reference is not None:
        raise ValueError(
            "reference= is of a photo that is degraded already; "
            "with degrade=true the photo is the truth itself"
        )
    reference, findings = crop(as_x(pixels, operator), operator.divisor), tuple(operator.findings)
    noise = (config["poisson"], config["impulse"])
    y, operator = degrade(reference, operator, config["sigma_y"], [config["seed"]], *noise)
    mending = operator.mending

    if foreign(operator):
        check(operator, y)
    operator, y = viewed(operator, y, own_units=False)
    return Seen(y, operator, reference, findings=findings, mending=mending)


def as_x(pixels: Tensor, operator: Operator) -> Tensor:
    """A photo [B, 3, H, W] with the channels of the operator's x; grey where that has one.

    Raises:
        ValueError: x has another number of channels.
    """
    if operator.x_channels in (None, 3):
        return pixels
    if operator.x_channels == 1:
        return pixels.mean(1, keepdim=True)
    raise ValueError(
        f"degrade=true makes y of photos, which have 3 channels, and {type(operator).__name__}'s "
        f"x has {operator.x_channels}; give y itself"
    )


def degrade(
    pixels: Tensor,
    operator: Operator,
    sigma_y: float | str,
    seeds: Sequence[int],
    poisson: float | None = None,
    impulse: float = 0.0,
) -> tuple[Tensor, Operator]:
    """Make y = A(x) + noise of a clean photo: floats, not clipped, the same for the same seeds.

    Args:
        pixels: the clean photo [B, 3, H, W] in [0, 1].
        operator: the degradation A.
        sigma_y: std of Gaussian noise in [0, 1] units; auto adds none, and estimates y's noise.
        seeds: one for each photo.
        poisson: photons at white; the mean variance of their noise counts into y's.
        impulse: share of the pixels that turn black or white.

    Returns:
        y in [-1, 1] units, and the operator that knows y's noise.
    """
    std = 0.0 if isinstance(sigma_y, str) else sigma_y
    variance = std**2

    # Noise in the order in which a camera adds it: photons, electronics, broken pixels.
    def add_noise(y: Tensor) -> Tensor:
        nonlocal variance
        picture = y.ndim == 4 and not y.is_complex()
        if not picture and (poisson or impulse or sigma_y == AUTO):
            raise ValueError(
                "poisson=, impulse= and sigma_y=auto are of pictures, and this y is none; "
                "give sigma_y= as a number"
            )
        if poisson:
            variance += float(to_image(y).clamp_min(0).mean()) / poisson
            y = to_model(photons(to_image(y), poisson, seeds))
        if std > 0:
            y = y + 2 * std * noise_like(y, seeds)
        return to_model(impulses(to_image(y), impulse, seeds)) if impulse else y

    with torch.no_grad():
        y, operator = operator.degrade(to_model(pixels), add_noise)

    told = variance**0.5 * operator.noise_gain
    level = estimate_sigma(to_image(y)) if sigma_y == AUTO else told
    operator = operator.with_noise(2 * level)
    with torch.no_grad():
        return y, operator.for_photo(y, operator.sigma_y)


def noise_like(y: Tensor, seeds: Sequence[int]) -> Tensor:
    """White noise of std 1 of y's shape; of a complex y, of each of its parts."""
    if not y.is_complex():
        return Noise(seeds, "degrade").like(y)
    return torch.view_as_complex(Noise(seeds, "degrade").like(torch.view_as_real(y)))


def crop(pixels: Tensor, divisor: int) -> Tensor:
    """The centre of a picture [..., H, W], with sides that are multiples of `divisor`.

    Raises:
        ValueError: a side is shorter than `divisor`.
    """
    H, W = (n - n % divisor for n in pixels.shape[-2:])
    if H == 0 or W == 0:
        size = f"{pixels.shape[-1]}x{pixels.shape[-2]}"
        raise ValueError(
            f"a {size} picture is too small: the operator needs {divisor} pixels a side"
        )
    top, left = (pixels.shape[-2] - H) // 2, (pixels.shape[-1] - W) // 2
    return pixels[..., top : top + H, left : left + W]
