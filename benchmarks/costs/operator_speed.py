"""The cost of each operator in network calls of the same run.

A and A^T (for a nonlinear A its gradient), A^+ and prox of a sampler's step. A^+ is of A x0 - y and
prox is about x0, where x0 is a photo-like picture and y belongs to another one near it, with noise
of 5 % of full scale. Tables that depend on the size only are made before the clock starts. On a CPU
the clock counts the seconds that one thread works, network and operators alike, so that a busy
machine changes nothing.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor

from benchmarks.pages.operator_facts import build_operator, counting, linear_of
from gdp.prior.prior import Prior
from operators.base import LinearOperator, Operator
from samplers.start.photo_like import pink

# The most that a row may have
TARGETS = {"A_AT_share": 0.1, "pinv_share": 0.3, "prox_share": 0.3, "prox_iterations": 30}

# sigma_y in [-1, 1] units, and DDNM's weight of the prior: rho = trust sigma_y^2 where a_t = 1/2
NOISE, TRUST = 0.1, 8.0


def measure_operators(prior: Prior, names: list[str], size: int, rounds: int) -> list[dict]:
    """Measure operators.

    Args:
        prior: whose network they are measured in.
        names: of conf/operator.
        size: of the picture.
        rounds: of which the best counts, for the network as for the operators.

    Returns:
        A row for each.
    """
    rows: list[dict] = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    with TemporaryDirectory() as folder, torch.no_grad():
        network = seconds(lambda: prior(picture(size, prior), prior.T // 2), rounds, prior.device)

        for name in names:
            try:
                A = linear_of(build_operator(name, Path(folder)).to(prior.device))
            except ValueError as error:
                rows.append({"operator": name, "why_not": str(error)})
                continue

            shares = cost(A, size, rounds, prior, network)
            row = {"operator": name, "network_ms": 1000 * network, **shares}
            fits = (row[k] is None or row[k] <= most for k, most in TARGETS.items())
            rows.append({**row, "within_targets": all(fits)})

    torch.set_num_threads(threads)
    return rows


def cost(A: Operator, size: int, rounds: int, prior: Prior, network: float) -> dict:
    """Measure an operator: shares of a network call, and iterations."""
    x = picture(size - size % A.divisor, prior)
    x0 = x + 0.1 * torch.randn_like(x)
    y = A(x)
    y = y + NOISE * torch.randn_like(y)

    def share(call: Callable[[], object]) -> tuple[float, int | None]:
        with counting() as runs:
            call()
        return seconds(call, rounds, prior.device) / network, max(runs, default=None)

    if not isinstance(A, LinearOperator):
        names = ("pinv_share", "pinv_iterations", "prox_share", "prox_iterations")
        nothing = dict.fromkeys(names)
        return {"A_AT_share": share(lambda: gradient(A, x0, y))[0], **nothing}

    pinv, prox = share(lambda: A.pinv(A(x0) - y)), share(lambda: A.prox(x0, y, TRUST * NOISE**2))
    return {
        "A_AT_share": share(lambda: A.adjoint(A(x)))[0],
        "pinv_share": pinv[0],
        "pinv_iterations": pinv[1],
        "prox_share": prox[0],
        "prox_iterations": prox[1],
    }


def seconds(call: Callable[[], object], rounds: int, device: torch.device) -> float:
    """Time several calls after the first, and return the least."""
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    times = []

    for _ in range(rounds + 1):
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        began = clock()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        times.append(clock() - began)

    return min(times[1:])


def gradient(A: Operator, x: Tensor, y: Tensor) -> Tensor:
    """Compute the gradient of ||A(x) - y||^2, which guidance takes for a nonlinear operator."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        return torch.autograd.grad((A(x) - y).square().sum(), x)[0]


def picture(size: int, prior: Prior) -> Tensor:
    """Draw [1, 3, size, size] with the 1/f amplitudes of photos, within about [-1, 1]."""
    z = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(0))
    x = pink(z)
    return (0.4 * x / x.std()).to(prior.device)
