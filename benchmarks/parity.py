"""Parity with the published code, number for number, on a folder of golden fixtures.

    python benchmarks/parity.py DIR [--allow-missing] [--json FILE]

One row per check of each fixture file in DIR: its name is the file's and the array's in it, max_error is max |difference| over
max |array|. What the product cannot do yet is `not_built`. Exit code 1 on a fail, and on a not_built unless --allow-missing.
"""

import argparse
import json
import math
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import save, table
from benchmarks.released import light as released_light
from benchmarks.released.reference import (
    OPERATORS,
    STEPS,
    Analytic,
    Fixed,
    Fixture,
    Recorded,
    ReferencePrior,
    ShippedBlur,
    Simplified,
    Spectrum,
    TiledBlur,
    basis,
    blur,
    coefficients,
    pack,
    trajectory,
    unpack,
    variance,
)
from gdp.network.unet import UNet, arguments_from_flags, sinusoid
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule, betas, respaced, strided
from operators.base import SpectralOperator
from operators.missing.mask import Mask
from operators.size.avgpool import AvgPool
from operators.size.bicubic import Bicubic, keys_cubic
from operators.size.separable import Separable
from samplers.base import Sampler
from samplers.ddnm import DDNM
from samplers.gdp_x0_paper import GDPx0Paper
from samplers.gdp_xt import GDPxt

COLUMNS = ("name", "max_error", "tolerance", "status")
TRAVEL, REPEAT = 5, 2  # of the runs that travel in time
NOISY_SIMPLE = 0.2  # sigma_y of the simplified loop's noisy run
Rows = Iterator[dict]


