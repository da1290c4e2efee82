"""JPEG: agreement with Pillow, projection, the proximal map, tables of a photo's own file."""

import io

import pytest
import torch
from PIL import Image
from skimage import data

from gdp.picture import read, rounded
from operators.coded.jpeg import JPEG
from operators.tools.units import to_model, to_pixels
from samplers.anchored import Anchored
from samplers.auto import Auto
from tests.operators.pictures import CAT, RAMP, pixels
from tests.photos import astronaut


def saved(picture: torch.Tensor, **settings) -> io.BytesIO:
    """A picture [1, 3, H, W] in [0, 1] as the bytes of a JPEG."""
    file = io.BytesIO()
    array = (255 * picture[0].permute(1, 2, 0)).round().byte().numpy()
    Image.fromarray(array).save(file, "JPEG", **settings)
    return file


@pytest.mark.parametrize("quality", [5, 30, 75, 95])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_projects(quality, subsampling):
    A = JPEG(quality, subsampling)
    x, y = pixels(2, 3, 32, 48), A(pixels(2, 3, 32, 48))
    p = A.project(x, y)
    torch.testing.assert_close(A(p), y, atol=1e-4, rtol=0)
    torch.testing.assert_close(A.project(p, y), p, atol=1e-5, rtol=0)


@pytest.mark.parametrize("subsampling, exact", [(0, (24, 40)), (2, (24, 31))])
def test_jpeg_projects_whole_blocks_of_odd_sizes(subsampling, exact):
    A = JPEG(10, subsampling)
    x, y = pixels(1, 3, 31, 41), A(pixels(1, 3, 31, 41))
    p = A.project(x, y)
    torch.testing.assert_close(A.project(p, y), p, atol=1e-5, rtol=0)
    torch.testing.assert_close(
        A(p)[..., : exact[0], : exact[1]], y[..., : exact[0], : exact[1]], atol=1e-4, rtol=0
    )
    assert torch.equal(A.project(x, y)[..., 24:, 40:], p[..., 24:, 40:])


def test_jpeg_projection_is_the_nearest():
    A = JPEG(20, subsampling=0)
    x, z = pixels(1, 3, 16, 16), pixels(1, 3, 16, 16)
    p = A.project(x, A(z))
    distance = [
        sum((a - b).square().sum() for a, b in zip(A.planes(x), A.planes(q), strict=True))
        for q in (p, z)
    ]
    inner = sum(
        ((a - b) * (c - b)).sum()
        for a, b, c in zip(A.planes(x), A.planes(p), A.planes(z), strict=True)
    )
    assert distance[0] < distance[1]
    assert (
        inner <= 1e-2 * distance[0]
    )  # <x - p, z - p> <= 0 for every z of a convex cell, but for the hair inside its wall


@pytest.mark.parametrize("quality, subsampling", [(10, 2), (30, 0), (60, 1)])
def test_jpeg_prox_draws_towards_y(quality, subsampling):
    A, x = JPEG(quality, subsampling), astronaut(48)
    y = A(x)
    rough = (x + 0.2 * torch.randn_like(x)).clamp(-1, 1)
    weak, strong = (A.prox(rough, y, rho) for rho in (1e2, 1e-8))
    error = [(z - x).square().mean() for z in (rough, weak, strong, y)]
    assert error[2] < error[0] and (weak - rough).square().mean() < (strong - rough).square().mean()
    assert (strong - y).square().mean() < (weak - y).square().mean()
    torch.testing.assert_close(A.prox(x, y, 1e12), x, atol=1e-4, rtol=0)
    assert A.sigma_y > 0 and isinstance(Auto().for_operator(A), Anchored)


@pytest.mark.parametrize("size", [(64, 64), (61, 43)])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [5, 10, 30, 50, 75, 95])
def test_jpeg_is_pillows(quality, subsampling, size, tmp_path):
    photo = read(CAT).pixels[..., : size[0], : size[1]]
    (tmp_path / "photo.jpg").write_bytes(
        saved(photo, quality=quality, subsampling=subsampling).getvalue()
    )
    decoded = read(tmp_path / "photo.jpg").pixels
    A, from_file = JPEG(quality, subsampling), JPEG(tables=str(tmp_path / "photo.jpg"))
    assert torch.equal(A.steps, from_file.steps) and A.factors == from_file.factors
    assert 255 * (rounded(to_pixels(A(to_model(photo)))) - decoded).abs().mean() < 1.6
    moved = to_pixels(A.project(to_model(photo), to_model(decoded))) - photo
    assert (
        255 * moved.abs().mean() < 0.25
    )  # the photo lies in its file's cell, up to the file's rounding to 8 bits


def test_jpeg_of_a_grey_file(tmp_path):
    Image.fromarray(RAMP).save(tmp_path / "grey.jpg", quality=30)
    y = JPEG(tables=str(tmp_path / "grey.jpg"))(pixels(1, 3, 9, 12))
    torch.testing.assert_close(y, y[:, :1].expand_as(y), atol=1e-4, rtol=0)


def test_jpeg_takes_the_tables_of_its_own_file(tmp_path):
    picture = Image.fromarray(data.astronaut()[:64, :64])
    picture.save(tmp_path / "a.jpg", quality=23, subsampling=1)
    A = JPEG(tables="input").for_file(tmp_path / "a.jpg")
    B = JPEG(quality=23, subsampling=1)
    assert (
        torch.equal(A.steps, B.steps)
        and A.factors == B.factors
        and A.describe(astronaut())["subsampling"] == [1, 2]
    )
    assert JPEG().for_file(tmp_path / "none.png").steps.any()
    picture.save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="JPEG"):
        JPEG(tables="input").for_file(tmp_path / "a.png")


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: JPEG(0), "1 to 100"),
        (lambda: JPEG(50.5), "1 to 100"),
        (lambda: JPEG(50, 3), "4:2:0"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
