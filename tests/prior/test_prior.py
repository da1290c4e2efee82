"""The network, the schedule, and the prior around them."""

import itertools
import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.network.unet import UNet, arguments_from_flags
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.noise import Noise
from gdp.prior.prior import Prior, learned_variance, reflect_to_multiple
from gdp.prior.schedule import Schedule, betas, respaced

TINY = {
    "model_channels": 32,
    "num_res_blocks": 1,
    "channel_mult": (1, 2),
    "attention_downsampling": (2,),
    "num_head_channels": 16,
}


def tiny(**more):
    """A small UNet with weights that matter everywhere."""
    net = UNet(**{**TINY, **more})
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.05)
    return net.eval()


@pytest.mark.parametrize("new_order", [False, True])
def test_unet_heads_and_shapes(new_order):
    net = tiny(use_new_attention_order=new_order)
    x = torch.randn(2, 3, 16, 24)
    out = net(x, torch.tensor([3.0, 700.5]))
    assert out.shape == (2, 6, 16, 24) and out.isfinite().all()
    torch.testing.assert_close(net(x[1:], torch.tensor([700.5])), out[1:], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(
        net(x.contiguous(memory_format=torch.channels_last), torch.tensor([3.0, 700.5])), out
    )


def test_plain_resampling_and_no_scale_shift():
    net = tiny(resblock_updown=False, use_scale_shift_norm=False, num_head_channels=-1, num_heads=2)
    assert net(torch.randn(1, 3, 8, 8), torch.tensor([1.0])).shape == (1, 6, 8, 8)
    assert (
        "input_blocks.2.0.op.weight" in net.state_dict()
        and "output_blocks.1.2.conv.weight" in net.state_dict()
    )
    with pytest.raises(ValueError, match="heads"):
        UNet(**{**TINY, "num_head_channels": -1, "num_heads": 3})


def test_flags_make_the_published_network():
    flags = {
        "image_size": 256,
        "num_channels": 256,
        "num_res_blocks": 2,
        "attention_resolutions": "32,16,8",
    }
    with torch.device("meta"):
        net = UNet(**arguments_from_flags(**flags, num_head_channels=64, learn_sigma=True))
    assert sum(p.numel() for p in net.parameters()) == 552_814_086


def test_published_keys(golden):
    for file in sorted(golden.glob("adm_keys_*.json")):
        known = json.loads(file.read_text())
        with torch.device("meta"):
            net = UNet(**arguments_from_flags(**known["config"]))
        assert {k: list(v.shape) for k, v in net.state_dict().items()} == known["keys"]


def test_a_training_step_moves_every_parameter():
    net = UNet(**TINY).train()
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(4):
        optimizer.zero_grad()
        net(torch.randn(2, 3, 8, 8), torch.tensor([5.0, 900.0])).square().add(
            1
        ).log().sum().backward()
        if all(p.grad is not None for p in net.parameters()):
            net.out[-1].bias.grad += 1
        optimizer.step()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 2, 8, 32]))
