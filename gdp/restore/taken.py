"""y and its operator: made of a clean photo, or the photo as it was taken."""

from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from gdp.picture import Photo
from gdp.restore.measure import check, check_photo, foreign, viewed
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.choose import noise_of
from gdp.restore.noise.compression import compressed
from gdp.restore.noise.taking import believed, of_developed, take
from gdp.restore.setup import AUTO, Setup
from gdp.restore.simulate import as_x, crop, degrade
from operators.base import Operator
from operators.coded.compressed import compression_of

WHITE = "white"  # the noise= of it


class Seen(NamedTuple):
    """y = A(x) + noise, and what was found on the way; see Measurement."""

    y: Tensor
    operator: Operator
    reference: Tensor | None = None
    alone: bool = False
    model: NoiseModel | None = None
    shown: NoiseModel | None = None
    findings: tuple[str, ...] = ()
    mending: object = None


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


def taken(photo: Photo, operator: Operator, setup: Setup, file: Path | None) -> Seen:
    """Take the photo for y: find its noise, and what its file's compression did.

    Args:
        photo: pixels [1, 3, H, W] in [0, 1].
        operator: the degradation, not bound.
        setup: the settings: what noise and JPEG are told, or to be found.
        file: where the photo was read from.

    Raises:
        ValueError: the photo does not fit the operator.
    """
    config, pixels = setup.config, photo.pixels.cpu()
    kind, sigma_y = config["noise"], config["sigma_y"]

    # Its noise, told or found, and what that makes of the operator.
    if kind == AUTO and sigma_y == AUTO and enlarges(operator, pixels):
        kind = WHITE
    model, shown = noise_of(pixels, kind, sigma_y, file, setup.noise_alone), None
    model = believed(pixels, operator, model.at_least(photo.rounding), photo.rounding)
    y, operator = take(pixels, operator, model, photo.rounding)
    if sigma_y == AUTO and config["noise"] == AUTO and operator.offers("developed"):
        operator, shown = of_developed(operator, y, photo.rounding)
    alone, findings = operator.whitening is not None, tuple(operator.findings)
    mending = operator.mending

    # The tables of a JPEG, unless something else is told.
    asked = config["jpeg"] == AUTO and config["noise"] != "jpeg"
    jpeg = compression_of(file) if file is not None and asked else None
    if jpeg is not None:
        operator, alone = compressed(operator, y, jpeg, model, sigma_y == AUTO), True
    check_photo(operator, y)
    operator, y = viewed(operator, y, own_units=False)
    return Seen(y, operator, None, alone, model, shown, findings, mending)


def enlarges(operator: Operator, pixels: Tensor) -> bool:
    """Whether the result is larger than the photo on both sides.

    Of a photo that was shrunk the texture fills the frequencies by which noise of any colour is
    told from it; the quietest differences, by which white noise is, err on the safe side.
    """
    if operator.frame is not None or pixels.shape[1] != 3:
        return False
    H, W = operator.x_shape(pixels)[-2:]
    return pixels.shape[-2] < H and pixels.shape[-1] < W
