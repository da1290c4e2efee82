"""Another network's picture as the start: files, consistency, fidelity."""

import importlib
import pickle
from functools import partial

import pytest
import torch
import torch.nn.functional as F

import gdp
from gdp.network.denoisers import FFDNet
from gdp.prior.denoiser.restorer import Network, load_network, through
from gdp.restore.first import stage_one
from operators.size.avgpool import AvgPool


class Hostile:
    """Pickled, it would make a file where it is read."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def esrgan(scale=4):
    """A small RRDB network, as Real-ESRGAN's."""
    return pytest.importorskip("spandrel.architectures.ESRGAN").ESRGAN(
        num_filters=8, num_blocks=1, scale=scale
    )


def swinir():
    return pytest.importorskip("spandrel.architectures.SwinIR").SwinIR(
        img_size=16,
        embed_dim=12,
        depths=[2, 2],
        num_heads=[2, 2],
        window_size=4,
        mlp_ratio=2,
        upscale=4,
        upsampler="pixelshuffledirect",
    )


def nafnet():
    return pytest.importorskip("spandrel.architectures.NAFNet").NAFNet(
        width=8, middle_blk_num=1, enc_blk_nums=[1], dec_blk_nums=[1]
    )


def saved(net, file, wrapped="params"):
    weights = net.state_dict()
    torch.save({wrapped: weights} if wrapped else weights, file)
    return str(file)


@pytest.fixture
def photo():
    """Smooth, with an edge, [1, 3, 32, 32]."""
    x = torch.linspace(0, 1, 32).expand(1, 3, 32, 32).clone()
    x[..., 8:20, 10:24] = 0.8
    return x


FORMATS = [
    (esrgan, "params_ema", "ESRGAN", "SR", 4),
    (lambda: esrgan(2), "", "ESRGAN", "SR", 2),
    (swinir, "params", "SwinIR", "SR", 4),
    (nafnet, "state_dict", "NAFNet", "Restoration", 1),
    (lambda: FFDNet(3, 8, 3), "", "FFDNet", "denoising", 1),
]


@pytest.mark.parametrize(("make", "wrapped", "kind", "purpose", "scale"), FORMATS)
def test_files_are_recognised(tmp_path, make, wrapped, kind, purpose, scale):
    net = load_network(saved(make(), tmp_path / "net.pth", wrapped))
    assert (net.kind, net.purpose, net.scale) == (kind, purpose, scale)
    out = through(net, torch.rand(1, 3, 15, 18), None, 0.1)
    assert out.shape == (1, 3, 15 * scale, 18 * scale)
    assert 0 <= float(out.min()) <= float(out.max()) <= 1


def test_a_training_with_more_than_weights(tmp_path):
    """Lightning's files: numbers beside the weights, and a prefix before each name."""
    inside = {f"module.{name}": w for name, w in nafnet().state_dict().items()}
    torch.save({"state_dict": inside, "global_step": 7}, tmp_path / "a.ckpt")
    assert load_network(str(tmp_path / "a.ckpt")).kind == "NAFNet"


def test_code_is_never_run(tmp_path):
    file, made = tmp_path / "evil.pth", tmp_path / "made"
    with file.open("wb") as stream:
        pickle.dump({"params": Hostile(made)}, stream)
    with pytest.raises(ValueError, match="was not executed") as error:
        gdp.restore(torch.rand(3, 8, 8), task="sr4", stage_one=str(file))
    assert "\n" not in str(error.value)
    assert not made.exists()


