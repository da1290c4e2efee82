"""Every operator and every task on another device than the CPU: pretended (tests/pretend.py), with
the CPU's result to rounding, without a tensor that is brought there in the middle of the loop.
"""

import json

import pytest
import torch

import gdp
from gdp.network.denoisers import FFDNet
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule, betas
from gdp.prior.tiling import TiledPrior
from gdp.restore.noise.model import BRIGHTNESSES, FREQUENCIES, OPPONENT, NoiseModel
from gdp.restore.observe import take
from gdp.storage.places import SAMPLE
from operators.blur.blind.blind_blur import BlindBlur
from operators.blur.blind.search import Stroke
from operators.light.light import Light
from operators.size.avgpool import AvgPool
from samplers.ddnm import DDNM
from tests.conftest import OPERATORS, SAMPLERS, TASKS, operator_of, sampler_of
from tests.networks import small_unet
from tests.pretend import PretendDevice

# From the CPU's result, [0, 1] units; what is found from x0 at every step moves a little more.
NEAR = 1e-4

# The least squares of light and of a blind kernel are solved on the CPU in every step.
SOLVED_ON_THE_CPU = ("light_fit.py", "kernel_estimate.py", "blind_blur.py")


def photo(height=16, width=24):
    """A piece of the sample."""
    return gdp.picture.read(SAMPLE).pixels[..., 20 : 20 + height, 10 : 10 + width]


def measured(name, mask_file):
    """An operator, and what it has measured of a photo."""
    A, pixels = operator_of(name, mask_file), photo(32, 32)
    with torch.no_grad():
        if name in ("exposures", "fourier"):  # their measurements are no pictures
            return A(2 * pixels - 1), A

        # Where nothing is found there is no step to look at.
        pixels = 0.4 * pixels + 0.5 if name == "dehaze" else pixels
        return take(pixels, A, 0.02, 0.001)


def few_steps(A):
    """A sampler that fits any operator."""
    sampler = sampler_of("auto", 2, "sampler.schedule.start=0.5", "sampler.schedule.end=0")
    return sampler.for_operator(A)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator(name, mask_file, monkeypatch):
    stroke = Stroke(5.0, 30.0, 0.7).kernel(11)  # more than so small a picture tells
    monkeypatch.setattr(BlindBlur, "found", lambda self, g, *_: stroke.to(g))
    (y, A), prior = measured(name, mask_file), GaussianPrior(0.1, 0.4)
    want = few_steps(A)(prior, *A.whitened(y), seeds=[3]).x

    y, A = measured(name, mask_file)
    with PretendDevice() as device:
        there, y = A.to("meta"), y.to("meta")
        told = {"on_step": lambda *_: counted(device)}
        got, bound = few_steps(A)(prior, *there.whitened(y), seeds=[3], **told)
        uploads = {place: n for place, n in device.uploads.items() if not expected(place)}
        assert (got.cpu() - want).abs().max() < NEAR and not uploads, uploads

        # What a report tells of it, and shows.
        json.dumps([bound.describe(y), bound.remark(y)])
        assert all(map(torch.is_tensor, bound.pictures(y).values()))


def counted(device):
    """Forget what came before the first step has been taken: only the loop's own counts."""
    if not getattr(device, "in_the_loop", False):
        device.in_the_loop = True
        device.clear()


def expected(place):
    """Whether something may be brought over in a step: its noise, and what the CPU solves."""
    return place.startswith(("gdp/prior/noise.py", "tests/")) or any(
        name in place for name in SOLVED_ON_THE_CPU
    )


@pytest.mark.parametrize(
    "task", [pytest.param(t, marks=[pytest.mark.slow] * (t == "deblur_blind")) for t in TASKS]
)
def test_every_task(task):
    given = {"task": task, "steps": 2, "prior": Prior(small_unet(), betas())}
    given["photo"] = [photo(), 0.5 * photo()] if task == "hdr" else photo()
    if task == "inpaint":
        given["mask"] = torch.zeros(16, 24).index_fill(0, torch.arange(8, 12), 1)
    want = gdp.restore(**given, device="cpu").pixels

    uploads: list[str] = []

    def counts(done, total, x0):
        """What was brought there in a step, since the last one."""
        if done > 1:
            uploads.extend(place for place in device.uploads if not expected(place))
        device.clear()

    with PretendDevice() as device:
        given["prior"] = Prior(small_unet().to("meta"), betas())
        got = gdp.restore(**given, on_step=counts).pixels
    assert (got - want).abs().max() < NEAR and not uploads, uploads