@settings(max_examples=60, deadline=None)
def test_reflection_fits_any_size(h, w, divisor):
    x = torch.arange(h * w, dtype=torch.float32).view(1, 1, h, w)
    z = reflect_to_multiple(x, divisor)
    assert z.shape[-2] % divisor == 0 and z.shape[-1] % divisor == 0
    assert z.shape[-2] - h < divisor and z.shape[-1] - w < divisor
    torch.testing.assert_close(z[..., :h, :w], x)
    if h > 1 and z.shape[-2] > h:
        torch.testing.assert_close(z[..., h, :w], x[..., h - 2, :])


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (7, 3), (16, 16)])
def test_prior_takes_any_size(size):
    prior = Prior(tiny(), betas())
    eps, x0, v = prior(torch.randn(2, 3, *size), 500)
    assert eps.shape == x0.shape == v.shape == (2, 3, *size)
    assert prior.calls == 1 and prior.pixels == 2 * math.prod(-(-n // 2) * 2 for n in size)
    assert not any(p.requires_grad for p in prior.parameters())


def test_prior_feeds_its_network_t_minus_one():
    class Spy(torch.nn.Module):
        def forward(self, x, timesteps, labels):
            self.seen = timesteps.tolist(), labels
            return torch.cat([x, x], 1)

    prior = Prior(Spy(), betas())
    prior(torch.zeros(2, 3, 4, 4), 951)
    assert prior.net.seen == ([950.0, 950.0], None)
    Prior(tiny(num_classes=10), betas(), label=3)(torch.zeros(1, 3, 4, 4), 1)


@pytest.mark.parametrize("classes, label", [(10, None), (10, 10), (10, -1), (None, 3)])
def test_labels_are_required_where_there_are_classes(classes, label):
    with pytest.raises(ValueError, match="label"):
        Prior(tiny(num_classes=classes), betas(), label)


def test_prior_is_differentiable_in_x_alone():
    prior = Prior(tiny(), betas())
    x = torch.randn(1, 3, 8, 8, requires_grad=True)
    (g,) = torch.autograd.grad(prior(x, 300).x0.square().sum(), x)
    assert g.isfinite().all() and float(g.abs().sum()) > 0


def test_posterior_composes():
    """Two steps of q's posterior equal one: x_s | x_t, x0 has the moments that diffusing x0 and conditioning give."""
    prior, x0, x = GaussianPrior(), torch.full((1, 1, 1, 1), 0.7), torch.full((1, 1, 1, 1), -0.4)
    m_tr, s_tr = prior.posterior(x, x0, 600, 300, None)
    m_tu, s_tu = prior.posterior(x, x0, 600, 450, None)
    slope = (
        prior.posterior(x + 1, x0, 450, 300, None)[0] - prior.posterior(x, x0, 450, 300, None)[0]
    ).item()
    m_two, s_two = prior.posterior(m_tu, x0, 450, 300, None)
    torch.testing.assert_close(m_two, m_tr)
    assert s_two**2 + (slope * s_tu) ** 2 == pytest.approx(s_tr**2, rel=1e-6)
    assert prior.posterior(x, x0, 5, 0, None)[1] == 0
    torch.testing.assert_close(prior.posterior(x, x0, 5, 0, None)[0], x0)


def test_learned_variance_interpolates():
    v = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(learned_variance(v, 0.04, 0.01), torch.tensor([0.01, 0.02, 0.04]))


def test_diffusion_has_the_right_moments():
    prior, x = GaussianPrior(), torch.full((4, 3, 50, 50), 0.5)
    z = prior.diffuse(x, 0, 400, Noise(range(4)))
    two = prior.diffuse(prior.diffuse(x, 0, 150, Noise(range(4))), 150, 400, Noise(range(4, 8)))
    for sample in (z, two):
        assert float(sample.mean()) == pytest.approx(0.5 * prior.a(400) ** 0.5, abs=0.02)
        assert float(sample.var()) == pytest.approx(1 - prior.a(400), rel=0.03)


def test_gaussian_prior_denoises_exactly():
    """Its x0 is the conditional mean: uncorrelated with what is left over, whatever the covariance."""
    covariance = torch.tensor([[1.0, 0.6, 0.0], [0.6, 1.0, 0.3], [0.0, 0.3, 0.5]])
    prior = GaussianPrior(0.1, covariance=covariance)
    x = (0.1 + torch.randn(40000, 3) @ torch.linalg.cholesky(covariance).T).view(-1, 3, 1, 1)
    noisy = prior.a(300) ** 0.5 * x + (1 - prior.a(300)) ** 0.5 * torch.randn_like(x)
    error = (prior(noisy, 300).x0 - x).flatten(1)
    assert (error.T @ (noisy.flatten(1) - noisy.flatten(1).mean(0)) / len(x)).abs().max() < 0.02
    torch.testing.assert_close(
        GaussianPrior(0.1, 0.5)(noisy, 300).x0,
        GaussianPrior(0.1, covariance=0.25 * torch.eye(3))(noisy, 300).x0,
    )


@pytest.mark.parametrize(
    "T, steps, top",
    [(1000, 50, 981), (1000, 1000, 1000), (1000, 30, 958), (1000, 1, 1), (100, 7, 85)],
)
def test_strided_times(T, steps, top):
    times = Schedule(steps).times(T)
    assert len(times) == steps and times[0] == 1 and times[-1] == top


@given(
    st.integers(1, 300),
    st.sampled_from(["strided", "respaced", "quadratic"]),
    st.integers(1, 20),
    st.integers(1, 3),
)
@settings(max_examples=80, deadline=None)
def test_every_schedule_walks_down_to_the_clean_image(steps, spacing, travel, repeat):
    schedule = Schedule(steps, travel, repeat, spacing=spacing)
    pairs = list(schedule.pairs(300))
    times = schedule.times(300)
    assert times == sorted(set(times)) and times[0] >= 1 and times[-1] <= 300
    assert pairs[0][0] == times[-1] and pairs[-1][1] == 0
    assert all(a[1] == b[0] for a, b in itertools.pairwise(pairs))
    assert schedule.nfe(300) == sum(s < t for t, s in pairs) >= len(times)
    assert all(t > 0 for t, s in pairs)


def test_time_travel_counts_as_published():
    """RePaint's T = 250, jumps of 10, 10 times; DDNM's 100 steps, 10 x 3."""
    assert Schedule(250, 10, 10).nfe(1000) == 2410
    assert Schedule(100, 10, 3).nfe(1000) == 280


def test_respacing_visits_both_ends():
    assert respaced(1000, [50])[0] == 1 and respaced(1000, [50])[-1] == 1000
    assert len(respaced(1000, [10, 15, 20])) == 45
    with pytest.raises(ValueError, match="section"):
        respaced(30, [5, 20])


@pytest.mark.parametrize(
    "bad",
    [
        {"steps": 0},
        {"steps": 1.5},
        {"steps": True},
        {"travel": 0},
        {"repeat": -1},
        {"start": 0.0},
        {"start": 1.1},
        {"spacing": "x"},
    ],
)
def test_bad_schedules(bad):
    with pytest.raises(ValueError):
        Schedule(**bad)


def test_too_many_steps():
    with pytest.raises(ValueError, match="1 to 1000"):
        list(Schedule(1001).pairs(1000))
    with pytest.raises(ValueError, match="1 to 100"):
        list(Schedule(101, start=0.1).pairs(1000))


@pytest.mark.parametrize("name", ["linear", "cosine"])
def test_betas(name):
    b = betas(1000, name)
    assert b.dtype == torch.float64 and len(b) == 1000 and (b > 0).all() and (b < 1).all()
    with pytest.raises(ValueError, match="linear or cosine"):
        betas(10, "square")
