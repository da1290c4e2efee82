"""Does a sampler draw from the posterior? Against the closed form, coefficient by coefficient.

    python benchmarks/measures/calibration.py [--samplers ddrm,auto] [--problems denoise,sr2]
        [--steps 100] [--truths 4] [--draws 64] [--json FILE]

Photos are Gaussian, x ~ N(m, S), smooth and with correlated colours, and the prior knows that
exactly; so p(x | y) = N(mu, C) for y = A x + noise:

    C = (A^T A / sigma^2 + S^-1)^-1        mu = m + C A^T (y - A m) / sigma^2

In C's eigenvectors a right sampler's draws are z = V^T (x - mu) / sqrt(c) ~ N(0, 1), each
independent. `seen` are coefficients that y tells (their variance falls below half the prior's),
`unseen` the others.

    bias       rms of the draws' mean of z, less what chance gives: 0 is right, 1 is off by a std
    std        rms of the draws' std of z, 1 is right; below, the sampler is too sure
    cover_90   share of truths within the central 90 % of the draws: 0.9 is right
    pit        largest distance of the distribution of Phi(z) from even: 0 is right, 0.5 is a point

`verdict`: draws, where bias is below 0.35 and both std's are between 0.75 and 1.33; nearly, between
0.5 and 2 with a bias below 0.7; else estimates, if it is too sure, or is off.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from gdp.compose.configuration import compose, make
from gdp.prior.gaussian import GaussianPrior
from operators.base import Operator
from operators.blur import blur
from operators.blur.kernels import gaussian
from operators.identity import Identity
from operators.missing.mask import RandomMask
from operators.size.avgpool import AvgPool
from samplers.restorer import Restorer

SIDE, MEAN, SPREAD, LENGTH = 8, 0.1, 0.35, 1.5  # of the photos: pixels, [-1, 1] units, pixels
COLOURS = ((1.0, 0.7, 0.5), (0.7, 1.0, 0.7), (0.5, 0.7, 1.0))  # correlations
# Operator, and std of the noise in [-1, 1] units.
PROBLEMS: dict[str, tuple[Callable[[], Operator], float]] = {
    "denoise": (Identity, 0.2),
    "inpaint": (lambda: RandomMask(0.5), 0.05),
    "sr2": (lambda: AvgPool(2), 0.05),
    "deblur": (lambda: blur(gaussian(5, 1.0), border="circular"), 0.05),
}
SAMPLERS = (
    *("auto", "anchored", "ddnm", "ddrm", "dds", "diffpir", "pigdm", "dps", "mcg", "daps"),
    *("reddiff", "gdp_linesearch", "gdp_x0", "gdp_x0_paper", "gdp_x0_v1", "gdp_xt", "gdp_xt_v1"),
    *("repaint", "ilvr", "sdedit"),
)
KNOWN = 0.5  # share of the prior's variance below which y tells a coefficient
DRAWS, NEARLY = (0.35, 0.75), (0.7, 0.5)  # largest bias, smallest std
COLUMNS = "sampler problem bias_seen bias_unseen std_seen std_unseen cover_90 pit verdict".split()


class Problem(NamedTuple):
    """A Gaussian posterior in closed form.

    Attributes:
        y: one measurement a truth, [N, ...].
        truth: [N, 3, H, W].
        mean: of the posterior, [N, n].
        values, vectors: eigenvalues [n] and eigenvectors [n, n] of its covariance.
        seen: which of them y tells, [n].
    """

    operator: Operator
    y: Tensor
    truth: Tensor
    mean: Tensor
    values: Tensor
    vectors: Tensor
    seen: Tensor


def main(arguments: list[str] | None = None) -> None:
    """Parse, sample, show."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samplers", default=",".join(SAMPLERS))
    parser.add_argument("--problems", default=",".join(PROBLEMS))
    parser.add_argument("--steps", type=int, default=100, help="at most; else the sampler's own")
    parser.add_argument("--truths", type=int, default=4, help="measurements of each problem")
    parser.add_argument("--draws", type=int, default=64, help="samples of each measurement")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args(arguments)

    prior = GaussianPrior(MEAN, covariance=covariance())
    problems = {name: posterior(*made(name), args.truths) for name in args.problems.split(",")}
    rows = []
    for sampler in args.samplers.split(","):
        for name, problem in problems.items():
            rows.append({"sampler": sampler, "problem": name})
            rows[-1] |= measure(sampler_of(sampler, args.steps), prior, problem, args.draws)
    print(table(rows, COLUMNS))
    save(rows, args.json)


def made(name: str) -> tuple[Operator, float]:
    """A problem's operator and noise."""
    operator, sigma = PROBLEMS[name]
    return operator(), sigma


def covariance() -> Tensor:
    """S [n, n] of photos [3, SIDE, SIDE]: smooth, with correlated colours."""
    i, j = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    points = torch.stack([i.flatten(), j.flatten()], 1).double()
    space = torch.exp(-torch.cdist(points, points) / LENGTH)
    return SPREAD**2 * torch.kron(torch.tensor(COLOURS, dtype=torch.float64), space)


