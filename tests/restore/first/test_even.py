"""Holes in what is even are filled smoothly, and others as the sampler has them."""

import importlib

import pytest
import torch

import gdp
from gdp.restore.first.even import DEEP, even_fill

even = importlib.import_module("gdp.restore.first.even")


def slope(size=64):
    """A surface [1, 3, size, size] of little curvature."""
    u = torch.linspace(0, 1, size)
    plane = 0.3 + 0.3 * u[:, None] + 0.2 * u[None] * u[:, None]
    return torch.stack([plane, plane * 0.8, plane * 0.6])[None]


def holed(size=64, rows=slice(20, 34), columns=slice(22, 36)):
    known = torch.ones(size, size, dtype=torch.bool)
    known[rows, columns] = False
    return known


def test_an_even_surface_is_filled_as_it_was():
    x, known = slope(), holed()
    fill = even_fill(torch.where(known, x, torch.ones(())), known)
    assert (fill.share[~known] == 1).all() and (fill.share[known] == 0).all()
    assert (fill.picture - x).abs().max() < 1e-3
    assert torch.equal(fill.picture[..., known], x[..., known])


def test_what_its_surroundings_do_not_tell_is_left():
    noise = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert even_fill(noise, holed()) is None
    x = slope()
    side = int(2 * DEEP + 4)
    assert even_fill(x, holed(rows=slice(4, 4 + side), columns=slice(4, 4 + side))) is None
    assert even_fill(x, torch.ones(64, 64, dtype=torch.bool)) is None
    assert even_fill(x, torch.zeros(64, 64, dtype=torch.bool)) is None


def test_each_hole_is_judged_by_itself():
    x = slope()
    x[..., 40:] = torch.rand(3, 64, 24, generator=torch.Generator().manual_seed(0))
    known = holed(rows=slice(20, 26), columns=slice(8, 14)) & holed(columns=slice(48, 54))
    share = even_fill(x, known).share
    assert (share[20:26, 8:14] == 1).all() and (share[:, 40:] == 0).all()


def test_too_much_to_solve_for_is_left(monkeypatch):
    monkeypatch.setattr(even, "LARGEST", 100)
    assert even_fill(slope(), holed()) is None


def test_inpaint_fills_a_wall_so_unless_another_drawing_is_asked_for():
    x, known = slope(), holed()
    mask, given = ~known, torch.where(known, x, torch.ones(()))[0]

    def error(**settings):
        result = gdp.restore(given, task="inpaint", mask=mask, **settings).pixels
        assert torch.allclose(result[0, 0][:, known], x[0][:, known], atol=1e-6)
        return float((result[0, 0] - x[0])[:, ~known].square().mean().sqrt())

    wall = error()
    assert wall < 1e-3
    for settings in ({"holes": "smooth"}, {"sampler": "ddnm", "steps": 5}, {"detail": 0.5}):
        assert error(**settings) > 3 * wall


@pytest.mark.parametrize("order", [1, 2])
def test_the_smoothest_surface_meets_its_equation(order):
    x, known = slope(24).double(), holed(24, slice(8, 15), slice(9, 16))
    values = x[0].permute(1, 2, 0).numpy()
    out = even.smoothest(values, (~known).numpy(), order)
    L = even.laplacian(torch.ones(24, 24, dtype=torch.bool).numpy())
    for _ in range(order):
        out = (L @ out.reshape(576, 3)).reshape(24, 24, 3)
    assert abs(out[~known.numpy()]).max() < 1e-9
