"""Priors in diffusers' form say what diffusers' own network and scheduler say."""

import hashlib
import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.compose.configuration import compose, make
from gdp.prior.hub import HubPrior, load_hub_prior
from gdp.prior.schedule import betas
from gdp.prior.tiling import TiledPrior

SMALL = {
    "sample_size": 16,
    "block_out_channels": (32, 64),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 1,
}


@pytest.fixture
def saved(tmp_path):
    """Makes a folder as diffusers' DDPMPipeline saves it; what is needed to check on it."""
    diffusers = pytest.importorskip("diffusers")

    def save(scheduler="DDPMScheduler", schedule=None, flat=False, **unet):
        torch.manual_seed(1)
        net = diffusers.UNet2DModel(**{**SMALL, **unet}).eval()
        plan = getattr(diffusers, scheduler)(**(schedule or {}))
        if flat:
            net.save_pretrained(tmp_path / "m")
            plan.save_pretrained(tmp_path / "m")
        else:
            diffusers.DDPMPipeline(net, plan).save_pretrained(tmp_path / "m")
        return tmp_path / "m", net, plan

    return save


def rewrite(file, **changes):
    """Change settings in a JSON file."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


@pytest.mark.parametrize("kind", ["epsilon", "v_prediction", "sample"])
@pytest.mark.parametrize("scheduler", ["DDPMScheduler", "DDIMScheduler"])
def test_x0_is_what_diffusers_makes_of_it(saved, kind, scheduler):
    folder, net, plan = saved(
        scheduler, {"prediction_type": kind, "clip_sample": False, "beta_schedule": "scaled_linear"}
    )
    prior = load_hub_prior(str(folder), device="cpu", dtype="float32")
    x = torch.randn(2, 3, 16, 16)
    for t in (1, 400, 1000):
        with torch.no_grad():
            said, out = prior(x, t), net(x, t - 1).sample
        if scheduler == "DDPMScheduler":
            expected = plan.step(out, t - 1, x).pred_original_sample
        else:
            plan.set_timesteps(1000)
            expected = plan.step(out, t - 1, x).pred_original_sample
        scale = float(expected.abs().max())
        torch.testing.assert_close(
            said.x0, expected, atol=3e-3 * scale if t == 1000 else 1e-4 * scale, rtol=0
        )
        torch.testing.assert_close(
            plan.add_noise(said.x0, said.eps, torch.tensor([t - 1])), x, atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize(
    "schedule",
    [
        {"beta_schedule": "linear"},
        {"beta_schedule": "scaled_linear", "beta_start": 0.0015, "beta_end": 0.0195},
        {"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 400},
        {"beta_schedule": "sigmoid"},
        {"trained_betas": [0.01 * k for k in range(1, 51)], "num_train_timesteps": 50},
    ],
)
def test_the_schedule_is_diffusers_own(saved, schedule):
    folder, _, plan = saved(schedule=schedule)
    prior = load_hub_prior(str(folder), device="cpu")
    assert len(plan.alphas_cumprod) == prior.T and prior.a(0) == 1
    torch.testing.assert_close(
        prior.alpha_bar[1:].float(), plan.alphas_cumprod, rtol=1e-4, atol=1e-9
    )


def test_without_signal_at_the_end(saved):
    folder, _, plan = saved(
        "DDIMScheduler", {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}
    )
    prior = load_hub_prior(str(folder), device="cpu")
    assert prior.T == 999 and 0 < prior.a(999) < 1e-4
    torch.testing.assert_close(
        prior.alpha_bar[1:].float(), plan.alphas_cumprod[:-1], rtol=1e-3, atol=1e-7
    )
    assert prior(torch.randn(1, 3, 8, 8), 999).x0.isfinite().all()


@pytest.mark.parametrize(
    "variance, used", [("learned_range", True), ("learned", False), ("fixed_small", False)]
)
def test_a_learned_variance_is_used_where_it_is_a_fraction(saved, variance, used):
    folder, net, _ = saved(schedule={"variance_type": variance}, out_channels=6)
    prior = load_hub_prior(str(folder), device="cpu", dtype="float32")
    x = torch.randn(1, 3, 16, 16)
    with torch.no_grad():
        eps, _, v = prior(x, 300)
        out = net(x, 299).sample
    torch.testing.assert_close(eps, out[:, :3])
    assert (v is not None) == used
    if used:
        torch.testing.assert_close(v, out[:, 3:])


@pytest.mark.parametrize("flat", [False, True])
def test_any_size_offline_and_what_is_reported(saved, flat, monkeypatch):
    monkeypatch.setattr("gdp.prior.hub.download", lambda *_: pytest.fail("asked the network"))
    folder, _, _ = saved(flat=flat)
    prior = make(compose("prior=hub", f"prior.repo='{folder}'", "device=cpu").prior)
    weights = next(folder.rglob("*.safetensors"))
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert prior.source == {
        "file": str(weights.relative_to(folder)),
        "sha256": digest,
        "repo": str(folder),
    }
    assert (
        prior.net.image_size == 16
        and prior.net.divisor == 2
        and not any(p.requires_grad for p in prior.parameters())
    )
    assert prior(torch.randn(2, 3, 7, 19), 10).eps.shape == (2, 3, 7, 19)
    assert TiledPrior(prior, tile=16, overlap=4)(torch.randn(1, 3, 40, 24), 10).eps.shape == (
        1,
        3,
        40,
        24,
    )
    with pytest.raises(ValueError, match="sha256"):
        load_hub_prior(str(folder), sha256="0" * 64)


def test_gradients_in_x(saved):
    folder, net, _ = saved()
    prior, x = (
        load_hub_prior(str(folder), device="cpu", dtype="float32"),
        torch.randn(1, 3, 16, 16, requires_grad=True),
    )
    (ours,) = torch.autograd.grad(prior(x, 500).eps.square().sum(), x)
    (theirs,) = torch.autograd.grad(net(x, 499).sample.square().sum(), x)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-5)


def test_classes(saved):
    folder, net, _ = saved(num_class_embeds=10)
    x = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        eps = load_hub_prior(str(folder), label=3, device="cpu", dtype="float32")(x, 8).eps
        torch.testing.assert_close(eps, net(x, 7, class_labels=torch.tensor([3, 3])).sample)
    with pytest.raises(ValueError, match=r"prior\.label=0\.\.9"):
        load_hub_prior(str(folder))


class Gaussian(torch.nn.Module):
    """The best prediction of `kind` for grey pixels of variance `s2` about 0."""

    num_classes = None

    def __init__(self, s2, alpha_bar, kind):
        super().__init__()
        self.s2, self.alpha_bar, self.kind = s2, alpha_bar, kind

    def forward(self, x, timesteps, labels):
        a = float(self.alpha_bar[int(timesteps[0]) + 1])
        x0 = a**0.5 * self.s2 * x / (a * self.s2 + 1 - a)
        eps = (x - a**0.5 * x0) / (1 - a) ** 0.5
        return {"epsilon": eps, "sample": x0, "v_prediction": a**0.5 * eps - (1 - a) ** 0.5 * x0}[
            self.kind
        ]


@given(
    st.integers(30, 900),
    st.floats(0.05, 1.5),
    st.sampled_from(["epsilon", "v_prediction", "sample"]),
)
@settings(max_examples=20, deadline=None)
def test_a_grey_prior_is_the_best_guess_at_grey_pictures_in_colour(t, s2, kind):
    alpha_bar = torch.cat([torch.ones(1), torch.cumprod(1 - betas(), 0)])
    prior = HubPrior(Gaussian(s2, alpha_bar, kind), betas(), None, kind, channels=1)
    x, a = torch.randn(1, 3, 6, 6), prior.a(t)
    x0 = (
        a**0.5 * s2 * x.sum(1, keepdim=True) / (3 * a * s2 + 1 - a)
    )  # E[x0 | x_t]: three looks at one number
    said = prior(x, t)
    torch.testing.assert_close(
        said.x0, x0.expand(-1, 3, -1, -1), atol=0.02 * float(x0.abs().max()), rtol=0.02
    )
    torch.testing.assert_close(
        a**0.5 * said.x0 + (1 - a) ** 0.5 * said.eps, x, atol=1e-4, rtol=1e-4
    )


def test_a_grey_network_restores(saved):
    folder, _, _ = saved(in_channels=1, out_channels=1)
    prior = load_hub_prior(str(folder), device="cpu")
    eps, x0, v = prior(torch.randn(2, 3, 9, 12), 500)
    assert eps.shape == (2, 3, 9, 12) and v is None
    torch.testing.assert_close(x0[:, 0], x0[:, 2], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "file, changes, match",
    [
        ("scheduler/scheduler_config.json", {"_class_name": "ScoreSdeVeScheduler"}, "no DDPM"),
        (
            "scheduler/scheduler_config.json",
            {"prediction_type": "flow_prediction"},
            "epsilon, v_prediction",
        ),
        ("unet/config.json", {"_class_name": "UNet2DConditionModel"}, "UNet2DModel"),
        ("unet/config.json", {"time_embedding_type": "fourier"}, "continuous time"),
        ("unet/config.json", {"in_channels": 4, "out_channels": 4}, "1 or 3"),
        ("unet/config.json", {"class_embed_type": "timestep"}, "num_class_embeds"),
        ("unet/config.json", {"layers_per_block": 2}, "another network|cannot be loaded"),
        ("unet/config.json", {"block_out_channels": [32, 32]}, "cannot be loaded"),
    ],
)
def test_what_is_no_unconditional_ddpm_is_refused(saved, file, changes, match):
    folder, _, _ = saved()
    rewrite(folder / file, **changes)
    with pytest.raises(ValueError, match=match):
        load_hub_prior(str(folder), device="cpu")


def test_a_pickle_is_refused_and_converted_as_told(saved, tmp_path):
    folder, net, plan = saved()
    from diffusers import DDPMPipeline

    DDPMPipeline(net, plan).save_pretrained(tmp_path / "old", safe_serialization=False)
    with pytest.raises(FileNotFoundError, match=r"may run code.*prior\.repo=NEW"):
        load_hub_prior(str(tmp_path / "old"))
    DDPMPipeline.from_pretrained(tmp_path / "old", use_safetensors=False).save_pretrained(
        tmp_path / "new"
    )
    x, ours = (
        torch.randn(1, 3, 16, 16),
        load_hub_prior(str(tmp_path / "new"), device="cpu", dtype="float32"),
    )
    torch.testing.assert_close(
        ours(x, 5).eps, load_hub_prior(str(folder), device="cpu", dtype="float32")(x, 5).eps
    )


def test_broken_folders_are_refused(saved):
    folder, _, _ = saved()
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot be loaded"):
        load_hub_prior(str(folder))
    weights.unlink()
    with pytest.raises(FileNotFoundError, match=r"no diffusion_pytorch_model\.safetensors"):
        load_hub_prior(str(folder))
    (folder / "scheduler" / "scheduler_config.json").write_text("{")
    with pytest.raises(ValueError, match="JSON"):
        load_hub_prior(str(folder))
    (folder / "scheduler" / "scheduler_config.json").unlink()
    with pytest.raises(FileNotFoundError, match="scheduler_config"):
        load_hub_prior(str(folder))


def test_the_hub_is_asked_for_no_more_than_is_needed(saved, monkeypatch, tmp_path):
    folder, _, _ = saved()
    asked = {}

    def snapshot(repo, revision, allow_patterns):
        asked.update(repo=repo, revision=revision, patterns=allow_patterns)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    prior = load_hub_prior("someone/some-model", revision="abc", device="cpu")
    assert asked["repo"] == "someone/some-model" and asked["revision"] == "abc"
    assert all(name.endswith((".json", ".safetensors")) for name in asked["patterns"])
    assert prior.source["repo"] == "someone/some-model" and prior.source["revision"] == "m"

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    with pytest.raises(FileNotFoundError, match=r"no network.*prior\.repo=FOLDER"):
        load_hub_prior("someone/some-model")


def test_without_diffusers_the_remedy_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("gdp.prior.hub.find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"pip install -e '\.\[hub\]'"):
        load_hub_prior(str(tmp_path))