def main() -> None:
    """Parse, run, print, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--allow-missing", action="store_true", help="not_built is no failure")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    rows = list(check(args.folder))
    if not rows:
        what = (
            f"holds no fixture; it needs files such as {', '.join(list(CHECKS)[:3])}"
            if args.folder.is_dir()
            else "is no folder"
        )
        parser.exit(2, f"error: {args.folder} {what}\n")
    print(table(rows, COLUMNS))
    save(rows, args.json)
    bad = {"fail"} if args.allow_missing else {"fail", "not_built"}
    sys.exit(int(any(row["status"] in bad for row in rows)))


@torch.no_grad()
def check(folder: Path) -> Rows:
    """The rows of every fixture; one that cannot be read, or has not the arrays and sizes of its name, fails as a whole."""
    for pattern, rows_of in CHECKS.items():
        for file in sorted(folder.glob(pattern)):
            try:
                for row in rows_of(file):
                    yield {**row, "name": f"{file.stem}.{row['name']}"}
            except Exception as error:
                print(f"{file.name}: {type(error).__name__}: {error}", file=sys.stderr)
                yield {"name": file.stem, "max_error": None, "tolerance": 0.0, "status": "fail"}


def compare(name: str, got: object, want: object, tolerance: float = 2e-5) -> dict:
    """A row; another number of values, or NaN, is a fail."""
    g, w = (torch.as_tensor(v, dtype=torch.float64).flatten() for v in (got, want))
    error = float((g - w).abs().max() / (w.abs().max() or 1)) if g.shape == w.shape else math.inf
    finite = math.isfinite(error)
    status = "ok" if finite and error <= tolerance else "fail"
    return {
        "name": name,
        "max_error": error if finite else None,
        "tolerance": tolerance,
        "status": status,
    }


def not_built(*names: str) -> Rows:
    """Rows for what the product has no code for."""
    for name in names:
        yield {"name": name, "max_error": None, "tolerance": None, "status": "not_built"}


def load(file: Path) -> Fixture:
    """The arrays of a fixture."""
    with np.load(file, allow_pickle=False) as arrays:
        return {k: torch.from_numpy(np.atleast_1d(arrays[k])) for k in arrays.files}


def check_keys(file: Path) -> Rows:
    """Parameter names and shapes of the public checkpoints."""
    known = json.loads(file.read_text())
    with torch.device("meta"):
        net = UNet(**arguments_from_flags(**known["config"]))
    ours = {(k, tuple(v.shape)) for k, v in net.state_dict().items()}
    yield compare(
        "keys", len(ours ^ {(k, tuple(shape)) for k, shape in known["keys"].items()}), 0, 0.0
    )
    yield compare("n_keys", len(ours), known["n_keys"], 0.0)
    yield compare(
        "total_params", sum(p.numel() for p in net.parameters()), known["total_params"], 0.0
    )


def check_unet(file: Path) -> Rows:
    """The network: square, oblong, fractional times, block by block, and through the prior."""
    z, tolerance = load(file), 1e-5
    weights = {k[3:]: v for k, v in z.items() if k.startswith("sd.")}
    net = UNet(
        model_channels=weights["time_embed.0.weight"].shape[1],
        num_res_blocks=1,
        channel_mult=(1, 2),
        attention_downsampling=(2,),
        out_channels=len(weights["out.2.bias"]),
        num_head_channels=16,
        use_new_attention_order="neworder" in file.stem,
        num_classes=len(weights["label_emb.weight"]) if "label_emb.weight" in weights else None,
    ).eval()
    net.load_state_dict(weights)
    rms: list[Tensor] = []
    for block in (*net.input_blocks, net.middle_block, *net.output_blocks):
        block.register_forward_hook(
            lambda module, args, out: rms.append(out.square().mean().sqrt())
        )
    yield compare("out", net(z["x"], z["timesteps"], z.get("labels")), z["out"], tolerance)
    yield compare("block_rms", rms, z["block_rms"], tolerance)
    yield compare(
        "out_frac", net(z["x"], z["timesteps_frac"], z.get("labels")), z["out_frac"], tolerance
    )
    yield compare(
        "out_rect",
        net(z["x_rect"], z["timesteps_rect"], z.get("labels_rect")),
        z["out_rect"],
        tolerance,
    )
    embedded = sinusoid(z["timesteps"], net.model_channels)
    yield compare("temb_sinusoid", embedded, z["temb_sinusoid"], tolerance)
    yield compare("temb_mlp", net.time_embed(embedded), z["temb_mlp"], tolerance)
    said = []
    for i, t in enumerate(z["timesteps"].tolist()):
        prior = Prior(net, betas(), int(z["labels"][i]) if "labels" in z else None)
        said.append(
            torch.cat(
                [part for part in prior.predict(z["x"][i : i + 1], t + 1) if part is not None], 1
            )
        )
    yield compare("out_by_prior", torch.cat(said), z["out"], tolerance)


def check_schedule(file: Path) -> Rows:
    """Noise schedules, respacings, and the posterior's coefficients under both."""
    z = load(file)
    T, tolerance = len(z["linear_betas"]), 1e-9
    processes = {"": list(range(1, T + 1))}
    for name in (k.removesuffix("_timesteps") for k in z if k.endswith("_timesteps")):
        counts = [int(n) for n in re.findall(r"\d+", name)]
        processes[f"{name}_"] = (
            strided(T, counts[0]) if name.startswith("ddim") else respaced(T, counts)
        )
        yield compare(
            f"{name}_timesteps",
            torch.tensor(processes[f"{name}_"]) - 1,
            z[f"{name}_timesteps"],
            0.0,
        )
    for schedule in ("linear", "cosine"):
        for key in (k for k in z if re.fullmatch(rf"{schedule}_T\d+_betas", k)):
            yield compare(key, betas(len(z[key]), schedule), z[key], tolerance)
        prior = Prior(None, betas(T, schedule))
        for name, times in processes.items():
            for what, values in coefficients(prior, times).items():
                yield compare(
                    f"{schedule}_{name}{what}", values, z[f"{schedule}_{name}{what}"], tolerance
                )


