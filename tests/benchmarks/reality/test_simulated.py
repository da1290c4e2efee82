"""Sets that are made hold what their names say."""

import pytest
import torch

from benchmarks.reality.pairs import Crops
from benchmarks.reality.scores import gradients
from benchmarks.reality.simulated import SETS, clean_photos, simulate
from gdp.picture import read


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_made_and_is_the_same_again(name, clean, tmp_path):
    (pair,) = simulate(name, [clean], tmp_path)
    (again,) = simulate(name, [clean], tmp_path)
    assert pair.photo.shape == pair.truth.shape and torch.equal(pair.photo, again.photo)
    given = pair.given[None] if isinstance(pair.given, torch.Tensor) else read(pair.given).pixels
    assert torch.equal(given, pair.photo)


def test_noise_has_the_std_of_the_name(clean, tmp_path):
    for name, sigma in (("white_0.1", 0.1), ("grey_0.05", 0.05)):
        (pair,) = simulate(name, [clean], tmp_path)
        noise = pair.photo - pair.truth
        assert float(noise.std()) == pytest.approx(sigma, rel=0.05)
        grey = torch.equal(noise, noise[:, :1].expand_as(noise))
        assert grey == name.startswith("grey")


def test_soft_ones_are_softer_and_sharp_ones_are_jpegs(clean, tmp_path):
    (softer,), (soft,), (sharp,) = (
        simulate(name, [clean], tmp_path) for name in ("soft_1.5", "soft_0.5", "sharp_95")
    )
    energies = [gradients(p.photo) for p in (softer, soft, sharp)]
    assert energies[0] < 0.7 * energies[1] < 0.7 * energies[2]
    assert sharp.given.suffix == ".jpg"


def test_photos_without_a_folder_are_public_ones(tmp_path):
    photos = clean_photos(None, Crops(tmp_path, 64), 3)
    assert [p.half for p in photos] == ["even", "odd", "even"]
    assert {tuple(p.pixels.shape) for p in photos} == {(1, 3, 64, 64)}


def test_unknown_sets_are_refused(clean, tmp_path):
    with pytest.raises(ValueError, match="no set named rain_1; there are phone_mild"):
        simulate("rain_1", [clean], tmp_path)
