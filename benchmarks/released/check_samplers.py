"""Parity of samplers and losses with the published code, step by step on recorded noise."""

from pathlib import Path

import torch

from benchmarks.released import light as released_light
from benchmarks.released.models import (
    STEPS,
    Analytic,
    Recorded,
    ReferencePrior,
    Simplified,
    trajectory,
)
from benchmarks.released.operators import OPERATORS, basis, pack, unpack
from benchmarks.released.rows import Fixture, Rows, compare, load
from gdp.prior.prior import Prior
from gdp.prior.schedule import Schedule, betas, respaced
from operators.size.avgpool import AvgPool
from samplers.base import Sampler
from samplers.ddnm import DDNM
from samplers.gdp_released import GDPx0Paper, GDPxt
from samplers.guide.released import colour, exposure, variation

# Time travel of the runs whose tag has "travel"
TRAVEL, REPEAT = 5, 2

# sigma_y of the simplified loop's noisy run
NOISY_SIMPLE = 0.2

# The quality losses by their names in the fixture; exposure's is a mean over pictures, too.
LOSSES = {
    "color": lambda x: colour(x, x, x.clone),
    "exp": lambda x: exposure(x, x, x.clone).mean(),
    "TV": variation,
}


def check_ddnm(file: Path) -> Rows:
    """Check DDNM and DDNM+ step by step, and the schedules of time travel."""
    z = load(file)
    probe = Analytic()(z["model_probe_x"], z["model_probe_t"])
    yield compare("model_probe_out", probe, z["model_probe_out"])

    # Measurements, then the runs on them
    for op in (k.removesuffix(".y_clean") for k in z if k.endswith(".y_clean")):
        A = OPERATORS[op](z)
        yield compare(f"{op}.y_clean", pack(A, A(z["x_true"])), z[f"{op}.y_clean"])
    for tag in (k.removesuffix(".x") for k in z if k.endswith(".x")):
        yield from ddnm_run(tag, z)

    # Time travel, in the reference's indices
    for key in (k for k in z if k.startswith("schedule_jump")):
        T, travel, repeat = map(int, key.split("_")[2:])
        walk = [T - 1]
        for t, s in Schedule(steps=T, travel=travel, repeat=repeat).pairs(T):
            walk += [s - 1] if s < t else range(t, s)
        yield compare(key, walk, z[key], 0.0)


