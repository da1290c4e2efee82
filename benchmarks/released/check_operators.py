"""Parity of operators with DDNM's SVD classes."""

import re
from pathlib import Path
from typing import Any

import torch

from benchmarks.released.models import Recorded
from benchmarks.released.operators import (
    OPERATORS,
    ShippedBlur,
    Spectrum,
    TiledBlur,
    basis,
    blur,
    pack,
    unpack,
)
from benchmarks.released.rows import Fixture, Rows, compare, load, not_built
from gdp.prior.prior import Prior
from operators.base import SpectralOperator
from operators.missing.mask import Mask
from operators.size.bicubic import Bicubic, keys_cubic
from operators.size.separable import Separable
from samplers.ddnm import DDNM


def check_operators(file: Path) -> Rows:
    """Check A, A^T, A^+, functions of the singular values, and DDNM+'s weights of them."""
    z = load(file)
    for op in dict.fromkeys(k.split(".")[0] for k in z if "." in k):
        if op not in OPERATORS:
            parts = rf"{op}\.(y$|pinv|At|Lambda|singulars)"
            yield from not_built(*(k for k in z if re.match(parts, k)))
            continue

        A = OPERATORS[op](z)
        yield from blur_rows(op, A, z) if isinstance(A, ShippedBlur) else operator_rows(op, A, z)
        yield from matrix_rows(op, A, z)
        if f"{op}.Lambda_lo" in z:
            yield from weight_rows(op, z)


def operator_rows(op: str, A: Any, z: Fixture) -> Rows:
    """Check an operator of the product on x, y and y2."""
    x, like = z["x"], A(z["x"])
    y, y2 = (unpack(A, z[f"{op}.{name}"], like) for name in ("y", "y2"))
    yield compare(f"{op}.y", pack(A, like), z[f"{op}.y"])
    yield compare(f"{op}.pinv_y", A.pinv(y), z[f"{op}.pinv_y"])
    yield compare(f"{op}.pinv_y2", A.pinv(y2), z[f"{op}.pinv_y2"])
    yield compare(f"{op}.At_y2", A.adjoint(y2), z[f"{op}.At_y2"])
    key, eta = damped(op, z)
    yield compare(key, A.spectral(A.pinv(y2), lambda s: s**2 / (s**2 + eta)), z[key])

    # Singular values, as many as the reference has
    if isinstance(A, Bicubic):
        h, w = A.both(x.shape, x)
        singulars = (h.s[:, None] * w.s).flatten().repeat_interleave(x.shape[1])
    else:
        singulars = torch.full_like(pack(A, like), A.s)
    if f"{op}.singulars" in z:
        want = z[f"{op}.singulars"]
        yield compare(f"{op}.singulars", singulars.flatten()[: want.numel()], want)

    # Where a mask's pixels lie, pixel-major and channel-major
    if isinstance(A, Mask):
        pixel, channel = torch.arange(A.mask.numel()), torch.arange(x.shape[1])
        seen, missing = (pixel[A.mask.flatten() == m] * len(channel) for m in (1, 0))
        indices = {"kept": seen[:, None] + channel, "missing": missing + channel[:, None]}
        for name, places in indices.items():
            yield compare(f"{op}.{name}_indices", places, z[f"{op}.{name}_indices"], 0.0)


def blur_rows(op: str, A: ShippedBlur, z: Fixture) -> Rows:
    """Check a blur as it is meant (`fixed`, on our separable operators), and as shipped."""
    key, eta = damped(op, z)
    tiled = TiledBlur(z, op, A)

    for B, name in ((A, f"{op}.fixed_"), (tiled, f"{op}.")):
        y, y2 = z[f"{name}y"].view_as(z["x"]), z[f"{op}.y2"].view_as(z["x"])
        yield compare(f"{name}y", B(z["x"]), z[f"{name}y"])
        yield compare(f"{name}pinv_y", B.pinv(y), z[f"{name}pinv_y"])
        yield compare(f"{name}pinv_y2", B.pinv(y2), z[f"{name}pinv_y2"])
        yield compare(f"{name}At_y2", B.adjoint(y2), z[f"{name}At_y2"])

    yield compare(key, tiled.pinv(y2, eta), z[key])
    yield compare(f"{op}.singulars", tiled.s, z[f"{op}.singulars"])


def matrix_rows(op: str, A: SpectralOperator, z: Fixture) -> Rows:
    """Check the 1-D matrices of a separable operator and their singular values."""
    parts: dict[str, Separable] = {}
    if isinstance(A, ShippedBlur):
        parts = {"": A.down, "_1": A.down, "_2": A.across}
    elif isinstance(A, Bicubic):
        parts = {"": A}
        taps = keys_cubic((torch.arange(4 * A.r).double() - 2 * A.r + 0.5) / A.r)
        yield compare(f"{op}.kernel", taps / taps.sum(), z[f"{op}.kernel"])
        s = A.factors(z["x"].shape[-1], z["x"]).s
        yield compare(f"{op}.s1d_thresholded", s, z[f"{op}.s1d_thresholded"])

    for end in (e for e in parts if f"{op}.A1d{e}" in z):
        matrix = parts[end].matrix(z["x"].shape[-2])
        yield compare(f"{op}.A1d{end}", matrix, z[f"{op}.A1d{end}"])
        yield compare(f"{op}.s1d_raw{end}", torch.linalg.svdvals(matrix), z[f"{op}.s1d_raw{end}"])


def weight_rows(op: str, z: Fixture) -> Rows:
    """Check Lambda and Lambda_noise, by one step of our sampler.

    They depend on sigma_t and a sigma_y only: a^2 + sigma_t^2 need not be 1.
    """
    a, sigma_y, eta, *sigmas = z["lam_params"].tolist()
    A = blur(z, op, threshold=0.0) if op.startswith("deblur") else OPERATORS[op](z)
    V, sampler = basis(z, op), DDNM(eta=eta)
    vector, eps = (z[f"{op}.{name}"].view_as(z["x"]) for name in ("lam_vec", "lam_eps"))

    # One step at t = 1, with the noise as the operator's
    zero = torch.zeros_like(vector)
    for end, sigma in zip(("lo", "hi"), sigmas, strict=True):
        prior = Prior(None, torch.tensor([sigma**2], dtype=torch.float64))
        bare = Spectrum(A, a * sigma_y / (1 - sigma**2) ** 0.5)

        # The reference's lam is 1 where s = 0; behind A^+ it never counts
        unseen = A.spectral(vector.double(), lambda s: (s == 0).to(s))
        x0_hat = unseen + sampler.noisy(zero, zero, 1, prior, bare, vector, Recorded(zero))[1]
        noise = sampler.noisy(zero, V(eps), 1, prior, bare, zero, Recorded(vector, V))[0]
        yield compare(f"{op}.Lambda_{end}", x0_hat, z[f"{op}.Lambda_{end}"])
        yield compare(f"{op}.Lambda_noise_{end}", noise, z[f"{op}.Lambda_noise_{end}"])


def damped(op: str, z: Fixture) -> tuple[str, float]:
    """Find the key of A^+ damped by eta, and eta in it."""
    key = next(k for k in z if k.startswith(f"{op}.pinv_eta"))
    return key, float(key.split("pinv_eta")[1].removesuffix("_y2"))
