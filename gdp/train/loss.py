"""The training loss of "Improved Denoising Diffusion Probabilistic Models".

(Nichol & Dhariwal, 2021; equation numbers are of that paper, those of DDPM marked.)

    x_t      = sqrt(a_t) x0 + sqrt(1 - a_t) eps                     a_t: alpha_bar_t
    eps_, v  = net(x_t, t - 1)
    L_simple = |eps - eps_|^2                                       Eq. 14 of DDPM
    L_vlb    = KL(q(x_{t-1} | x_t, x0) || p(x_{t-1} | x_t)),  t > 1    Eq. 4-6, in bits per value
             = -log p(x0 | x_1), a Gaussian integrated over x0's 8-bit bin,  t = 1
    L        = L_simple + 0.001 T L_vlb                             Eq. 16; one term times T

p has the mean of eps_, held constant in L_vlb, and the variance
exp(f log beta_t + (1 - f) log var_t), f = (v + 1) / 2 (Eq. 15).
Both means are linear in the noise, so
mean_q - mean_p = beta_t / sqrt((1 - beta_t) (1 - a_t)) (eps_ - eps), free of cancellation.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gdp.train.data import collate
from gdp.train.photos import Draw

# Equal parts of the diffusion time, in reports of the held-out loss
BUCKETS = 10

# Mean and std of ln(sigma), in pictures of [-1, 1] (EDM, Table 1)
LOG_SIGMA = (-1.2, 1.2)

# Noise of pictures in [-1, 1] at which restorations spend their calls
RESTORED = (0.03, 2.0)


class HybridLoss(nn.Module):
    """L of a batch; a network without v is trained by L_simple alone.

    Args:
        betas: the diffusion process [T].
        spread: how times are drawn in training: `uniform`, or by `sigma`, 30 % uniform and 70 % by
            a log-normal density of the noise level (EDM's; Karras et al., 2022), where restoration
            spends its calls.

    Raises:
        ValueError: there are too few steps for the noise schedule.
    """

    # Tables over t = 0..T, [T + 1, 1, 1, 1]
    signal: Tensor
    sigma: Tensor
    log_beta: Tensor
    log_var: Tensor
    mean_gap: Tensor

    quantiles: Tensor  # of the times that are drawn, [T]
    noise_edges: Tensor  # between the noise levels' logarithms of neighbouring times, [T - 1]

    def __init__(self, betas: Tensor, spread: str = "uniform"):
        super().__init__()
        if len(betas) < 2 or betas.max() >= 1:
            raise ValueError(
                f"{len(betas)} diffusion steps are too few for this noise schedule; "
                "ask for 50 or more"
            )
        self.T = len(betas)

        # q(x_t | x0)
        a = torch.cat([torch.ones(1).double(), torch.cumprod(1 - betas.double(), 0)])
        self.add_table("signal", a.sqrt())
        self.add_table("sigma", (1 - a).sqrt())

        # q(x_{t-1} | x_t, x0); var_1 = 0 has no logarithm, so var_2 as in the papers' code
        var = betas * (1 - a[:-1]) / (1 - a[1:])
        var[0] = var[1]
        self.add_table("log_beta", betas.log(), pad=True)
        self.add_table("log_var", var.log(), pad=True)
        self.add_table("mean_gap", betas / ((1 - betas) * (1 - a[1:])).sqrt(), pad=True)

        # Times by their noise level
        noise = ((1 - a[1:]) / a[1:]).sqrt()
        density = torch.full((self.T,), 1 / self.T, dtype=torch.float64)
        if spread == "sigma":
            density = 0.3 * density + 0.7 * log_normal(noise)
        self.register_buffer("quantiles", density.cumsum(0).float(), persistent=False)
        edges = (noise[1:] * noise[:-1]).sqrt().log().float()
        self.register_buffer("noise_edges", edges, persistent=False)

    def add_table(self, name: str, values: Tensor, pad: bool = False) -> None:
        """Register values for t = 0..T, or with `pad` for t = 1..T."""
        values = torch.cat([values[:1], values]) if pad else values
        self.register_buffer(name, values.float()[:, None, None, None], persistent=False)

    def times(self, u: Tensor) -> Tensor:
        """Map fractions in [0, 1) to times 1..T, evenly."""
        return 1 + (u * self.T).long().clamp(max=self.T - 1)

    def drawn_times(self, u: Tensor) -> Tensor:
        """Map fractions in [0, 1) to times 1..T by the density of training."""
        t = torch.searchsorted(self.quantiles, u.float(), right=True)
        return 1 + t.clamp(max=self.T - 1)

    def restored_times(self, u: Tensor) -> Tensor:
        """Map fractions in [0, 1) to the times of noise spread evenly by its logarithm."""
        low, high = (math.log(level) for level in RESTORED)
        level = low + u.float() * (high - low)
        return 1 + torch.searchsorted(self.noise_edges, level)

    def diffuse(self, x0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """Diffuse images [B, 3, H, W] to times t [B]: x_t."""
        return self.signal[t] * x0 + self.sigma[t] * eps

    def forward(self, net: nn.Module, x0: Tensor, t: Tensor, eps: Tensor) -> tuple[Tensor, Tensor]:
        """Compute the loss of a batch.

        Args:
            net: from (x_t, t - 1) to eps, or to eps and v.
            x0: images [B, 3, H, W] in [-1, 1].
            t: times [B], 1..T.
            eps: noise [B, 3, H, W].

        Returns:
            (L, L_simple), means over the batch.
        """
        eps_hat, *v = net(self.diffuse(x0, t, eps), t - 1).float().split(x0.shape[1], 1)
        simple = (eps - eps_hat).square().mean()
        if not v:
            return simple, simple

        # The bound trains the variance alone
        return simple + 0.001 * self.T * self.vlb(x0, t, eps, eps_hat.detach(), v[0]).mean(), simple

    def vlb(self, x0: Tensor, t: Tensor, eps: Tensor, eps_hat: Tensor, v: Tensor) -> Tensor:
        """Compute the variational bound's term of time t [B], per image, in bits per value."""
        gap = self.mean_gap[t] * (eps_hat - eps)
        log_var, f = self.log_var[t], (v + 1) / 2
        log_var_hat = f * self.log_beta[t] + (1 - f) * log_var

        # t = 1 is a likelihood, the others are KL divergences
        first = (t == 1)[:, None, None, None]
        nats = torch.where(
            first, bin_nll(x0, x0 - gap, log_var_hat), gaussian_kl(gap, log_var, log_var_hat)
        )
        return nats.mean((1, 2, 3)) / math.log(2)


def log_normal(sigma: Tensor) -> Tensor:
    """Probabilities of noise levels sigma [T] > 0, ascending, under EDM's log-normal density."""
    edges = torch.cat([sigma[:1], (sigma[1:] * sigma[:-1]).sqrt(), sigma[-1:]]).log()
    mean, std = LOG_SIGMA
    mass = torch.special.ndtr((edges - mean) / std).diff()
    return mass / mass.sum()


def gaussian_kl(gap: Tensor, log_var: Tensor, log_var_hat: Tensor) -> Tensor:
    """KL(N(m + gap, exp log_var) || N(m, exp log_var_hat)) in nats."""
    return 0.5 * (
        log_var_hat
        - log_var
        + (log_var - log_var_hat).exp()
        + gap.square() * (-log_var_hat).exp()
        - 1
    )


def bin_nll(x0: Tensor, mean: Tensor, log_var: Tensor) -> Tensor:
    """-log of N(mean, exp log_var) over the 8-bit bin of x0, in nats.

    The bins of -1 and 1 are open outwards.
    """
    scale = (-0.5 * log_var).exp()
    above = torch.special.ndtr((x0 - mean + 1 / 255) * scale).masked_fill(x0 > 0.999, 1)
    below = torch.special.ndtr((x0 - mean - 1 / 255) * scale).masked_fill(x0 < -0.999, 0)
    return -(above - below).clamp(min=1e-12).log()


@torch.inference_mode()
def heldout_errors(
    net: nn.Module,
    loss: HybridLoss,
    items: Sequence[Draw],
    times: Callable[[Tensor], Tensor],
    device: torch.device,
) -> Tensor:
    """Measure the eps MSE of a network on each of some held-out crops.

    Args:
        net: the network.
        loss: its diffusion process.
        items: crops, fractions and noise, as of `Photos.held_out`.
        times: from the fractions to times: `loss.times` or `loss.restored_times`.
        device: where it is computed.

    Returns:
        MSE by crop [N].
    """
    errors = []
    for start in range(0, len(items), 32):
        x0, eps, u = collate(items[start : start + 32]).to(device)
        t = times(u)

        # Networks that learn variances say these in further channels.
        eps_hat = net(loss.diffuse(x0, t, eps), t - 1).float()[:, : x0.shape[1]]
        errors.append((eps - eps_hat).square().mean((1, 2, 3)))

    return torch.cat(errors)


def heldout_mse(
    net: nn.Module, loss: HybridLoss, items: Sequence[Draw], buckets: int, device: torch.device
) -> list[float]:
    """Measure the eps MSE of a network by diffusion time: the mean of each of so many buckets.

    `items` are in the order of `Photos.held_out`; the others are as of `heldout_errors`.
    """
    errors = heldout_errors(net, loss, items, loss.times, device)
    return errors.view(-1, buckets).mean(0).tolist()
