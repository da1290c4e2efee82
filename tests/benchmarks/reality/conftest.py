"""Small folders of pairs."""

import pytest
import torch

from benchmarks.reality.pairs import Photo
from gdp.picture import picture_of, to_image
from tests.photos import astronaut


@pytest.fixture
def clean():
    """A clean photo."""
    return Photo("face", "even", to_image(astronaut(48)))


@pytest.fixture
def folder(tmp_path, clean):
    """Three pairs in white noise, and one with a kernel and a smaller photo."""
    noisy = tmp_path / "pairs" / "noise_made"
    soft = tmp_path / "pairs" / "blur_made"
    noisy.mkdir(parents=True)
    soft.mkdir()

    chance = torch.Generator().manual_seed(0)
    for name in "abc":
        y = clean.pixels + 0.08 * torch.randn(clean.pixels.shape, generator=chance)
        picture_of(y).save(noisy / f"{name}_in.png")
        picture_of(clean.pixels).save(noisy / f"{name}_gt.png")

    kernel = torch.zeros(1, 1, 5, 5)
    kernel[..., 2, :] = 1
    for ending in ("in", "gt"):
        picture_of(clean.pixels).save(soft / f"k_{ending}.png")
    picture_of(clean.pixels[..., ::2, ::2]).save(soft / "k_lr2.png")
    picture_of(kernel).convert("L").save(soft / "k_kernel.png")
    return tmp_path / "pairs"
