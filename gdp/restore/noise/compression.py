"""What a JPEG file tells of its own errors, as part of the degradation."""

import torch
from torch import Tensor

from gdp.picture import is_grey
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.codec import of_codes
from gdp.restore.noise.estimate import estimate as visible
from gdp.restore.noise.model import BRIGHTNESSES, FREQUENCIES, OPPONENT, ROUNDING
from gdp.restore.noise.shape import one_for_all
from operators.base import LinearOperator, Operator, ProjectionOperator, SpectralOperator
from operators.coded.block_noise import SIDE
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.coded.planes import directions, stored
from operators.identity import Identity
from operators.noise.whitened import can_whiten

ALIKE = 1.15  # between stds in directions of colour, from which they are one
BEYOND = 1.3  # times a file's own error, that a blurred photo's noise is where none is told


def compressed(
    operator: Operator, y: Tensor, jpeg: JPEG, noise: NoiseModel, estimated: bool = False
) -> Operator:
    """The operator for a photo y that came out of a JPEG file.

    Args:
        operator: the degradation before the file was written, with the rms of y's noise.
        y: the measurement.
        jpeg: the file's compression.
        noise: the noise of y besides.
        estimated: whether it was found in y, and holds the errors of the compression.
    """
    other = isinstance(operator, JPEG) or y.ndim != 4 or y.shape[1] != 3
    if other or operator.leaves:
        return operator
    jpeg = jpeg.to(y.device)
    error = jpeg.error(y)

    # An estimate holds those errors; a std told where noise is not all stands for all of y's. A
    # patch has those of its own, which is even and lost less.
    if (estimated or not isinstance(operator, Identity)) and not noise.at_light:
        noise = noise.scaled(max(noise.std**2 - (error / 2) ** 2, 0.0) ** 0.5)

    # Errors by frequency where noise may have any shape, else as much white noise, but for what
    # keeps its pixels. A known blur has next to nothing at the frequencies that a codec's tables
    # call noisy, and is undone by those that they call exact; nor is its noise found there, where
    # codecs leave none: white noise of a std that is told, or of their errors', is nearer the
    # truth. A soft photo's blur was bounded by the noise that was found already.
    uneven = isinstance(operator, SpectralOperator) and not isinstance(operator, ProjectionOperator)
    bounded = estimated and operator.offers("undoing")
    known_blur = uneven and operator.x_shape(y) == tuple(y.shape) and not bounded
    known_blur = known_blur or operator.shown_noise(y, OPPONENT) is not None
    if isinstance(operator, LinearOperator) and can_whiten(operator, y) and not known_blur:
        further = by_block(noise, jpeg)
        if bounded:  # y is believed no more than its blur is
            further = further.clamp_min(max(operator.sigma_y**2 - error**2, 0.0) ** 0.5)
        return Compressed(operator, jpeg, error, further)
    if operator.blind or known_blur or operator.offers("linear"):
        white = operator.with_whitening(None) if known_blur else operator
        least = BEYOND * error if known_blur and estimated else error
        return white.with_noise(max(operator.sigma_y, least))
    return operator


def by_block(noise: NoiseModel, jpeg: JPEG) -> Tensor:
    """The std [3, 8, 8] of noise by JPEG's directions and frequencies, in units of [-1, 1].

    Chroma samples that pixels share know its low frequencies alone.
    """
    share = (directions(jpeg.is_grey) @ noise.colours.double().T) ** 2
    h, w = jpeg.factors

    # As the blocks lie, which is not as the picture is shown where it was stored turned.
    def at(rows: int, columns: int) -> Tensor:
        shown = stored(torch.empty(rows, columns), jpeg.orientation).shape
        return stored(noise.at(*shown), 5 if jpeg.orientation >= 5 else 1)[0, :, :SIDE, :SIDE]

    fine, shared = (at(SIDE * m, SIDE * n) for m, n in ((1, 1), (h, w)))
    power = [torch.einsum("c,cuv->uv", share[0], fine.double() ** 2)]
    power += [torch.einsum("c,cuv->uv", row, shared.double() ** 2) for row in share[1:]]
    return 2 * torch.stack(power).sqrt()


def behind_blur(
    A: Operator, pixels: Tensor, jpeg: JPEG | None, told: float | None
) -> NoiseModel | None:
    """The noise of a photo that a known kernel has blurred, with its codec's errors.

    What the blur has taken away shows it (`shown_noise`), whatever its patches look like: texture
    that was blurred looks like a camera's noise, and the finest noise is what codecs leave out,
    though there is some wherever they left the photo anything. It counts as the same at all
    frequencies, that of each direction in colour as its loudest band.

    Args:
        A: the degradation, not bound.
        pixels: the photo [1, 3, H, W] in [0, 1].
        jpeg: its compression, if that is known.
        told: its std in [0, 1] units, if it is told: it is no less, nor more than codecs explain.

    Returns:
        None where A is no such blur, or leaves something at every frequency; or where a std is told
        and nothing speaks against it.
    """
    dark = A.shown_noise(pixels.double(), OPPONENT) if min(pixels.shape[-2:]) >= 16 else None
    believed = told is not None and jpeg is None  # but where all channels have one noise
    if dark is None or (believed and (is_grey(pixels) or not one_for_all(visible(pixels)))):
        return None
    if jpeg is not None:
        errors = of_codes(jpeg, pixels).spectrum.double()
        dark = torch.maximum(dark, errors.square().mean((1, 2)).sqrt())
    elif told is not None:  # which may all lie in one direction
        dark = dark.clamp_max(3**0.5 * told)
    dark = dark.clamp_min(ROUNDING if told is None else told)

    # What cannot be whitened well counts as white, and no direction's noise for less than it is.
    if float(dark.max()) <= ALIKE * float(dark.min()):
        return NoiseModel.white(float(dark.square().mean().sqrt()))
    if not isinstance(A, SpectralOperator):
        return NoiseModel.white(float(dark.max()))
    spectrum = dark[:, None, None].expand(3, FREQUENCIES, FREQUENCIES).clone()
    return NoiseModel(spectrum, torch.ones(BRIGHTNESSES), OPPONENT)
