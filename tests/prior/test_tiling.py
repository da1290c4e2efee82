"""Tiles of a picture: any size, seamless where the network is, about once over the pixels."""

import itertools
import math

import pytest
import torch

from gdp.compose.configuration import build, compose, make
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.prior import Prior
from gdp.prior.schedule import SPACINGS, Schedule, betas
from gdp.prior.tiling import TiledPrior
from operators.identity import Identity
from operators.missing.mask import Mask
from operators.size.avgpool import AvgPool
from operators.size.crop import Crop
from samplers.anchored import Anchored
from samplers.dps import DPS, residual_gradient
from tests.conftest import sampler_of
from tests.prior.test_prior import tiny

SIZES = [(1, 1), (3, 2000), (61, 83), (257, 255)]
MODES = {"windows": {"overlap": 24, "moving": False}, "shifted": {"overlap": 8, "moving": True}}


class Counting(torch.nn.Module):
    """A network that costs nothing, and remembers the shapes it was given."""

    def __init__(self, divisor=8, bears=10**9):
        super().__init__()
        self.divisor, self.bears, self.shapes = divisor, bears, []

    def forward(self, x, timesteps, labels):
        if x.numel() > self.bears:
            raise RuntimeError(
                "DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"
            )
        self.shapes.append(tuple(x.shape))
        return torch.cat([0.5 * x, -x], 1)


def counting(**more):
    return Prior(Counting(**more), betas())


def tiled(prior, mode="shifted", tile=64, **more):
    return TiledPrior(prior, tile, **{**MODES[mode], **more})


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_changes_for_a_pixelwise_prior(mode, size):
    x = torch.randn(2, 3, *size)
    for prior in (GaussianPrior(0.1, 0.4), counting()):
        whole, parts = prior(x, 500), tiled(prior, mode)(x, 500)
        torch.testing.assert_close(parts.eps, whole.eps, atol=2e-6, rtol=1e-6)
        torch.testing.assert_close(parts.x0, whole.x0, atol=5e-5, rtol=1e-5)
        assert (parts.v is None) == (whole.v is None) and (
            parts.v is None or torch.allclose(parts.v, whole.v, atol=1e-5)
        )


@pytest.mark.parametrize(
    "name", ["auto", "daps", "ddrm", "dps", "gdp_linesearch", "gdp_xt", "reddiff"]
)
def test_samplers_in_tiles(name):
    A = AvgPool(2)
    y = A(torch.randn(2, 3, 40, 26)).clamp(-1, 1)
    x = [
        sampler_of(name, 3)(prior, A, y).x
        for prior in (GaussianPrior(0.1, 0.4), tiled(GaussianPrior(0.1, 0.4), tile=16, overlap=4))
    ]
    torch.testing.assert_close(x[1], x[0], atol=2e-3, rtol=0)


def test_small_pictures_are_whole():
    prior = counting()
    tiled(prior)(torch.zeros(1, 3, 61, 33), 5)
    tiled(prior, full=65 * 80)(torch.zeros(1, 3, 65, 80), 5)
    assert prior.net.shapes == [(1, 3, 64, 40), (1, 3, 72, 80)]


def test_pixels_that_the_network_sees():
    prior = counting()
    tiles = TiledPrior(prior)
    assert tiles.tile == 256
    seen = []
    for t in (3, 801):
        before = tiles.pixels
        tiles(torch.zeros(1, 1, 2268, 4032), t)
        seen.append((tiles.pixels - before) / (2268 * 4032))
    assert min(seen) > 1 and max(seen) <= 1.15 and tiles.calls == 2
    assert all(math.prod(s[-2:]) <= 1.3 * 256**2 for s in prior.net.shapes)


def test_tiles_share_calls_and_shrink_to_what_memory_bears():
    x = torch.randn(2, 3, 200, 130)
    expected = 0.5 * x
    prior = counting(bears=2 * 3 * 72 * 72)
    tiles = tiled(prior)
    tiles.budget.pixels[False] = 10**6
    for _ in range(2):
        eps = tiles(x, 10).eps
        torch.testing.assert_close(eps, expected, atol=1e-6, rtol=0)
    assert tiles.budget.pixels[False] < 10**5 and max(s[0] for s in prior.net.shapes) >= 2
    reference = tiled(counting())
    reference(x, 10)
    assert tiles.pixels == 2 * reference.pixels
    with pytest.raises(ValueError, match=r"smaller tiling\.tile"):
        tiled(counting(bears=100))(x, 10)
    fallen = tiled(counting(bears=3 * 72 * 72), full=10**6)
    torch.testing.assert_close(fallen(x, 10).eps, expected, atol=1e-6, rtol=0)
    assert fallen.full == 0 and fallen.pixels == reference.pixels
    with pytest.raises(RuntimeError, match="another"):
        tiled(Prior(Raising(), betas()))(x, 10)


class Raising(torch.nn.Module):
    """A network with a fault of its own."""

    def forward(self, x, timesteps, labels):
        raise RuntimeError("another fault")


def test_images_do_not_depend_on_their_batch():
    tiles, x = tiled(Prior(tiny(), betas()), tile=24, overlap=4), torch.randn(3, 3, 40, 50)
    torch.testing.assert_close(tiles(x, 400).eps[1:2], tiles(x[1:2], 400).eps, atol=1e-5, rtol=1e-4)


