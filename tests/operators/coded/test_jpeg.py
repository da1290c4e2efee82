"""JPEG: its proximal map, and the tables of a photo's own file."""

import pytest
import torch
from PIL import Image
from skimage import data

from operators.coded.jpeg import JPEG
from samplers.anchored import Anchored
from samplers.auto import Auto
from tests.photos import astronaut


@pytest.mark.parametrize("quality, subsampling", [(10, 2), (30, 0), (60, 1)])
def test_jpeg_prox_draws_towards_y(quality, subsampling):
    A, x = JPEG(quality, subsampling), astronaut(48)
    y = A(x)
    rough = (x + 0.2 * torch.randn_like(x)).clamp(-1, 1)
    weak, strong = (A.prox(rough, y, rho) for rho in (1e2, 1e-8))
    error = [(z - x).square().mean() for z in (rough, weak, strong, y)]
    assert error[2] < error[0] and (weak - rough).square().mean() < (strong - rough).square().mean()
    assert (strong - y).square().mean() < (weak - y).square().mean()
    torch.testing.assert_close(A.prox(x, y, 1e12), A.project(x, y), atol=1e-4, rtol=0)
    assert A.sigma_y > 0 and isinstance(Auto().for_operator(A), Anchored)


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