def check_learned_range(file: Path) -> Rows:
    """Mean, variance and x0 from what the network says; each sample has its own time, maximum and tolerance, the worst counts."""
    z = load(file)
    for schedule in ("linear", "cosine"):
        processes = {f"{schedule}_": (list(range(1, STEPS + 1)), z["t"])}
        for count in (
            m[1] for m in (re.fullmatch(rf"{schedule}_r(\d+)_t_index", k) for k in z) if m
        ):
            processes[f"{schedule}_r{count}_"] = (
                respaced(STEPS, [int(count)]),
                z[f"{schedule}_r{count}_t_index"],
            )
        for process, (times, index) in processes.items():
            samples = [
                learned_range(x[None].double(), out[None].double(), schedule, times, k)
                for x, out, k in zip(z["x"], z["model_output"], index.tolist(), strict=True)
            ]
            for key in (process + what for what in samples[0] if process + what in z):
                ours = (s[key.removeprefix(process)] for s in samples)
                rows = [
                    compare(key, got, want, t) for (got, t), want in zip(ours, z[key], strict=True)
                ]
                yield max(
                    rows,
                    key=lambda r: (
                        r["status"] == "fail",
                        (r["max_error"] or 0) / (r["tolerance"] or 1),
                    ),
                )


def learned_range(
    x: Tensor, out: Tensor, schedule: str, times: list[int], k: int
) -> dict[str, tuple[object, float]]:
    """What a step from times[k] is made of, and how near the reference's float32 it must be."""
    t, s, net = times[k], times[k - 1] if k else 0, Fixed(out)
    prior = Prior(net, betas(STEPS, schedule))
    said = prior(x, t)
    assert said.v is not None
    found: dict[str, tuple[object, float]] = {"t_seen_by_model": (net.times, 0.0)}
    for clip, x0 in enumerate((said.x0, said.x0.clamp(-1, 1))):
        tolerance = 5e-4 if clip and prior.a(t) < 1e-6 else 5e-5  # x - eps cancels
        found[f"clip{clip}_pred_xstart"] = x0, tolerance
        found[f"clip{clip}_mean"] = prior.posterior(x, x0, t, s, said.v)[0], tolerance
        found[f"clip{clip}_variance"] = variance(prior, times, k, said.v), 5e-5
        found[f"clip{clip}_log_variance"] = variance(prior, times, k, said.v).log(), 5e-5
    least, most = -torch.ones(()).double(), torch.ones(()).double()
    small, large = variance(prior, times, k, least), variance(prior, times, k, most if k else least)
    found["fixed_small_variance"] = prior.posterior(x, x0, t, s, None)[1] ** 2, 5e-5
    found["fixed_small_log_variance"] = small.log(), 5e-5
    found["fixed_large_variance"], found["fixed_large_log_variance"] = (
        (large, 5e-5),
        (large.log(), 5e-5),
    )
    return found


def check_operators(file: Path) -> Rows:
    """A, A^T, A^+, functions of the singular values, and DDNM+'s weights of them."""
    z = load(file)
    for op in dict.fromkeys(k.split(".")[0] for k in z if "." in k):
        if op not in OPERATORS:
            yield from not_built(
                *(k for k in z if re.match(rf"{op}\.(y$|pinv|At|Lambda|singulars)", k))
            )
            continue
        A = OPERATORS[op](z)
        yield from blur_rows(op, A, z) if isinstance(A, ShippedBlur) else operator_rows(op, A, z)
        yield from matrix_rows(op, A, z)
        if f"{op}.Lambda_lo" in z:
            yield from weight_rows(op, z)


def operator_rows(op: str, A: Any, z: Fixture) -> Rows:
    """An operator of the product on x, y and y2."""
    x, like = z["x"], A(z["x"])
    y, y2 = (unpack(A, z[f"{op}.{name}"], like) for name in ("y", "y2"))
    yield compare(f"{op}.y", pack(A, like), z[f"{op}.y"])
    yield compare(f"{op}.pinv_y", A.pinv(y), z[f"{op}.pinv_y"])
    yield compare(f"{op}.pinv_y2", A.pinv(y2), z[f"{op}.pinv_y2"])
    yield compare(f"{op}.At_y2", A.adjoint(y2), z[f"{op}.At_y2"])
    key, eta = damped(op, z)
    yield compare(key, A.spectral(A.pinv(y2), lambda s: s**2 / (s**2 + eta)), z[key])
    if isinstance(A, Bicubic):
        h, w = A.both(x.shape, x)
        singulars = (h.s[:, None] * w.s).flatten().repeat_interleave(x.shape[1])
    else:
        singulars = torch.full_like(pack(A, like), A.s)
    if f"{op}.singulars" in z:
        yield compare(
            f"{op}.singulars",
            singulars.flatten()[: z[f"{op}.singulars"].numel()],
            z[f"{op}.singulars"],
        )
    if isinstance(A, Mask):
        pixel, channel = torch.arange(A.mask.numel()), torch.arange(x.shape[1])
        kept, missing = (pixel[A.mask.flatten() == m] * len(channel) for m in (1, 0))
        yield compare(f"{op}.kept_indices", kept[:, None] + channel, z[f"{op}.kept_indices"], 0.0)
        yield compare(
            f"{op}.missing_indices", missing + channel[:, None], z[f"{op}.missing_indices"], 0.0
        )


