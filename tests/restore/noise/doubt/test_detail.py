"""Noise stands out where a photo is plain; detail that each tile has is a photo's own."""

import torch
import torch.nn.functional as F

import gdp
from gdp.picture import to_model
from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.doubt.detail import marks, stands_out, unclipped
from gdp.restore.noise.doubt.evidence import claimed_of
from gdp.restore.noise.model import OPPONENT
from operators.coded.compressed import Compressed
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.noise.whitening import Whitening

SIZE = 128


def blotches(std) -> NoiseModel:
    """Noise that falls with frequency, as a camera's does."""
    n = torch.arange(32)
    spectrum = 0.1 / (1 + torch.maximum(n[:, None], n) / 6)
    return NoiseModel(spectrum.expand(3, 32, 32), torch.ones(17), OPPONENT).scaled(std)


def noise_of(model):
    W = Whitening(2 * model.at(SIZE, SIZE), None, OPPONENT)
    return W.inverse(W.sigma * Noise([0]).like(torch.empty(1, 3, SIZE, SIZE)))


def slope():
    """A photo [1, 3, SIZE, SIZE] without detail."""
    return torch.linspace(-0.7, 0.7, SIZE).expand(1, 3, SIZE, SIZE)


def coded():
    return Compressed(Identity(), JPEG(95), 0.01, torch.zeros(3, 8, 8))


def test_noise_of_a_plain_photo_stands_out():
    model, x = blotches(0.03), slope()
    y = x + noise_of(model)
    found = marks(y, x, model, claimed_of(model, Identity(), y))
    assert found.plain < 0.1 and 0.8 < found.busy < 1.5
    for share in (found.most, found.low, found.middle, found.finest):
        assert 0.7 < share < 1.3
    assert stands_out(y, x, model, Identity()) > 0.98
    assert stands_out(y, x, model, coded()) > 0.8


def test_detail_in_every_tile_hides_what_is_claimed():
    """As much of it is taken, beside three times as much that stays, or half of it is."""
    model, x = blotches(0.03), slope()
    n = noise_of(model)
    detail = 3 * n.flip(-1).mean(1, keepdim=True)
    shares = [
        stands_out(photo + n, photo + left * n, model, Identity())
        for photo, left in ((x, 0.0), (x + detail, 0.0), (x + detail, 0.5), (x + detail, 0.8))
    ]
    assert shares[0] > 0.98 and shares[1] < 0.7 and shares[2] < 0.05
    assert shares == sorted(shares, reverse=True)


def test_noise_is_measured_at_its_brightness():
    """Twice as loud in the bright half, it is as it was claimed in both."""
    model = blotches(0.03)
    curve = torch.where(torch.arange(17) > 8, 4 / 3, 2 / 3)
    uneven = NoiseModel(model.spectrum, curve, OPPONENT)
    x = torch.where(torch.arange(SIZE) < SIZE // 2, -0.5, 0.5).expand(1, 3, SIZE, SIZE)
    y = x + noise_of(model) * torch.where(x > 0, 4 / 3, 2 / 3)
    even = marks(y, x, uneven, claimed_of(uneven, Identity(), y))
    assert even.busy < 0.85 * marks(y, x, model, claimed_of(model, Identity(), y)).busy


def test_what_is_clipped_has_no_noise_to_tell_by():
    y = torch.zeros(1, 3, 64, 64)
    y[..., :32, :] = 1.0
    y[..., -16:, :] = -1.0
    kept = unclipped(y).view(8, 8)
    assert not kept[:4].any() and kept[4:6].all() and not kept[6:].any()
    assert unclipped(torch.ones(1, 3, 64, 64)).all()

    # A red that is full is not white.
    red = to_model(torch.tensor([1.0, 0.1, 0.1])).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    assert unclipped(red).all()


def leaves():
    """Small discs that cover each other, of all sizes and colours: [1, 3, SIZE, SIZE] in [0, 1]."""
    random, n = torch.Generator().manual_seed(2), 2 * SIZE
    x, place = torch.zeros(1, 3, n, n), torch.arange(n)
    for _ in range(9000):
        row, column = (torch.rand(2, generator=random) * n).tolist()
        radius = 2 * 5 ** float(torch.rand(1, generator=random))
        grey = torch.rand(1, generator=random) * 0.6 + 0.2
        colour = (grey + (torch.rand(3, generator=random) - 0.5) * 0.25).clamp(0, 1)
        disc = (place[:, None] - row) ** 2 + (place - column) ** 2 < radius**2
        x[0, :, disc] = colour[:, None]
    return F.avg_pool2d(x, 2)


def test_a_photo_full_of_texture_keeps_it():
    """A third of the change is left that a restoration with its "noise" would make."""
    y = (leaves() * 255).round() / 255
    after = gdp.restore(y[0], task="denoise", sigma_y="auto").pixels.view_as(y)
    assert (after - y).square().mean().sqrt() < 0.006
