"""The examples of docs/measurements.md: operators that keep their contract, and what they gain."""

import pytest

import gdp
from benchmarks.measures.measurements import noisy, psnr, scene, spectrum
from benchmarks.measures.measuring import Coils, FilterMosaic, Radon, SinglePixel

pytest.importorskip("skimage")
SIDE = 32


@pytest.mark.parametrize(
    ("A", "name", "sigma", "gain"),
    [
        (Coils(SIDE, share=0.4), "shepp_logan_phantom", 0.02, 4.0),
        (Coils(SIDE, coils=4), "camera", 0.02, 1.5),
        (Radon(SIDE, 15), "shepp_logan_phantom", 0.3, 3.0),
        (SinglePixel(SIDE), "camera", 0.02, 6.0),
    ],
)
def test_gain_over_least_squares(A, name, sigma, gain):
    x = scene(name, SIDE)
    result = gdp.restore(y=noisy(A, x, sigma), operator=A, sigma_y=sigma)
    assert result.image.shape == x.shape
    assert psnr(result.image, x) > psnr(result.plain, x) + gain


def test_sixteen_bands():
    x, A = spectrum(SIDE), FilterMosaic()
    result = gdp.restore(y=noisy(A, x, 0.02), operator=A, sigma_y=0.02)
    assert result.image.shape == (1, 16, SIDE, SIDE)
    assert psnr(result.image, x) > psnr(result.plain, x) + 2


def test_back_projection_is_of_pixels():
    A, x = Radon(SIDE, 60), scene("shepp_logan_phantom", SIDE)
    assert psnr(A.filtered_back_projection(A(2 * x - 1)), x) > 17
