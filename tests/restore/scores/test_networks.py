"""Scores by networks: equal to piq's own with the same stand-in weights, which nothing fetches."""

import hashlib
from types import SimpleNamespace

import piq
import pytest
import torch
from torchvision.models import AlexNet
from torchvision.models.vgg import cfgs, make_layers

import gdp
from gdp.picture import rounded, to_image
from gdp.restore.scores import networks, weights
from gdp.restore.scores.choice import SCORES, Choice
from gdp.restore.scores.metrics import Subject, score, scores
from tests.photos import astronaut

CHANNELS = {"alex": (64, 192, 384, 256, 256), "vgg": (64, 128, 256, 512, 512)}
NAMES = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth"}


@pytest.fixture(scope="module")
def pair():
    """Two pictures [1, 3, 64, 64] in [0, 1], as files have them."""
    clean = rounded(to_image(astronaut(64)))
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    return rounded((clean + 0.1 * noise).clamp(0, 1)), clean


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Stand-ins for the files of weights, random but of the networks' shapes."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    with torch.device("meta"):
        alex = AlexNet().features
    alex = alex.to_empty(device="cpu")
    for net, name in ((alex, NAMES["alex"]), (make_layers(cfgs["D"], False), NAMES["vgg"])):
        for p in net.parameters():
            torch.nn.init.normal_(p, std=(2 / p[0].numel()) ** 0.5 if p.ndim > 1 else 0.01)
        state = {f"features.{k}": v for k, v in net.state_dict().items()}
        torch.save(state, folder / name)
    for backbone, widths in CHANNELS.items():
        heads = {f"lin{k}.model.1.weight": torch.rand(1, n, 1, 1) for k, n in enumerate(widths)}
        torch.save(heads, folder / f"lpips_{backbone}.pth")
    torch.save({k: torch.rand(1, 1475, 1, 1) / 2950 for k in ("alpha", "beta")}, folder / "d.pt")
    (folder / "d.pt").rename(folder / "dists_weights.pt")
    vectors = (torch.rand(20, 1), torch.rand(20, 36) - 0.5)
    torch.save(vectors, folder / "brisque_svm_weights.pt")
    return folder


@pytest.fixture
def piq_offline(folder, monkeypatch):
    """piq's own classes, which would fetch their weights, are given the stand-ins."""

    def vgg16(**_):
        net = make_layers(cfgs["D"], False)
        state = torch.load(folder / NAMES["vgg"])
        net.load_state_dict({k.removeprefix("features."): v for k, v in state.items()})
        return SimpleNamespace(features=net)

    heads = torch.load(folder / "lpips_vgg.pth")
    linear = [heads[f"lin{k}.model.1.weight"] for k in range(5)]
    files = {"lpips": linear, "dists": torch.load(folder / "dists_weights.pt")}
    monkeypatch.setattr(piq.perceptual, "vgg16", vgg16)
    monkeypatch.setattr(
        torch.hub,
        "load_state_dict_from_url",
        lambda url, **_: files["dists" if "dists" in url else "lpips"],
    )


def test_lpips_and_dists_are_piq_s(pair, folder, piq_offline):
    found = scores(*pair, Choice(names=["lpips_vgg", "dists"], weights=str(folder)))
    assert found["lpips_vgg"] == pytest.approx(float(piq.LPIPS()(*pair)), abs=1e-4)
    assert found["dists"] == pytest.approx(float(piq.DISTS()(*pair)), abs=1e-4)
    assert found["lpips_vgg"] > 0.01 and found["dists"] > 1e-4


def test_lpips_of_alexnet_is_its_formula(pair, folder):
    """The layers of torchvision's AlexNet by hand, as lpips 0.1.4 computes them."""
    net = networks.features("alex", folder / NAMES["alex"])
    heads = torch.load(folder / "lpips_alex.pth")
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406),) * 2)
    std = torch.tensor((0.229, 0.224, 0.225)).view(1, 3, 1, 1)

    def units(x):
        x, out = (x - mean) / std, []
        for k, layer in enumerate(net):
            x = layer(x)
            if k in (1, 4, 7, 9, 11):
                out.append(x / (x.square().sum(1, keepdim=True).sqrt() + 1e-10))
        return out

    expected = sum(
        ((a - b).square() * heads[f"lin{k}.model.1.weight"]).sum(1).mean()
        for k, (a, b) in enumerate(zip(*map(units, pair), strict=True))
    )
    found = scores(*pair, Choice(names=["lpips"], weights=str(folder)))["lpips"]
    assert found == pytest.approx(expected.item(), abs=1e-4) and found > 0.01
    assert scores(pair[1], pair[1], Choice(names=["lpips"], weights=str(folder)))["lpips"] == 0


