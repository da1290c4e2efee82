"""A phone's camera, simulated: from a clean photo to the JPEG that the phone would have written.

    raw   = CFA( (M^-1 linear(sRGB)) / gains )          unprocessing (Brooks et al., CVPR 2019)
    raw'  = shot Poisson(raw / shot) + read N(0, 1)     photons, and the sensor's electronics
    photo = JPEG( sRGB( M demosaic(gains raw') ) )      Malvar et al. (2004), or bilinear

shot and read are in units of the raw's full scale. Gains are drawn by the seed as in that paper;
M comes from a phone's published matrix. No sharpening, denoising or tone curve of a maker's own.
"""

import io
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from operators.missing.demosaic import bilinear, malvar
from operators.missing.mosaic import Mosaic

# Linear sRGB to XYZ (IEC 61966-2-1), and XYZ to the camera of a phone (LG Nexus 5X, its DNGs)
SRGB_TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
XYZ_TO_CAMERA = [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.097, 0.1581, 0.5181]]


class Strength(NamedTuple):
    """How bad the light was.

    Attributes:
        shot: variance of the raw's photon noise at full scale, in full scales squared.
        read: std of its noise in the dark, in full scales.
        quality: of the JPEG.
    """

    shot: float
    read: float
    quality: int


STRENGTHS = {"mild": Strength(6e-4, 0.0025, 92), "strong": Strength(0.003, 0.006, 88)}


def phone(
    clean: Tensor, strength: str = "mild", seed: int = 0, demosaic: str = "malvar"
) -> np.ndarray:
    """Take a photo of a clean picture.

    Args:
        clean: [3, H, W] in [0, 1], sRGB; an odd last row or column is left out.
        strength: mild or strong.
        seed: of the gains and the noise.
        demosaic: malvar or bilinear.

    Returns:
        The decoded JPEG [H, W, 3], uint8.

    Raises:
        ValueError: there is no such strength or way of demosaicking, or the picture is too small.
    """
    with Image.open(io.BytesIO(phone_file(clean, strength, seed, demosaic))) as file:
        return np.asarray(file.convert("RGB"))


def phone_file(
    clean: Tensor, strength: str = "mild", seed: int = 0, demosaic: str = "malvar"
) -> bytes:
    """The JPEG that `phone` decodes."""
    if strength not in STRENGTHS or demosaic not in DEMOSAICS or min(clean.shape[-2:]) < 8:
        raise ValueError(
            f"got strength={strength}, demosaic={demosaic} and a picture {tuple(clean.shape)}; "
            f"choose of {', '.join(STRENGTHS)} and {', '.join(DEMOSAICS)}, and 8 pixels or more"
        )
    pixels = develop(clean, STRENGTHS[strength], seed, demosaic)
    return jpeg(pixels, STRENGTHS[strength].quality)


def develop(
    clean: Tensor, strength: Strength | None, seed: int = 0, demosaic: str = "malvar"
) -> Tensor:
    """The picture [3, H, W] in [0, 1] before its JPEG; without a strength, one without noise."""
    chance = np.random.default_rng(seed)
    gains = draw_gains(chance)

    # Into the sensor and out of it
    raw = mosaic(unprocess(clean.detach().cpu().double(), gains))
    raw = raw if strength is None else expose(raw, strength, chance)
    balanced = raw * (sites(*raw.shape) * gains.view(3, 1, 1)).sum(0)
    filters = sites(*balanced.shape)[None]
    return process(DEMOSAICS[demosaic](balanced[None, None], filters)[0])


def jpeg(pixels: Tensor, quality: int) -> bytes:
    """The JPEG of [3, H, W] in [0, 1], its colours at half the resolution."""
    file, shown = io.BytesIO(), (255 * pixels).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(shown).save(file, "jpeg", quality=quality)
    return file.getvalue()


def draw_gains(chance: np.random.Generator) -> Tensor:
    """Draw the gains [3] that white balance and exposure multiply the raw colours with."""
    exposure = 1 / min(max(chance.normal(0.8, 0.1), 0.5), 1.0)
    red, blue = chance.uniform(1.9, 2.4), chance.uniform(1.5, 1.9)
    return exposure * torch.tensor([red, 1.0, blue], dtype=torch.float64)


def camera_matrix() -> Tensor:
    """The matrix [3, 3] from linear sRGB to the camera's colours; white stays white."""
    matrix = torch.tensor(XYZ_TO_CAMERA).double() @ torch.tensor(SRGB_TO_XYZ).double()
    return matrix / matrix.sum(1, keepdim=True)


def unprocess(pixels: Tensor, gains: Tensor) -> Tensor:
    """What each filter would see [3, H, W] of an sRGB picture."""
    linear = torch.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    return torch.einsum("ij,jhw->ihw", camera_matrix(), linear) / gains.view(3, 1, 1)


def process(camera: Tensor) -> Tensor:
    """sRGB in [0, 1] of a balanced and demosaicked raw [3, H, W]."""
    linear = torch.einsum("ij,jhw->ihw", camera_matrix().inverse(), camera.clamp(0, 1)).clamp(0, 1)
    return torch.where(
        linear <= 0.0031308, 12.92 * linear, 1.055 * linear.clamp_min(1e-9) ** (1 / 2.4) - 0.055
    ).clamp(0, 1)


def expose(raw: Tensor, strength: Strength, chance: np.random.Generator) -> Tensor:
    """Add photon noise, of variance shot * raw, and read noise; the sensor saturates at 1.

    Values below 0 stay: cameras store a black level.
    """
    photons = chance.poisson(raw.clamp_min(0).numpy() / strength.shot) * strength.shot
    noisy = photons + strength.read * chance.standard_normal(raw.shape)
    return torch.from_numpy(noisy).clamp(max=1)


def sites(height: int, width: int) -> Tensor:
    """Which filter [3, H, W] lies on each pixel: red, green; green, blue."""
    return Mosaic().filters(torch.empty(1, 1, height, width, dtype=torch.float64))[0]


def mosaic(camera: Tensor) -> Tensor:
    """What a Bayer sensor [H, W] sees of [3, H, W]; an odd last row or column is left out."""
    even = camera[:, : camera.shape[1] // 2 * 2, : camera.shape[2] // 2 * 2]
    return (even * sites(*even.shape[1:])).sum(0)


DEMOSAICS = {"malvar": malvar, "bilinear": bilinear}