def posterior(operator: Operator, sigma: float, truths: int) -> Problem:
    """The posterior of an operator, of truths and noise of fixed seeds."""
    S, chance = covariance(), torch.Generator().manual_seed(0)
    n = len(S)
    root = torch.linalg.cholesky(S)
    x = MEAN + torch.randn(truths, n, generator=chance, dtype=torch.float64) @ root.T
    truth = x.view(-1, 3, SIDE, SIDE)

    # A as a matrix, column by column; masks take their place by the first photo that they see.
    A = operator.with_noise(sigma).for_photo(truth[:1].float(), sigma)
    columns = torch.eye(n, dtype=torch.float64).view(n, 3, SIDE, SIDE)
    with torch.no_grad():
        flat = A(columns.float()).flatten(1).double()
        clean = A(truth.float()).double()
    y = clean + sigma * torch.randn(clean.shape, generator=chance, dtype=torch.float64)

    precision = flat @ flat.T / sigma**2 + torch.linalg.inv(S)
    values, vectors = torch.linalg.eigh(torch.linalg.inv(precision))
    misfit = y.flatten(1) - MEAN * flat.sum(0)
    mean = MEAN + misfit @ flat.T / sigma**2 @ torch.linalg.inv(precision).T
    before = (vectors.T @ S @ vectors).diagonal()
    return Problem(A, y.float(), truth, mean, values, vectors, values < KNOWN * before)


def sampler_of(name: str, steps: int) -> Restorer:
    """A sampler with its own constants, and at most so many steps."""
    cfg = compose(f"sampler={name}")
    if cfg.sampler.schedule.steps != "auto":
        cfg.sampler.schedule.steps = min(cfg.sampler.schedule.steps, steps)
    sampler = make(cfg.sampler)

    # Released scales of GDP are for 256 x 256 and 1000 steps.
    if hasattr(sampler, "gradient_point"):
        fewer = 1 if name.endswith("v1") else 1000 / cfg.sampler.schedule.steps
        sampler.scale *= SIDE**2 / 256**2 * fewer
    return sampler


def measure(sampler: Restorer, prior: GaussianPrior, problem: Problem, draws: int) -> dict:
    """Bias, std, coverage and PIT of a sampler's draws; why not, where it takes no such problem."""
    truths = len(problem.y)
    y = problem.y.repeat_interleave(draws, 0)
    try:
        x = sampler(prior, problem.operator, y, seeds=range(len(y))).x
    except (TypeError, ValueError) as refused:
        return {"verdict": "-", "why": str(refused).splitlines()[0]}

    # In the eigenvectors of C: [truths, draws, n].
    error = x.double().flatten(1).view(truths, draws, -1) - problem.mean[:, None]
    z = error @ problem.vectors / problem.values.sqrt()
    row = judged(z, problem.seen)

    # Truths among draws, pixel by pixel, as a user would read the std map.
    low, high = (x.double().view(truths, draws, -1).quantile(q, 1) for q in (0.05, 0.95))
    truth = problem.truth.flatten(1)
    row["cover_90"] = float(((truth > low) & (truth < high)).double().mean())
    return row


def judged(z: Tensor, seen: Tensor) -> dict:
    """What draws come to.

    Args:
        z: [truths, draws, n], N(0, 1) for a right sampler.
        seen: which coefficients y tells, [n].
    """
    draws = z.shape[1]
    row: dict[str, Any] = {}
    for name, part in (("seen", z[..., seen]), ("unseen", z[..., ~seen])):
        if not part.numel():
            continue
        square = part.mean(1).square().mean() - part.var(1).mean() / draws
        row[f"bias_{name}"] = float(square.clamp_min(0).sqrt())
        row[f"std_{name}"] = float(part.var(1).mean().sqrt())
    row["pit"] = distance_from_even(torch.special.ndtr(z.flatten()))

    biases, stds = ([row[k] for k in row if k.startswith(f"{of}_")] for of in ("bias", "std"))
    row["verdict"] = verdict(biases, stds)
    return row


def verdict(biases: Sequence[float], stds: Sequence[float]) -> str:
    """What a sampler does, by its largest bias, and its smallest and largest std."""
    for word, (bias, least) in (("draws", DRAWS), ("nearly", NEARLY)):
        if max(biases) < bias and min(stds) > least and max(stds) < 1 / least:
            return word
    return "estimates" if min(stds) <= NEARLY[1] else "off"


def distance_from_even(p: Tensor) -> float:
    """Kolmogorov and Smirnov's distance of values in [0, 1] from an even distribution."""
    ordered, count = p.sort().values, len(p)
    steps = torch.arange(count + 1, dtype=p.dtype) / count
    return float(torch.maximum(steps[1:] - ordered, ordered - steps[:-1]).max())


if __name__ == "__main__":
    main()