def ddnm_run(tag: str, z: Fixture) -> Rows:
    """Check one run, whose tag is kind_operator and what is particular about it."""
    kind, op, *how = tag.split("_")
    noisy = kind == "plus" or "noisy" in how
    A = OPERATORS[op](z)
    y = unpack(A, z[f"{op}.y_{'noisy' if noisy else 'clean'}"], A(z["x_T"]))
    sigma_y = {"ddnm": 0.0, "plus": float(z["sigma_y"]), "simple": NOISY_SIMPLE * noisy}[kind]
    A = A.with_noise(sigma_y)

    # The sampler
    eta = 0.0 if "eta0" in how else 1.0 if "eta1" in how else float(z["eta"])
    travel, repeat = (TRAVEL, REPEAT) if "travel" in how else (1, 1)
    schedule = Schedule(steps=int(z["T_sampling"]), travel=travel, repeat=repeat)
    sampler: Sampler = (Simplified if kind == "simple" else DDNM)(schedule=schedule, eta=eta)

    # The reference's prior and noise
    V, net = basis(z, op) if kind == "plus" else torch.clone, Analytic()
    prior = ReferencePrior(net, betas(STEPS), V, STEPS // schedule.count)
    noise = Recorded(z["noises"], V)

    x = trajectory(sampler, prior, A, y, z["x_T"], noise)
    yield compare(f"{tag}.x", x, z[f"{tag}.x"])
    yield compare(f"{tag}.x0_pred_last", prior.x0, z[f"{tag}.x0_pred_last"])
    yield from walk_rows(tag, z, net, noise)


def walk_rows(tag: str, z: Fixture, net: Analytic, noise: Recorded) -> Rows:
    """Check what the model was given, and how much noise was drawn.

    The reference draws noise for the last step too, in vain.
    """
    if f"{tag}.t_seen" in z:
        yield compare(f"{tag}.t_seen", net.times, z[f"{tag}.t_seen"], 0.0)
    if f"{tag}.xt_in" in z:
        yield compare(f"{tag}.xt_in", torch.cat(net.inputs), z[f"{tag}.xt_in"])
    yield compare(f"{tag}.n_noise", noise.draws + 1, z[f"{tag}.n_noise"], 0.0)


def check_gdp(file: Path) -> Rows:
    """Check GDP's released sampler on super-resolution, step by step."""
    z = load(file)
    probe = Analytic(learned=True)(z["model_probe_x"], z["model_probe_t"])
    yield compare("model_probe_out", probe, z["model_probe_out"])
    yield compare("image_lr", z["image_lr_uint8"] / 127.5 - 1, z["image_lr"])
    A, steps = AvgPool(4), len(z["timestep_map"])
    y = A(z["image_lr"])
    times = torch.tensor(respaced(STEPS, [steps])) - 1
    yield compare("timestep_map", times, z["timestep_map"], 0.0)

    # Runs by their scale; the file's guidance_scale is the strongest one's
    tags = [k.removesuffix(".sample") for k in z if k.endswith(".sample")]
    scales = {tag: int(tag.split("_s")[1].split(".")[0]) for tag in tags}
    for tag, scale in scales.items():
        relative = scale / max(scales.values())
        kind = GDPxt if tag.startswith("xt_") else GDPx0Paper
        sampler = kind(
            scale=relative * float(z["guidance_scale"]),
            schedule=Schedule(steps=steps, spacing="respaced"),
        )

        net, noise = Analytic(learned=True), Recorded(z["noises"])
        x = trajectory(sampler, Prior(net, betas(STEPS)), A, y, z["x_T"], noise)
        yield compare(f"{tag}.sample", x, z[f"{tag}.sample"])

        # The gradient alone, and what the model saw
        pull = -sampler.scale * sampler.guidance.gradient(z[f"{tag}.grad_at"], y, A)
        yield compare(f"{tag}.grad", pull, z[f"{tag}.grad"])
        yield from walk_rows(tag, z, net, noise)


def check_light(file: Path) -> Rows:
    """Check GDP's released low-light code, patches and all."""
    z = load(file)
    steps, scale, ramp = len(z["timestep_map"]), float(z["guidance_scale"]), float(z["ramp"])

    # Model and process
    probe = Analytic(learned=True, ramp=ramp)(z["model_probe_x"], z["model_probe_t"])
    yield compare("model_probe_out", probe, z["model_probe_out"])
    times = respaced(STEPS, [steps])
    yield compare("timestep_map", torch.tensor(times) - 1, z["timestep_map"], 0.0)

    # What it starts from
    y, noises = z["image_lr_uint8"] / 255, z["noises_int8"] / 32
    net = Analytic(learned=True, ramp=ramp)
    prior, f = Prior(net, betas(STEPS)), z["light_factor_init"]
    m = z["light_mask_init_uint8"] / 255 / 10000

    # The guidance of one patch
    here = (..., slice(0, released_light.PATCH), slice(0, released_light.PATCH))
    pull, f_probe, m_probe = released_light.guided(
        (0.4 * noises[0])[here], y[here], f + 0.3, m[here], scale
    )
    yield compare("cond_probe_light_factor", f_probe, z["cond_probe_light_factor"], 1e-5)
    delta = ((m_probe - m[here]) * 1e6)[::8, ::8]
    yield compare("cond_probe_mask_delta", delta, z["cond_probe_mask_delta_x1e6_strided"], 1e-4)
    yield compare("cond_probe_grad", pull[:, :, ::8, ::8], z["cond_probe_grad_strided"])

    # Step by step
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
    """Check GDP's losses as released, and their gradients."""
    z = load(file)
    for key in (k for k in z if "L_" in k and not k.endswith(".grad_of_mean")):
        case, name = key.split(".", 1)
        with torch.enable_grad():
            x = z[f"{case}.mask" if name == "L_TV" else f"{case}.x"].clone().requires_grad_()
            value = LOSSES[name.split("_")[1]](x)
            gradient = torch.autograd.grad(value.mean(), x)[0]

        yield compare(key, value.detach().flatten(), z[key].flatten())
        yield compare(f"{key}.grad_of_mean", gradient, z[f"{key}.grad_of_mean"])
