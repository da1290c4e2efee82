"""The loss against closed forms."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.train.data import collate
from gdp.train.loss import HybridLoss, bin_nll, gaussian_kl, heldout_mse
from tests.train.conftest import photos_of


def test_kl_is_the_closed_form():
    mean, log_var, log_var_hat = torch.randn(3, 100).double()
    expected = kl_divergence(
        Normal(mean, (0.5 * log_var).exp()), Normal(0.0, (0.5 * log_var_hat).exp())
    )
    torch.testing.assert_close(gaussian_kl(mean, log_var, log_var_hat), expected)


@pytest.mark.parametrize("mean, log_var", [(0.3, -3.0), (-1.0, 0.5), (1.2, -9.0)])
def test_probabilities_of_all_8_bit_values_add_up_to_one(mean, log_var):
    values = torch.arange(256).double() / 127.5 - 1
    p = (-bin_nll(values, torch.full_like(values, mean), torch.full_like(values, log_var))).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("t", [2, 3, 17, 50])
def test_bound_is_the_kl_of_the_posteriors_that_samplers_use(schedule, t):
    b = betas(50, schedule)
    prior, loss = Prior(None, b), HybridLoss(b)
    x0, eps, eps_hat, v = torch.randn(4, 2, 3, 4, 4).double()
    v = v.tanh()

    x = prior.a(t) ** 0.5 * x0 + (1 - prior.a(t)) ** 0.5 * eps
    x0_hat = (x - (1 - prior.a(t)) ** 0.5 * eps_hat) / prior.a(t) ** 0.5
    q, p = prior.posterior(x, x0, t, t - 1, None), prior.posterior(x, x0_hat, t, t - 1, v)
    nats = kl_divergence(Normal(*map(torch.as_tensor, q)), Normal(*p)).mean((1, 2, 3))
    expected = nats / np.log(2)

    times = torch.full((2,), t)
    torch.testing.assert_close(loss.vlb(x0, times, eps, eps_hat, v), expected, rtol=2e-4, atol=1e-7)
    torch.testing.assert_close(loss.diffuse(x0, times, eps), x, rtol=1e-5, atol=1e-6)


def test_last_step_of_the_bound_is_the_likelihood_of_the_8_bit_image():
    b = betas(50)
    loss = HybridLoss(b)
    x0 = torch.randint(0, 256, (2, 3, 4, 4)) / 127.5 - 1
    eps, eps_hat = torch.randn(2, 2, 3, 4, 4)
    x = loss.diffuse(x0, torch.ones(2, dtype=torch.long), eps)

    mean = (x - b[0].sqrt() * eps_hat) / (1 - b[0]).sqrt()
    expected = bin_nll(x0, mean, b[0].log()).mean((1, 2, 3)) / np.log(2)

    got = loss.vlb(x0, torch.ones(2, dtype=torch.long), eps, eps_hat, torch.ones_like(x0))
    torch.testing.assert_close(got, expected.float(), rtol=1e-3, atol=1e-4)


def test_variance_bound_does_not_reach_the_noise_prediction():
    loss, out = HybridLoss(betas(50)), torch.randn(4, 6, 4, 4, requires_grad=True)
    x0, eps = torch.rand(4, 3, 4, 4) * 2 - 1, torch.randn(4, 3, 4, 4)
    total, simple = loss(lambda x, t: out, x0, torch.tensor([1, 2, 20, 50]), eps)
    (grad,) = torch.autograd.grad(total, out, retain_graph=True)
    (grad_simple,) = torch.autograd.grad(simple, out)

    assert total > simple
    assert torch.equal(grad[:, :3], grad_simple[:, :3])
    assert grad[:, 3:].abs().amin() > 0


def test_network_without_v_learns_by_the_simple_loss_and_is_told_t_minus_1():
    seen, loss = [], HybridLoss(betas(50))
    x0, eps = torch.zeros(2, 3, 4, 4), torch.randn(2, 3, 4, 4)

    def net(x, t):
        seen.append(t)
        return torch.zeros_like(x)

    total, simple = loss(net, x0, torch.tensor([1, 50]), eps)
    assert total == simple == eps.square().mean()
    assert seen[0].tolist() == [0, 49]
    assert loss.times(torch.tensor([0.0, 0.999999, 0.5])).tolist() == [1, 50, 26]


def test_heldout_mse_is_by_bucket(folder):
    items, loss = photos_of(folder).held_out(8, 5), HybridLoss(betas(50))
    got = heldout_mse(lambda x, t: torch.zeros_like(x), loss, items, 5, torch.device("cpu"))
    eps = collate(items).eps.square().mean((1, 2, 3))
    assert got == pytest.approx([eps[b::5].mean().item() for b in range(5)], rel=1e-5)


def test_times_by_noise_level():
    """They cover all of 1..T; most lie where noise is low, as EDM's density has it."""
    even, by_sigma = (HybridLoss(betas(1000, "linear"), spread) for spread in ("uniform", "sigma"))
    u = (torch.arange(20_000) + 0.5) / 20_000
    assert torch.equal(even.drawn_times(u), even.times(u))

    t = by_sigma.drawn_times(u)
    assert t.min() == 1 and t.max() == 1000 and (t.diff() >= 0).all()

    # 30 % uniform, 70 % log-normal around sigma = exp(-1.2)
    sigma = (by_sigma.sigma / by_sigma.signal).flatten()
    middle = int((sigma < torch.tensor(-1.2).exp()).sum())
    assert abs((t < middle).float().mean() - (0.3 * middle / 1000 + 0.35)) < 0.01


def test_times_of_restoration_are_even_in_the_logarithm_of_noise():
    loss = HybridLoss(betas(1000))
    u = torch.linspace(0, 1, 1001)[:-1]
    t = loss.restored_times(u)
    noise = (loss.sigma / loss.signal).flatten()[t]
    torch.testing.assert_close(noise, 0.03 * (2 / 0.03) ** u, rtol=0.12, atol=0)  # steps are coarse
    assert t.min() >= 1 and loss.sigma[t.max()] / loss.signal[t.max()] == pytest.approx(2, rel=0.01)
    few = HybridLoss(betas(50)).restored_times(u)
    assert few.min() == 1 and few.max() <= 50