def test_gradients_through_tiles():
    """As without tiles for a pixelwise network; those of a real one fit what the tiles compute."""
    A, y = Identity(), torch.zeros(1, 3, 70, 90)
    x = torch.randn(1, 3, 70, 90)
    pulls = [
        residual_gradient(prior, x, 300, A, y)[2]
        for prior in (counting(), tiled(counting(), tile=32))
    ]
    torch.testing.assert_close(pulls[1], pulls[0], atol=1e-6, rtol=1e-4)
    tiles = tiled(Prior(tiny().double(), betas()), tile=16, overlap=4)
    x = torch.randn(1, 3, 20, 30, dtype=torch.float64).requires_grad_()
    direction = torch.randn_like(x)
    (g,) = torch.autograd.grad(tiles(x, 300).x0.square().sum(), x)
    with torch.no_grad():
        up, down = (float(tiles(x + h * direction, 300).x0.square().sum()) for h in (1e-5, -1e-5))
    assert float((g * direction).sum()) == pytest.approx((up - down) / 2e-5, rel=1e-4)
    out = DPS(schedule=Schedule(3))(
        tiled(Prior(tiny(), betas()), tile=16, overlap=4), AvgPool(2), torch.zeros(1, 3, 10, 15)
    ).x
    assert out.isfinite().all()


def hole(H, W, rows, columns):
    """A mask that loses a rectangle."""
    kept = torch.ones(1, 1, H, W)
    kept[..., slice(*rows), slice(*columns)] = 0
    return Mask(kept)


def test_tiles_without_holes_cost_nothing():
    """The network sees the hole's own tiles alone; so it is with what a crop adds at an edge."""
    y, prior = torch.rand(1, 3, 256, 320) - 0.5, tiled(counting())
    A = hole(256, 320, (20, 30), (300, 310))
    Anchored(schedule=Schedule(10))(prior, A, A(y))
    assert 0 < prior.pixels / (10 * 256 * 320) < 0.12
    wide, cropped = tiled(counting()), Crop([0, 0, 0, 4])
    Anchored(schedule=Schedule(10))(wide, cropped, y)
    assert wide.pixels / (10 * 256 * 324) < 0.4
    noisy, A.sigma_y = tiled(counting()), 0.1
    Anchored(schedule=Schedule(10))(noisy, A, A(y))
    assert noisy.pixels > 10 * 256 * 320 and noisy.known is None


@pytest.mark.parametrize(
    "name",
    [
        "anchored",
        "ddnm",
        "ddrm",
        "diffpir",
        "dps",
        "gdp_linesearch",
        "gdp_xt",
        "pigdm",
        "repaint",
        "reddiff",
    ],
)
def test_known_tiles_stay_known(name):
    """A prior that errs grossly changes nothing where y holds the truth; holes are its own."""
    A, y = hole(96, 96, (70, 80), (70, 80)), torch.rand(1, 3, 96, 96) - 0.5
    x = sampler_of(name, 10)(tiled(Prior(tiny(), betas()), tile=32, overlap=4), A, A(y)).x
    assert x.isfinite().all() and (x - y)[..., :32, :32].abs().max() < (
        1e-4 if name in ("anchored", "ddnm", "repaint") else 0.2
    )


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("steps", [10, 18, 50, 100])
def test_seams_move_at_every_step(spacing, steps):
    """Along any schedule they come by everywhere in their range, and do not stay."""
    tiles, x = tiled(counting()), torch.zeros(1)
    times = Schedule(steps, spacing=spacing).times(1000)
    for k in (0.7548776662466927, 0.5698402909980532):
        seams = [tiles.spans(1000, t, k, x)[3].start for t in times]
        step = tiles.spans(1000, 1, k, x)[3].start - tiles.spans(1000, 1, k, x)[2].start
        lowest, highest = min(seams), max(seams)
        assert highest - lowest <= step / 2 + 1
        gaps = [b - a for a, b in itertools.pairwise(sorted(seams))]
        assert highest - lowest > step / 4 and max(gaps) <= step / 4
    fixed = tiled(counting(), "windows")
    assert fixed.spans(1000, 3, 0.7, x)[3].start == fixed.spans(1000, 700, 0.7, x)[3].start


def test_a_tiled_network_is_near_the_whole_one(photo64):
    """On a photo-like picture in 64-pixel tiles."""
    torch.manual_seed(1)
    x = torch.nn.functional.interpolate(torch.randn(1, 3, 8, 8), (96, 96), mode="bicubic") * 0.5
    x = photo64.a(300) ** 0.5 * x + (1 - photo64.a(300)) ** 0.5 * torch.randn_like(x)
    with torch.no_grad():
        whole, parts = photo64(x, 300).eps, TiledPrior(photo64, 64)(x, 300).eps
    assert float((parts - whole).square().mean().sqrt()) < 0.1


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("none", Prior), ("windows", TiledPrior), ("shifted", TiledPrior), ("auto", TiledPrior)],
)
def test_modes_of_the_command_line(mode, kind):
    setup = build(compose(f"tiling={mode}", "device=cpu"))
    prior = setup.load_prior()
    assert (
        type(prior) is kind
        and prior.T == 1000
        and prior.source["file"] == "photo64.safetensors"
        and prior.device.type == "cpu"
    )
    assert setup.config["tiling"]["_target_"].startswith("gdp.tiling")


def test_refusals():
    for wrong, says in (
        ({"tile": 4}, "8 or more"),
        ({"tile": 64, "overlap": 40}, "half"),
        ({"overlap": -1}, "0 or more"),
    ):
        with pytest.raises(ValueError, match=says):
            TiledPrior(counting(), **wrong)
    with pytest.raises(ValueError, match="whole number"):
        make(compose("tiling=shifted", "tiling.tile=10.5").tiling)(counting())


def test_odd_sizes_enlarge_exactly():
    for size in SIZES[:3]:
        y = torch.zeros(1, 3, *size)
        assert Anchored(schedule=Schedule(2))(tiled(GaussianPrior()), AvgPool(4), y).x.shape == (
            1,
            3,
            4 * size[0],
            4 * size[1],
        )
