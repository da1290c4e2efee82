"""noise=FILE: a patch tells of noise at its own brightness, photo or other patches of the rest."""

import json
import logging
from dataclasses import replace

import pytest
import torch

import gdp
from gdp.prior.noise import Noise
from gdp.restore.noise import NoiseModel
from gdp.restore.noise.choose import noise_of
from gdp.restore.noise.compression import by_block, compressed
from gdp.restore.noise.model import curve_at
from gdp.restore.noise.profile import BRIGHTER, with_own
from gdp.restore.noise.sources import measured_at, of_patch, read
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from tests.restore.noise.test_sources import saved
from tests.test_cli import cli  # noqa: F401


def std_at(b):
    """Of photons, and then some: 0.06 in black, 0.015 in white."""
    return 0.015 * 4 ** (1 - b)


def taken(light, seed=0):
    """A picture [1, 1 or 3, H, W] in [0, 1] with noise that goes with its light."""
    return light + std_at(light) * Noise([seed]).like(light.expand(-1, 3, -1, -1))


def card(b, side=96, seed=1):
    return taken(torch.full((1, 1, side, side), float(b)), seed)


def scene(side=192):
    """Light in broad stripes from 0.1 to 0.85."""
    steps = torch.linspace(0.1, 0.85, side // 16).repeat_interleave(16)
    return taken(steps.expand(1, 1, side, side))


def at(model, *lights):
    return model.std * curve_at(model.curve, torch.tensor(lights))


@pytest.mark.parametrize("b", [0.2, 0.5, 0.8])
def test_a_patch_at_one_brightness_has_the_rest_from_the_photo(b, tmp_path):
    patch = saved(card(b), tmp_path / "card.png")
    model, lights = noise_of(scene(), str(patch)), (0.2, 0.5, 0.8)
    truth = std_at(torch.tensor(lights))
    ratio = at(model, *lights) / truth
    assert ratio.log().abs().max() < 0.3 and float(at(model, b)) == pytest.approx(
        std_at(b), rel=0.1
    )
    assert (truth.max() / truth.min()) > 2  # which one std for all would miss by so much
    assert model.at_light == pytest.approx((b,), abs=0.01)


def test_the_photo_is_believed_within_reason():
    """What a photo takes for noise may be texture: a patch is not to be held against it."""
    patch = replace(NoiseModel.white(0.02), at_light=(0.25,))
    for own, most in ((0.1, BRIGHTER), (0.004, 0.21)):
        model = with_own(patch, NoiseModel.white(own), scene())
        expected = torch.tensor([0.02, 0.02 * most])
        torch.testing.assert_close(at(model, 0.25, 1.0), expected, rtol=0.1, atol=0)

    # What it shows in brighter places may rise as steeply as texture does, and near the patch is
    # the patch's.
    steep = replace(NoiseModel.white(0.022), curve=torch.linspace(0.5, 3, 17))
    assert float(at(with_own(patch, steep, scene()), 1.0)) == pytest.approx(
        0.02 * BRIGHTER, rel=0.03
    )
    near = with_own(patch, NoiseModel.white(0.022), scene())
    assert 0.02 < float(at(near, 0.4)) < float(at(near, 1.0)) < 0.022


def test_several_patches_tell_of_several_brightnesses(tmp_path):
    files = [
        str(saved(card(b, seed=k), tmp_path / f"{k}.png")) for k, b in enumerate((0.8, 0.2, 0.5))
    ]
    tiny = torch.rand(1, 3, 12, 12)  # tells nothing of its own
    model = noise_of(tiny, files)
    assert model.at_light == pytest.approx((0.2, 0.5, 0.8), abs=0.01)
    assert torch.allclose(
        at(model, *model.at_light), std_at(torch.tensor(model.at_light)), rtol=0.1
    )

    # Two of one brightness are one.
    twice = noise_of(tiny, [files[0], str(saved(card(0.81, seed=9), tmp_path / "again.png"))])
    assert twice.at_light == pytest.approx((0.805,), abs=0.01)

    model.save(tmp_path / "camera.safetensors")
    again = read(tmp_path / "camera.safetensors")
    assert again.at_light == model.at_light
    NoiseModel.white(0.05).save(tmp_path / "white.safetensors")
    for wrong in ([], [files[0], str(tmp_path / "white.safetensors")]):
        with pytest.raises(ValueError, match=r"several pictures of something even.*goes alone"):
            noise_of(tiny, wrong)


def test_a_patch_whose_light_falls_tells_of_more():
    slope = torch.linspace(0.25, 0.75, 160).expand(1, 1, 160, 160)
    model = of_patch(taken(slope))
    assert len(model.at_light) == 5 and model.at_light[0] < 0.35 < 0.65 < model.at_light[-1]
    assert torch.allclose(at(model, 0.35, 0.65), std_at(torch.tensor([0.35, 0.65])), rtol=0.12)
    assert "brightnesses of 0.31 to 0.69" in measured_at(model)


def test_a_patch_has_none_of_the_errors_of_a_codec():
    """Of an estimate they are a part, and count once; what is even has lost less to its own."""
    y, jpeg = 2 * scene(64) - 1, JPEG(60)
    patch, found = of_patch(card(0.5)), NoiseModel.white(std_at(0.5))
    for noise, whole in ((patch, True), (found, False)):
        operator = compressed(Identity().with_noise(2 * noise.std), y, jpeg, noise, estimated=True)
        kept = torch.allclose(operator.noise, by_block(noise, jpeg).to(operator.noise))
        assert kept is whole


def test_the_console_and_the_report_say_where_it_was_measured(cli, tmp_path):  # noqa: F811
    saved(scene(), tmp_path / "photo.png")
    saved(card(0.5), tmp_path / "card.png")
    saved(card(0.2), tmp_path / "dark.png")
    words = ("task=denoise", "sigma_y=auto", "input=photo.png", "sampler.schedule.steps=1")
    for noise, line, lights in (
        ("card.png", "at a brightness of 0.50, of 1 for white; at others it goes as", [0.5]),
        ("[card.png,dark.png]", "at brightnesses of 0.20 to 0.50", [0.2, 0.5]),
    ):
        code, _, err = cli(*words, f"noise={noise}", "output=o", "overwrite=true")
        assert code == 0 and f"photo.png: its noise was measured {line}" in err
        report = json.loads((tmp_path / "o/photo.json").read_text())
        assert report["noise"]["measured_at"] == pytest.approx(lights, abs=0.01)
        assert any(line in found for found in report["found"])


def test_a_photo_too_small_to_tell_has_one_noise(tmp_path, caplog, photo64):
    patch = str(saved(card(0.5), tmp_path / "card.png"))
    with caplog.at_level(logging.INFO, "gdp"):
        gdp.restore(
            scene()[0, :, :12, :12].clamp(0, 1),
            task="denoise",
            sigma_y="auto",
            noise=patch,
            prior=photo64,
            steps=1,
        )
    line = "measured at a brightness of 0.50, of 1 for white; at others it is taken to be the same"
    assert line in caplog.text
