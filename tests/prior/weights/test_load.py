"""Priors: loaded from both formats, described by conf/, refused where they do not fit."""

import hashlib
import json
from pathlib import Path

import pytest
import safetensors.torch
import torch
import yaml

from gdp.compose.configuration import compose, make
from gdp.network.convert import from_ddpm, is_ddpm
from gdp.network.unet import UNet
from gdp.prior.weights import find
from gdp.prior.weights.load import load_prior, untrained
from gdp.storage.places import BUNDLED, CONF
from tests.prior.weights.networks import ARGUMENTS

KEYS = Path(__file__).parents[1] / "keys"


@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_both_formats_load(tmp_path, weights, suffix):
    file = tmp_path / f"w{suffix}"
    (safetensors.torch.save_file if suffix == ".safetensors" else torch.save)(weights, str(file))
    prior = load_prior(str(file), ARGUMENTS, device="cpu")
    x = torch.randn(1, 3, 8, 8)
    net = UNet(**ARGUMENTS).eval()
    net.load_state_dict(weights)
    torch.testing.assert_close(
        prior(x, 10).eps, net(x, torch.tensor([9.0]))[:, :3].detach(), rtol=2e-2, atol=2e-2
    )
    assert prior.source == {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }


def test_config_beside_the_weights(tmp_path, weights):
    file = tmp_path / "w.safetensors"
    safetensors.torch.save_file(weights, str(file))
    with pytest.raises(FileNotFoundError, match=r"config\.yaml"):
        load_prior(str(file))
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump({**ARGUMENTS, "diffusion": {"steps": 100, "schedule": "cosine"}})
    )
    assert load_prior(str(file)).T == 100
    for text, match in (("a: [", "YAML"), ("[1]", "settings"), ("model_channel: 3", "UNet")):
        (tmp_path / "config.yaml").write_text(text)
        with pytest.raises(ValueError, match=match):
            load_prior(str(file))


@pytest.mark.parametrize(
    "change, match",
    [
        (lambda w: w.pop("out.2.bias"), "1 missing"),
        (lambda w: w.update(extra=torch.zeros(1)), "1 unknown"),
        (lambda w: w.update({"out.2.bias": torch.zeros(3)}), "another shape"),
    ],
)
def test_weights_of_another_network(tmp_path, weights, change, match):
    changed = dict(weights)
    change(changed)
    torch.save(changed, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=match):
        load_prior(str(tmp_path / "w.pt"), ARGUMENTS)


def test_wrong_hash(tmp_path, weights):
    torch.save(weights, tmp_path / "w.pt")
    with pytest.raises(ValueError, match="sha256"):
        load_prior(str(tmp_path / "w.pt"), ARGUMENTS, sha256="0" * 64)


@pytest.mark.parametrize("name", sorted(p.stem for p in (CONF / "prior").glob("*.yaml")))
def test_every_prior_yaml_describes_a_network(name):
    node = compose(
        f"prior={name}", *{"custom": ["prior.path=w.pt"], "hub": ["prior.repo=r"]}.get(name, [])
    ).prior
    if node.get("unet") is None:
        return
    prior = untrained(name, node.unet, node.diffusion, 0 if node.unet.get("num_classes") else None)
    assert prior.T == 1000 and prior.net.out_channels == (3 if name == "celebahq256" else 6)
    assert node.sha256 is None or len(node.sha256) == 64
    assert (
        (BUNDLED / node.path).is_file()
        or (node.url or "").endswith(node.path)
        or node.page.startswith("https://")
    )


@pytest.mark.parametrize("name", ["celebahq256", "ffhq256"])
def test_published_names_and_shapes(name):
    published = json.loads((KEYS / f"{name}.json").read_text())
    weights = {key: torch.empty(shape, device="meta") for key, shape in published.items()}
    weights = from_ddpm(weights) if is_ddpm(weights) else weights
    net = untrained(name, compose(f"prior={name}").prior.unet, None, None).net
    assert {k: v.shape for k, v in weights.items()} == {
        k: v.shape for k, v in net.state_dict().items()
    }


@pytest.mark.parametrize(
    "name, file",
    [("imagenet512_uncond", "adm_keys_512_uncond"), ("imagenet512", "adm_keys_512_cond")],
)
def test_published_names_and_shapes_of_adm(golden, name, file):
    node = compose(f"prior={name}").prior
    net = untrained(name, node.unet, None, 0 if node.unet.num_classes else None).net
    assert {k: list(v.shape) for k, v in net.state_dict().items()} == json.loads(
        (golden / f"{file}.json").read_text()
    )["keys"]


def test_class_conditional_priors_ask_for_a_label_before_any_download(monkeypatch):
    monkeypatch.setattr(find, "download", lambda *_, **__: pytest.fail("downloaded"))
    for name in ("imagenet256_cond", "imagenet512"):
        with pytest.raises(ValueError, match=r"prior\.label=0\.\.999"):
            make(compose(f"prior={name}").prior)


def test_bundled_prior_denoises(photo64, cat):
    from gdp.picture import read, to_model

    x0 = to_model(read(cat).pixels)
    noisy = photo64.a(150) ** 0.5 * x0 + (1 - photo64.a(150)) ** 0.5 * torch.randn_like(x0)
    scaled = noisy / photo64.a(150) ** 0.5
    assert (photo64(noisy, 150).x0 - x0).norm() < 0.5 * (scaled - x0).norm()