def test_brisque_is_piq_s(pair, folder, monkeypatch):
    file = folder / "brisque_svm_weights.pt"
    monkeypatch.setitem(piq.brisque.__globals__, "load_url", lambda *_, **__: torch.load(file))
    found = score(Subject(pair[0]), Choice(names=["brisque"], weights=str(folder)))["brisque"]
    assert found == pytest.approx(float(piq.brisque(pair[0])), abs=1e-4)


def test_pieapp_is_piq_s(pair, monkeypatch, tmp_path):
    """Of a network with a small head, so that its file is small."""

    class Small(piq.pieapp.PieAPPModel):
        def __init__(self):
            super().__init__()
            self.fc1_score = torch.nn.Linear(120832, 8)
            self.fc2_score = torch.nn.Linear(8, 1)

    monkeypatch.setattr(piq.pieapp, "PieAPPModel", Small)
    torch.manual_seed(0)
    with torch.device("meta"):
        shapes = piq.pieapp.PieAPPModel().state_dict()
    state = {k: torch.randn(v.shape) * v[0].numel() ** -0.5 for k, v in shapes.items()}
    state["ref_score_subtract.weight"] = state["ref_score_subtract.weight"][:, 0]
    torch.save(state, tmp_path / "PieAPPv0.1.pth")
    monkeypatch.setattr(
        torch.hub,
        "load_state_dict_from_url",
        lambda *_, **__: torch.load(tmp_path / "PieAPPv0.1.pth"),
    )
    found = scores(*pair, Choice(names=["pieapp"], weights=str(tmp_path)))["pieapp"]
    assert found == pytest.approx(float(piq.PieAPP()(*pair)), abs=1e-4)
    networks.pieapp.cache_clear()


def test_what_is_not_at_hand_says_what_to_do(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    found = scores(*pair, Choice(names=["lpips", "niqe"]))
    assert found["lpips"] is None and "scores.download=true" in found["lpips_why_not"]
    assert "alexnet-owt-7be5be79.pth" in found["lpips_why_not"]
    assert found["niqe"] is None and "pip install pyiqa" in found["niqe_why_not"]

    # Where torch keeps its downloads they are found too.
    place = tmp_path / "torch" / "hub" / "checkpoints"
    place.mkdir(parents=True)
    (place / "lpips_alex.pth").write_bytes(b"x")
    assert weights.locate("lpips_alex.pth") == place / "lpips_alex.pth"


def test_a_download_is_checked(tmp_path, monkeypatch):
    """The file comes into the cache folder once, with the sha256 that is known."""
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    content = b"weights"
    (tmp_path / "weights.pth").write_bytes(content)
    known = weights.File(
        (tmp_path / "weights.pth").as_uri(), 1e-6, hashlib.sha256(content).hexdigest()
    )
    monkeypatch.setitem(weights.FILES, "w.pth", known)
    with pytest.raises(weights.MissingWeightsError, match="not at hand"):
        weights.locate("w.pth")
    file = weights.locate("w.pth", fetch=True)
    assert file.read_bytes() == content and weights.locate("w.pth") == file

    file.unlink()
    monkeypatch.setitem(weights.FILES, "w.pth", known._replace(sha256="0" * 64))
    with pytest.raises(ValueError, match="sha256"):
        weights.locate("w.pth", fetch=True)


def test_every_file_of_a_score_is_known():
    assert {name for one in SCORES.values() for name in one.files} <= set(weights.FILES)


def test_a_folder_of_weights_is_a_setting(pair, folder):
    report = gdp.restore(
        pair[0],
        task="denoise",
        steps=1,
        reference=pair[1],
        **{"scores": "paper", "scores.weights": str(folder)},
    ).report
    assert report["scores"]["lpips"] > 0 and report["scores_of_input"]["lpips"] > 0
    assert report["choices"]["scores"] == "paper"
