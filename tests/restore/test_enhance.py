"""Losses for quality, JPEG's proximal map, scratches, strength, several exposures: what the tasks of enhancement stand on."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from skimage import data

from gdp.compose.configuration import compose, make
from gdp.picture.image import read, to_image, to_model
from gdp.prior.gaussian import GaussianPrior
from operators.coded.jpeg import JPEG
from operators.compose import Compose
from operators.identity import Identity
from operators.missing.oldphoto import FoundMask, old_photo
from operators.missing.scratches import scratched
from samplers.anchored import Anchored
from samplers.auto import Auto
from samplers.gdp_x0 import GDPx0
from samplers.guide import losses
from samplers.guide.guidance import Guidance
from tests.test_cli import cli, files  # noqa: F401

TERMS = [
    "fidelity_l1",
    "fidelity_ssim",
    "exposure",
    "colour_constancy",
    "spatial_consistency",
    "saturation",
    "total_variation",
]


def photo(size=64):
    """A corner of a public-domain photo [1, 3, size, size] in [-1, 1]."""
    return to_model(
        torch.from_numpy(data.astronaut()[:size, 150 : 150 + size]).float().permute(2, 0, 1)[None]
        / 255
    )


@pytest.mark.parametrize("name", [*TERMS, "illumination_smoothness"])
def test_terms(name):
    term, A = getattr(losses, name), Identity()
    x = (1.2 * photo()).requires_grad_()
    y = 0.5 * photo().flip(-1) - 0.3
    value = term(x, y, A)
    assert value.shape == (1,) and value.isfinite().all() and value >= 0
    both = term(torch.cat([x, y]), torch.cat([y, y]), A)
    torch.testing.assert_close(both[:1], value)
    if name in TERMS:
        (g,) = torch.autograd.grad(value.sum(), x)
        assert g.isfinite().all() and g.any()
        assert term(x - 1e-2 * g / g.abs().max(), y, A) < value
    value = value.detach()
    wide = term(torch.cat([x, x], -1).detach(), torch.cat([y, y], -1), A)
    if name not in (
        "spatial_consistency",
        "illumination_smoothness",
    ):  # there the seam counts, or nothing does
        assert abs(float(wide / value) - 2) < 0.1


def test_what_the_losses_like():
    x, A = photo(), Identity()
    assert losses.exposure(to_model(torch.full_like(x, 0.44)), x, A) < losses.exposure(
        x - 0.6, x, A
    )
    tinted = to_model(to_image(x) * torch.tensor([1.0, 0.8, 0.5]).view(1, 3, 1, 1))
    assert (
        losses.colour_constancy(to_model(to_image(x).mean(1, keepdim=True).expand_as(x)), x, A)
        < 1e-6
        < losses.colour_constancy(tinted, x, A)
    )
    assert (
        losses.spatial_consistency(x, 0.2 * x - 0.7, A)
        < 1e-3
        < losses.spatial_consistency(x.flip(-1), x, A)
    )
    assert losses.saturation(x.clamp(-1, 1), x, A) == 0


def test_quality_terms_reach_every_kind_of_sampler():
    guidance = make(
        compose(
            "guidance=quality",
            "guidance.terms.colour_constancy.0=30.0",
            "guidance.terms.total_variation.0=0.0",
        ).guidance
    )
    quality = guidance.quality()
    assert list(quality.terms) == ["colour_constancy"] and Guidance().quality() is None
    y = photo() * torch.tensor([1.0, 0.6, 0.2]).view(1, 3, 1, 1)
    A = Identity()
    A.sigma_y = 0.3

    def colour(sampler):
        return losses.colour_constancy(sampler(GaussianPrior(), A, y, [0]).x, y, A)

    assert colour(Anchored(quality=quality)) < 0.9 * colour(Anchored())
    assert colour(GDPx0(guidance=guidance)) < colour(GDPx0())
    chosen = Auto(guidance=guidance).choose(A)
    assert isinstance(chosen, Anchored) and chosen.quality.terms.keys() == quality.terms.keys()


@pytest.mark.parametrize("quality, subsampling", [(10, 2), (30, 0), (60, 1)])
def test_jpeg_prox_draws_towards_y(quality, subsampling):
    A, x = JPEG(quality, subsampling), photo(48)
    y = A(x)
    rough = (x + 0.2 * torch.randn_like(x)).clamp(-1, 1)
    weak, strong = (A.prox(rough, y, rho) for rho in (1e2, 1e-8))
    error = [(z - x).square().mean() for z in (rough, weak, strong, y)]
    assert error[2] < error[0] and (weak - rough).square().mean() < (strong - rough).square().mean()
    assert (strong - y).square().mean() < (weak - y).square().mean()
    torch.testing.assert_close(A.prox(x, y, 1e12), A.project(x, y), atol=1e-4, rtol=0)
    assert A.sigma_y > 0 and isinstance(Auto().choose(A), Anchored)


def test_jpeg_takes_the_tables_of_its_own_file(tmp_path):
    picture = Image.fromarray(data.astronaut()[:64, :64])
    picture.save(tmp_path / "a.jpg", quality=23, subsampling=1)
    A = JPEG(tables="input").for_file(tmp_path / "a.jpg")
    B = JPEG(quality=23, subsampling=1)
    assert (
        torch.equal(A.steps, B.steps)
        and A.factors == B.factors
        and A.describe(photo())["subsampling"] == [1, 2]
    )
    assert JPEG().for_file(tmp_path / "none.png").steps.any()
    picture.save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="JPEG"):
        JPEG(tables="input").for_file(tmp_path / "a.png")


def scratched_photo():
    """A grey photo with lines across, and where they are."""
    grey = Image.fromarray(data.camera()).resize((160, 160))
    lines = Image.new("L", grey.size)
    draw = ImageDraw.Draw(lines)
    draw.line([(10, 20), (150, 60)], 255, 2)
    draw.line([(90, 5), (100, 100)], 255, 2)
    marks = np.asarray(lines) > 0
    pixels = np.where(marks, 250, np.asarray(grey) * 0.7)
    return torch.from_numpy(pixels / 255).float()[None, None], torch.from_numpy(marks)[None, None]


def test_scratches_are_found():
    pixels, marks = scratched_photo()
    found = scratched(pixels) == 0
    assert (found & marks).sum() > 0.8 * marks.sum() and found.float().mean() < 0.12
    assert (
        scratched(torch.full((1, 1, 9, 7), 0.5)).all()
        and scratched(torch.rand(1, 1, 64, 64)).mean() > 0.5
    )


def test_old_photo_looks_for_scratches():
    pixels, marks = scratched_photo()
    A = old_photo(find=True)
    y = to_model(pixels)
    bound = A.bind(y)
    assert (
        isinstance(bound, Compose) and isinstance(bound.parts()[-1], FoundMask) and bound is not A
    )
    assert bound.describe(y)["scratched"] > 0.01 and bound.pictures(y).keys() == {
        "scratches"
    } == set(A.pictured)
    assert (bound.pinv(y)[:, :1][marks] == 0).float().mean() > 0.8
    assert old_photo(mask=torch.ones(1, 1, 4, 4), find=True).pictured == []


def test_strength(cli, cat):  # noqa: F811
    for strength in (1, 0.25, 0):
        assert (
            cli(
                "task=denoise",
                f"input={cat}",
                f"output=o{strength}",
                f"strength={strength}",
                "steps=3",
            )[0]
            == 0
        )
    full, part, none, given = (
        read(f).pixels for f in ("o1/cat.png", "o0.25/cat.png", "o0/cat.png", cat)
    )
    torch.testing.assert_close(part, given + 0.25 * (full - given), atol=0.02, rtol=0)
    assert torch.equal(none, given)
    assert cli("task=sr4", f"input={cat}", "output=o4", "strength=0", "steps=3")[0] == 0
    code, _, err = cli("task=denoise", f"input={cat}", "output=p", "strength=1.5")
    assert code == 2 and "strength=1.5" in err


def test_hdr_writes_a_picture_and_floats(cli, tmp_path):  # noqa: F811
    x = to_image(photo(32))
    for name, f in (("a", 1.6), ("b", 0.5), ("c", 0.15)):
        Image.fromarray((255 * (f * x[0]).clamp(max=1)).byte().permute(1, 2, 0).numpy()).save(
            tmp_path / f"{name}.png"
        )
    code, out, _ = cli(
        "task=hdr", "input=[a.png,b.png,c.png]", "output=o", "steps=3", "report=false"
    )
    assert (
        code == 0
        and files("o") == ["a.compare.png", "a.json", "a.png", "a.tiff"]
        and "o/a.tiff" in out
    )
    from tifffile import imread

    light = imread("o/a.tiff")
    assert (
        light.dtype == np.float32
        and light.shape == (32, 32, 3)
        and np.isfinite(light).all()
        and light.min() >= 0
    )
    report = json.loads(Path("o/a.json").read_text())
    f = report["operator"]["f"]
    assert abs(f[0] / f[2] / (1.6 / 0.15) - 1) < 0.15
    code, _, err = cli("task=hdr", "input=a.png", "output=p")
    assert code == 2 and "2 to 7" in err and not Path("p").exists()
    code, _, err = cli("task=hdr", "input=[a.png,b.png,c.png]", "output=o", "steps=3")
    assert code == 0 and "finished before" in err
    code, _, err = cli("task=hdr", "input=[a.png,b.png]", "output=o", "steps=3")
    assert code == 2 and "exists" in err


def test_black_photo(cli, tmp_path):  # noqa: F811
    Image.new("RGB", (32, 32)).save(tmp_path / "black.png")
    code, _, err = cli("task=lowlight", "input=black.png", "output=o", "steps=3")
    assert code == 2 and "black" in err and not list(tmp_path.glob("o/*"))


@pytest.mark.parametrize(
    "task, word",
    [("exposure", "light is good"), ("dehaze", "no haze"), ("oldphoto", "no scratches")],
)
def test_nothing_to_mend_is_said(cli, task, word):  # noqa: F811
    Image.fromarray(data.coffee()[100:164, 200:264]).save("good.png")
    code, _, err = cli(f"task={task}", "input=good.png", "output=o", "steps=3")
    assert code == 0 and word in err


def test_own_loss(cli, cat, tmp_path):  # noqa: F811
    Path("mine.py").write_text(
        "def flat(x0, y, A):\n    return (x0 - x0.mean((1, 2, 3), True)).square().flatten(1).sum(1)\n"
    )
    for weight in (0, 20):
        term = f"+guidance.terms.mine=[{weight}.0,{{_target_: mine.flat,_partial_: true}}]"
        assert cli("task=denoise", f"input={cat}", f"output=o{weight}", "steps=5", term)[0] == 0
    assert read("o20/cat.png").pixels.std() < 0.9 * read("o0/cat.png").pixels.std()