def blur_rows(op: str, A: ShippedBlur, z: Fixture) -> Rows:
    """A blur as it is meant (`fixed`, on the product's separable operators), and as shipped."""
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
    """The 1-D matrices of a separable operator and their singular values."""
    parts: dict[str, Separable] = {}
    if isinstance(A, ShippedBlur):
        parts = {"": A.down, "_1": A.down, "_2": A.across}
    elif isinstance(A, Bicubic):
        parts = {"": A}
        taps = keys_cubic((torch.arange(4 * A.r).double() - 2 * A.r + 0.5) / A.r)
        yield compare(f"{op}.kernel", taps / taps.sum(), z[f"{op}.kernel"])
        yield compare(
            f"{op}.s1d_thresholded",
            A.factors(z["x"].shape[-1], z["x"]).s,
            z[f"{op}.s1d_thresholded"],
        )
    for end in (e for e in parts if f"{op}.A1d{e}" in z):
        matrix = parts[end].matrix(z["x"].shape[-2])
        yield compare(f"{op}.A1d{end}", matrix, z[f"{op}.A1d{end}"])
        yield compare(f"{op}.s1d_raw{end}", torch.linalg.svdvals(matrix), z[f"{op}.s1d_raw{end}"])


def weight_rows(op: str, z: Fixture) -> Rows:
    """Lambda and Lambda_noise by `DDNM.noisy`, which depends on sigma_t and a sigma_y only: a^2 + sigma_t^2 need not be 1."""
    a, sigma_y, eta, *sigmas = z["lam_params"].tolist()
    A = blur(z, op, threshold=0.0) if op.startswith("deblur") else OPERATORS[op](z)
    V, sampler = basis(z, op), DDNM(eta=eta)
    vector, eps = (z[f"{op}.{name}"].view_as(z["x"]) for name in ("lam_vec", "lam_eps"))
    zero = torch.zeros_like(vector)
    for end, sigma in zip(("lo", "hi"), sigmas, strict=True):
        prior = Prior(None, torch.tensor([sigma**2], dtype=torch.float64))
        bare = Spectrum(A, a * sigma_y / (1 - sigma**2) ** 0.5)
        unseen = A.spectral(
            vector.double(), lambda s: (s == 0).to(s)
        )  # the reference's lam is 1 there; behind A^+ it never counts
        x0_hat = unseen + sampler.noisy(zero, zero, 1, prior, bare, vector, Recorded(zero))[1]
        noise = sampler.noisy(zero, V(eps), 1, prior, bare, zero, Recorded(vector, V))[0]
        yield compare(f"{op}.Lambda_{end}", x0_hat, z[f"{op}.Lambda_{end}"])
        yield compare(f"{op}.Lambda_noise_{end}", noise, z[f"{op}.Lambda_noise_{end}"])


def damped(op: str, z: Fixture) -> tuple[str, float]:
    """The key of A^+ damped by eta, which holds eta."""
    key = next(k for k in z if k.startswith(f"{op}.pinv_eta"))
    return key, float(key.split("pinv_eta")[1].removesuffix("_y2"))


