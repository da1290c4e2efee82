"""Conjugate gradients: one system per image."""

import torch

from operators.tools.solve import cg


def test_cg_solves_each_image_alone():
    M = torch.randn(12, 12, dtype=torch.float64)
    M = M @ M.T + torch.eye(12)
    b = torch.stack([torch.randn(12), 1e6 * torch.randn(12), torch.zeros(12)]).double()
    u = cg(lambda p: p @ M, b, max_iter=50, tol=1e-10)
    torch.testing.assert_close(u, torch.linalg.solve(M, b.T).T, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(
        cg(lambda p: p @ M, b[:1], max_iter=50, tol=1e-10), u[:1], rtol=1e-9, atol=1e-12
    )


def test_a_long_solution_says_how_far_it_is(caplog, monkeypatch):
    from operators.tools import solve

    now = iter(range(0, 10**6, 20))
    monkeypatch.setattr(solve, "monotonic", lambda: next(now))
    weights = torch.arange(1.0, 9.0)
    with caplog.at_level("INFO", "gdp"):
        cg(lambda u: weights * u, torch.ones(1, 8), max_iter=8)
    said = [record.getMessage() for record in caplog.records]
    assert said and all("of at most 8 iterations, off by" in line for line in said)