def test_what_is_no_network(tmp_path):
    whole = tmp_path / "net.pth"
    saved(esrgan(), whole)
    bytes_of = whole.read_bytes()
    (tmp_path / "half.pth").write_bytes(bytes_of[: len(bytes_of) // 2])
    damaged = {name: w for name, w in nafnet().state_dict().items() if "conv5" not in name}
    damaged["middle_blks.0.conv5.weight"] = torch.zeros(1)
    torch.save(damaged, tmp_path / "damaged.pth")
    torch.save({"a.weight": torch.zeros(3)}, tmp_path / "other.pth")
    torch.save({"params": [1, 2]}, tmp_path / "list.pth")
    (tmp_path / "net.zip").write_bytes(bytes_of)

    wrong = {
        "half.pth": "cannot be read|holds more than tensors",
        "damaged.pth": "looks damaged",
        "other.pth": "no architecture",
        "list.pth": "holds no network",
        "net.zip": "weights are",
    }
    for name, words in wrong.items():
        with pytest.raises(ValueError, match=words) as error:
            load_network(str(tmp_path / name))
        assert "\n" not in str(error.value)
    with pytest.raises(FileNotFoundError, match="no such file"):
        load_network(str(tmp_path / "absent.pth"))


def test_of_another_task(tmp_path, photo):
    twice = saved(esrgan(2), tmp_path / "twice.pth")
    with pytest.raises(ValueError, match=r"enlarges 2 times and the task 4 times; .*operator.r=2"):
        gdp.restore(photo, task="sr4", stage_one=twice)
    with pytest.raises(ValueError, match="the task not"):
        gdp.restore(photo, task="denoise", sigma_y=0.1, stage_one=twice)
    noise = saved(FFDNet(3, 8, 3), tmp_path / "f.pth", "")
    with pytest.raises(ValueError, match="sigma_y"):
        gdp.restore(photo, task="deblur", sigma_y=0.0, stage_one=noise)
    with pytest.raises(ValueError, match="fidelity=2"):
        gdp.restore(photo, task="sr4", stage_one=twice, fidelity=2)


def test_tiles_are_the_whole():
    """Of a network that is local: enlarged blocks, whatever the tiles."""

    def run(pixels, holes, sigma):
        return F.interpolate(pixels, scale_factor=2, mode="nearest")

    net = Network(run, lambda device: None, "blocks", "SR", 2, 3, 100, {})
    x = torch.rand(1, 3, 130, 101)
    assert torch.allclose(through(net, x, None, 0), run(x, None, 0), atol=1e-6)
    grey = net._replace(channels=1)
    assert torch.allclose(through(grey, x, None, 0), run(x, None, 0), atol=1e-6)


def test_never_less_consistent(tmp_path, photo):
    """A network that was never trained: what y says stays, and the report tells of the start."""
    file = saved(esrgan(), tmp_path / "net.pth")
    y = AvgPool(4)(photo)[0]
    alone = gdp.restore(y, task="sr4")
    ours = gdp.restore(y, task="sr4", stage_one=file)
    assert ours.report["consistency"] <= alone.report["consistency"] + 1e-6
    first = ours.report["first"]
    assert first["architecture"] == "ESRGAN"
    assert first["scale"] == 4
    assert first["error"] > 0.05  # it knows nothing, and that is seen
    assert alone.report["first"] is None

    # At 0 it is the network's picture, however far from y; between, the misfit goes down.
    steps = [gdp.restore(y, task="sr4", stage_one=file, fidelity=f) for f in (0.0, 0.5)]
    drawn = through(load_network(file), y[None], None, 0.0)
    assert torch.allclose(torch.as_tensor(steps[0].image), drawn[0], atol=1e-5)
    misfits = [one.report["consistency"] for one in (*steps, ours)]
    assert misfits[0] > 1.9 * misfits[1] > misfits[2]


def test_a_good_network_is_believed(tmp_path, photo, monkeypatch):
    """Its error is estimated: of one that is right there is little to hide."""

    def load(path):
        def run(pixels, holes, sigma):
            return photo.clone()

        return Network(run, lambda device: None, "right", "SR", 4, 3, None, {"file": "right.pth"})

    monkeypatch.setattr(stage_one, "load_network", load)
    y = AvgPool(4)(photo)[0]
    ours = gdp.restore(y, task="sr4", stage_one="right.pth", reference=photo[0])
    alone = gdp.restore(y, task="sr4", reference=photo[0])
    assert ours.report["first"]["error"] < 0.02
    assert ours.report["nfe"] < alone.report["nfe"]
    assert ours.report["scores"]["psnr"] > alone.report["scores"]["psnr"] + 3


def test_a_mask_is_handed_over(photo, monkeypatch):
    """Networks that fill holes see where they are: white, as LaMa has it."""
    seen = []

    def load(path):
        def run(pixels, holes, sigma):
            seen.append(holes)
            return torch.where(holes == 1, 0.25, pixels)

        known = ("fills", "Inpainting", 1, 3, None, {"file": "fills.pth"})
        return Network(run, lambda device: None, *known)

    monkeypatch.setattr(stage_one, "load_network", load)
    mask = torch.zeros(32, 32)
    mask[10:14, 10:20] = 1
    out = gdp.restore(photo[0], task="inpaint", mask=mask, stage_one="fills.pth")
    assert torch.equal(seen[0][0, 0], mask)
    assert out.report["first"]["error"] == pytest.approx(0.035)  # of seams
    known = mask == 0
    assert torch.allclose(torch.as_tensor(out.image)[:, known], photo[0][:, known], atol=1e-5)
    with pytest.raises(ValueError, match="fills holes, and the task has none"):
        gdp.restore(photo[0], task="denoise", sigma_y=0.1, stage_one="fills.pth")


def test_lama(tmp_path, photo, monkeypatch):
    """LaMa's file, of a small generator in place of its 51 million parameters: holes are its own.

    Published files name the parameters "generator.model ..."; what is known stays as it is.
    """
    pytest.importorskip("spandrel")
    arch = importlib.import_module("spandrel.architectures.LaMa.__arch.LaMa")
    small = partial(arch.FFCResNetGenerator, ngf=8, n_blocks=1)
    monkeypatch.setattr(arch, "FFCResNetGenerator", small)
    torch.manual_seed(0)
    weights = arch.LaMa(in_nc=4, out_nc=3).state_dict()
    renamed = {name.replace("model.model", "generator.model"): w for name, w in weights.items()}
    torch.save({"state_dict": renamed}, tmp_path / "lama.ckpt")

    net = load_network(str(tmp_path / "lama.ckpt"))
    assert (net.kind, net.purpose, net.scale, net.channels) == ("LaMa", "Inpainting", 1, 3)
    holes = torch.zeros(1, 1, 32, 32)
    holes[..., 10:14, 10:20] = 1
    drawn = through(net, photo, holes, 0.0)
    known = holes.expand_as(photo) == 0
    assert torch.allclose(drawn[known], photo[known], atol=1e-6)
    assert (drawn - photo).abs().max() > 0.01

    words = {"task": "inpaint", "mask": holes[0, 0], "stage_one": str(tmp_path / "lama.ckpt")}
    out = gdp.restore(photo[0], **words, fidelity=0.0)
    assert torch.allclose(torch.as_tensor(out.image)[None], drawn, atol=1e-4)
    assert out.report["first"]["architecture"] == "LaMa"
    with pytest.raises(ValueError, match="fills holes, and the task has none"):
        gdp.restore(photo[0], task="sr4", stage_one=str(tmp_path / "lama.ckpt"))