def check_ddnm(file: Path) -> Rows:
    """DDNM and DDNM+ step by step, and the schedules of time travel."""
    z = load(file)
    yield compare(
        "model_probe_out", Analytic()(z["model_probe_x"], z["model_probe_t"]), z["model_probe_out"]
    )
    for op in (k.removesuffix(".y_clean") for k in z if k.endswith(".y_clean")):
        A = OPERATORS[op](z)
        yield compare(f"{op}.y_clean", pack(A, A(z["x_true"])), z[f"{op}.y_clean"])
    for tag in (k.removesuffix(".x") for k in z if k.endswith(".x")):
        yield from ddnm_run(tag, z)
    for key in (k for k in z if k.startswith("schedule_jump")):
        T, travel, repeat = map(int, key.split("_")[2:])
        walk = [T - 1]
        for t, s in Schedule(steps=T, travel=travel, repeat=repeat).pairs(T):
            walk += [s - 1] if s < t else range(t, s)
        yield compare(key, walk, z[key], 0.0)


def ddnm_run(tag: str, z: Fixture) -> Rows:
    """One run: `kind_operator`, and what is particular about it."""
    kind, op, *how = tag.split("_")
    noisy = kind == "plus" or "noisy" in how
    A = OPERATORS[op](z)
    y = unpack(A, z[f"{op}.y_{'noisy' if noisy else 'clean'}"], A(z["x_T"]))
    A.sigma_y = {"ddnm": 0.0, "plus": float(z["sigma_y"]), "simple": NOISY_SIMPLE * noisy}[kind]
    eta = 0.0 if "eta0" in how else 1.0 if "eta1" in how else float(z["eta"])
    travel, repeat = (TRAVEL, REPEAT) if "travel" in how else (1, 1)
    schedule = Schedule(steps=int(z["T_sampling"]), travel=travel, repeat=repeat)
    sampler: Sampler = (Simplified if kind == "simple" else DDNM)(schedule=schedule, eta=eta)
    V, net = basis(z, op) if kind == "plus" else torch.clone, Analytic()
    prior, noise = (
        ReferencePrior(net, betas(STEPS), V, STEPS // schedule.steps),
        Recorded(z["noises"], V),
    )
    x = trajectory(sampler, prior, A, y, z["x_T"], noise)
    yield compare(f"{tag}.x", x, z[f"{tag}.x"])
    yield compare(f"{tag}.x0_pred_last", prior.x0, z[f"{tag}.x0_pred_last"])
    yield from walk_rows(tag, z, net, noise)


def walk_rows(tag: str, z: Fixture, net: Analytic, noise: Recorded) -> Rows:
    """What the model was given, and how much noise was drawn: the reference draws some for the last step too, in vain."""
    if f"{tag}.t_seen" in z:
        yield compare(f"{tag}.t_seen", net.times, z[f"{tag}.t_seen"], 0.0)
    if f"{tag}.xt_in" in z:
        yield compare(f"{tag}.xt_in", torch.cat(net.inputs), z[f"{tag}.xt_in"])
    yield compare(f"{tag}.n_noise", noise.draws + 1, z[f"{tag}.n_noise"], 0.0)


def check_gdp(file: Path) -> Rows:
    """GDP's released sampler on super-resolution, step by step."""
    z = load(file)
    yield compare(
        "model_probe_out",
        Analytic(learned=True)(z["model_probe_x"], z["model_probe_t"]),
        z["model_probe_out"],
    )
    yield compare("image_lr", z["image_lr_uint8"] / 127.5 - 1, z["image_lr"])
    A, steps = AvgPool(4), len(z["timestep_map"])
    y = A(z["image_lr"])
    yield compare(
        "timestep_map", torch.tensor(respaced(STEPS, [steps])) - 1, z["timestep_map"], 0.0
    )
    scales = {
        k.removesuffix(".sample"): int(k.split("_s")[1].split(".")[0])
        for k in z
        if k.endswith(".sample")
    }
    for tag, scale in scales.items():
        relative = scale / max(scales.values())  # the file's guidance_scale is the strongest run's
        kind = GDPxt if tag.startswith("xt_") else GDPx0Paper
        sampler = kind(
            scale=relative * float(z["guidance_scale"]),
            schedule=Schedule(steps=steps, spacing="respaced"),
        )
        net, noise = Analytic(learned=True), Recorded(z["noises"])
        x = trajectory(sampler, Prior(net, betas(STEPS)), A, y, z["x_T"], noise)
        yield compare(f"{tag}.sample", x, z[f"{tag}.sample"])
        pull = -sampler.scale * sampler.guidance.gradient(z[f"{tag}.grad_at"], y, A)
        yield compare(f"{tag}.grad", pull, z[f"{tag}.grad"])
        yield from walk_rows(tag, z, net, noise)


def check_light(file: Path) -> Rows:
    """GDP's released low-light code, patches and all."""
    z = load(file)
    steps, scale, ramp = len(z["timestep_map"]), float(z["guidance_scale"]), float(z["ramp"])
    probe = Analytic(learned=True, ramp=ramp)(z["model_probe_x"], z["model_probe_t"])
    yield compare("model_probe_out", probe, z["model_probe_out"])
    times = respaced(STEPS, [steps])
    yield compare("timestep_map", torch.tensor(times) - 1, z["timestep_map"], 0.0)
    y, noises = z["image_lr_uint8"] / 255, z["noises_int8"] / 32
    net = Analytic(learned=True, ramp=ramp)
    prior, f, m = (
        Prior(net, betas(STEPS)),
        z["light_factor_init"],
        z["light_mask_init_uint8"] / 255 / 10000,
    )
    here = (..., slice(0, released_light.PATCH), slice(0, released_light.PATCH))
    pull, f_probe, m_probe = released_light.guided(
        (0.4 * noises[0])[here], y[here], f + 0.3, m[here], scale
    )
    yield compare("cond_probe_light_factor", f_probe, z["cond_probe_light_factor"], 1e-5)
    yield compare(
        "cond_probe_mask_delta",
        ((m_probe - m[here]) * 1e6)[::8, ::8],
        z["cond_probe_mask_delta_x1e6_strided"],
        1e-4,
    )
    yield compare("cond_probe_grad", pull[:, :, ::8, ::8], z["cond_probe_grad_strided"])
    state, factors, seen = released_light.State(z["x_T_int8"] / 32, f, m), [], []
    for k, noise in zip(reversed(range(steps)), noises, strict=True):
        state = released_light.step(prior, state.x, times, k, y, state, scale, noise)
        factors.append(state.f)
        seen.append(state.x[0, :, ::16, ::16])
    yield compare("sample_steps", torch.stack(seen), z["sample_steps_strided"])
    yield compare("sample", state.x, z["sample"])
    yield compare("light_factor_steps", torch.cat(factors), z["light_factor_steps"], 1e-5)
    yield compare("light_factor", state.f, z["light_factor"], 1e-5)
    yield compare("light_mask", state.m - m, z["light_mask"] - m, 1e-5)
    yield compare("n_model_calls", prior.calls, z["n_model_calls"], 0.0)


def check_losses(file: Path) -> Rows:
    """GDP's losses as released, and their gradients."""
    z = load(file)
    for key in (k for k in z if "L_" in k and not k.endswith(".grad_of_mean")):
        case, name = key.split(".", 1)
        with torch.enable_grad():
            x = z[f"{case}.mask" if name == "L_TV" else f"{case}.x"].clone().requires_grad_()
            value = released_light.LOSSES[name.split("_")[1]](x)
            gradient = torch.autograd.grad(value.mean(), x)[0]
        yield compare(key, value.detach().flatten(), z[key].flatten())
        yield compare(f"{key}.grad_of_mean", gradient, z[f"{key}.grad_of_mean"])


CHECKS: dict[str, Callable[[Path], Rows]] = {
    "adm_keys_*.json": check_keys,
    "adm_tiny*.npz": check_unet,
    "schedule.npz": check_schedule,
    "learned_range.npz": check_learned_range,
    "operators*.npz": check_operators,
    "ddnm_traj.npz": check_ddnm,
    "gdp_traj.npz": check_gdp,
    "gdp_lowlight_*.npz": check_light,
    "losses.npz": check_losses,
}

if __name__ == "__main__":
    torch.set_num_threads(1)  # as when the fixtures were made; and faster, on arrays so small
    main()