@pytest.mark.parametrize(
    "settings",
    [
        {"task": "denoise", "samples": 2, "reference": True},
        {"task": "sr4", "degrade": True, "sigma_y": 0.02, "lowres": "first"},
        {"task": "denoise", "degrade": True, "noise": "poisson", "colourfix": "wavelet"},
        {"task": "denoise", "sampler": "gdp_x0", "guidance": "quality", "init": True},
        {"task": "denoise", "tiling": "windows", "tiling.tile": 16, "tiling.overlap": 8},
        {"task": "auto", "detail": 0.5, "strength": 0.5},
        {"task": "outpaint", "operator.margins": 4, "holes": "patches"},
        {"task": "denoise", "sigma_y": 0.1, "stage_one": True, "fidelity": 0.5},
    ],
    ids=lambda given: "-".join(map(str, given.values())),
)
def test_settings(settings, tmp_path):
    """What comes before the loop and after it: simulation, scores, colours, several passes."""
    pixels = photo(32, 32)
    given = {"steps": 2, **settings}
    if "init" in given:
        given["init"] = pixels / 2
    if "stage_one" in given:
        given["stage_one"] = str(tmp_path / "net.pth")
        torch.save(FFDNet(3, 8, 3).state_dict(), given["stage_one"])
    if "reference" in given:
        given["reference"] = pixels.flip(-1)
    want = gdp.restore(pixels, **given, prior=Prior(small_unet(), betas()), device="cpu")
    with PretendDevice():
        got = gdp.restore(pixels, **given, prior=Prior(small_unet().to("meta"), betas()))
    assert (got.pixels - want.pixels).abs().max() < NEAR
    ours, theirs = got.report["scores"], want.report["scores"]
    assert not theirs or ours["psnr"] == pytest.approx(theirs["psnr"], rel=1e-3)


def test_light_brings_its_whitening_once():
    """Where the noise of what a dark photo shows is coloured; every step needs it."""
    spectrum = 0.05 * torch.linspace(1, 0.2, FREQUENCIES).expand(3, FREQUENCIES, -1)
    curve = torch.linspace(0.7, 1.3, BRIGHTNESSES)
    noise, made = NoiseModel(spectrum, curve, OPPONENT), []

    def whitening(A, y):
        made.append(y)
        return noise.whiten(A, y)

    A, y = Light().with_noise(0.02).with_whitening(whitening), photo() / 8 - 0.9
    prior, sampler = GaussianPrior(0.1, 0.4), sampler_of("ddnm", 5)
    want = sampler(prior, A, y).x
    with PretendDevice() as device:
        got = sampler(prior, A.to("meta"), y.to("meta"), on_step=lambda *_: counted(device)).x
        assert (got.cpu() - want).abs().max() < NEAR and len(made) == 2
        assert not [p for p in device.uploads if not p.startswith("gdp/prior/noise.py")
                    and "light_fit.py" not in p]  # fmt: skip


@pytest.mark.parametrize("name", SAMPLERS)
def test_samplers_bring_nothing_but_noise(name):
    A, prior, sampler = AvgPool(2), GaussianPrior(0.1, 0.4), sampler_of(name, 4)
    y = A(photo()) + 0.02 * torch.randn(1, 3, 8, 12)
    want = sampler(prior, A, y).x
    with PretendDevice() as device:
        got = sampler(prior, A, y.to("meta"), on_step=lambda *_: counted(device)).x
        assert (got.cpu() - want).abs().max() < NEAR
        assert not [place for place in device.uploads if not expected(place)]


def test_a_loop_waits_for_nothing_but_its_last_look():
    """In tiles, with a network: the one number that is asked for is whether all is finite."""
    A, y = AvgPool(2), photo() - 0.5
    with PretendDevice() as device:
        prior = TiledPrior(Prior(small_unet().to("meta"), betas()), tile=32, overlap=8)
        DDNM(schedule=Schedule(9))(prior, A, y.to("meta"), on_step=lambda *_: counted(device))
        assert set(device.waits) <= {p for p in device.waits if "samplers/base.py" in p}
        assert sum(device.waits.values()) <= 1


def test_the_pretended_device_is_strict():
    """It refuses what another device would: mixed devices, double precision; and it counts."""
    with PretendDevice() as device:
        x = torch.ones(3, device="meta")
        with pytest.raises(AssertionError, match="mixes devices"):
            x + torch.ones(3)
        with pytest.raises(AssertionError, match="float64"):
            x.double()
        assert (x + torch.tensor(1.0)).tolist() == [2, 2, 2] and device.waits.total() == 1
        assert torch.ones(3).to("meta").is_meta and device.uploads.total() == 1
