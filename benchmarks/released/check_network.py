"""Parity of network, schedules and single steps with guided-diffusion."""

import json
import re
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.released.models import STEPS, Fixed, coefficients, variance
from benchmarks.released.rows import Rows, compare, load
from gdp.network.unet import UNet, arguments_from_flags, sinusoid
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas, respaced, strided


def check_keys(file: Path) -> Rows:
    """Check the parameters' names and shapes against the public checkpoints."""
    known = json.loads(file.read_text())
    with torch.device("meta"):
        net = UNet(**arguments_from_flags(**known["config"]))

    ours = {(k, tuple(v.shape)) for k, v in net.state_dict().items()}
    theirs = {(k, tuple(shape)) for k, shape in known["keys"].items()}
    yield compare("keys", len(ours ^ theirs), 0, 0.0)
    yield compare("n_keys", len(ours), known["n_keys"], 0.0)
    parameters = sum(p.numel() for p in net.parameters())
    yield compare("total_params", parameters, known["total_params"], 0.0)


def check_unet(file: Path) -> Rows:
    """Check the network: square, oblong, fractional times, by block, and through the prior."""
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

    # Output, and that of every block
    rms: list[Tensor] = []
    for block in (*net.input_blocks, net.middle_block, *net.output_blocks):
        block.register_forward_hook(
            lambda module, args, out: rms.append(out.square().mean().sqrt())
        )
    labels = z.get("labels")
    yield compare("out", net(z["x"], z["timesteps"], labels), z["out"], tolerance)
    yield compare("block_rms", rms, z["block_rms"], tolerance)

    # Fractional times, oblong pictures
    fractional = net(z["x"], z["timesteps_frac"], labels)
    yield compare("out_frac", fractional, z["out_frac"], tolerance)
    oblong = net(z["x_rect"], z["timesteps_rect"], z.get("labels_rect"))
    yield compare("out_rect", oblong, z["out_rect"], tolerance)

    # The embedding of time
    embedded = sinusoid(z["timesteps"], net.model_channels)
    yield compare("temb_sinusoid", embedded, z["temb_sinusoid"], tolerance)
    yield compare("temb_mlp", net.time_embed(embedded), z["temb_mlp"], tolerance)

    # The prior, which counts times from 1
    outputs = []
    for i, t in enumerate(z["timesteps"].tolist()):
        prior = Prior(net, betas(), int(z["labels"][i]) if "labels" in z else None)
        parts = prior.predict(z["x"][i : i + 1], t + 1)
        outputs.append(torch.cat([part for part in parts if part is not None], 1))
    yield compare("out_by_prior", torch.cat(outputs), z["out"], tolerance)


def check_schedule(file: Path) -> Rows:
    """Check noise schedules, respacings, and the posterior's coefficients under both."""
    z = load(file)
    T, tolerance = len(z["linear_betas"]), 1e-9

    # The times that each respacing visits
    processes = {"": list(range(1, T + 1))}
    for name in (k.removesuffix("_timesteps") for k in z if k.endswith("_timesteps")):
        counts = [int(n) for n in re.findall(r"\d+", name)]
        times = strided(T, counts[0]) if name.startswith("ddim") else respaced(T, counts)
        processes[f"{name}_"] = times
        yield compare(f"{name}_timesteps", torch.tensor(times) - 1, z[f"{name}_timesteps"], 0.0)

    # Betas and coefficients
    for schedule in ("linear", "cosine"):
        for key in (k for k in z if re.fullmatch(rf"{schedule}_T\d+_betas", k)):
            yield compare(key, betas(len(z[key]), schedule), z[key], tolerance)
        prior = Prior(None, betas(T, schedule))
        for name, times in processes.items():
            for what, values in coefficients(prior, times).items():
                key = f"{schedule}_{name}{what}"
                yield compare(key, values, z[key], tolerance)


def check_learned_range(file: Path) -> Rows:
    """Check mean, variance and x0 of a step.

    Each sample has its own time, maximum and tolerance; the worst one counts.
    """
    z = load(file)
    for schedule in ("linear", "cosine"):
        # The whole process, and its respacings
        processes = {f"{schedule}_": (list(range(1, STEPS + 1)), z["t"])}
        matches = (re.fullmatch(rf"{schedule}_r(\d+)_t_index", k) for k in z)
        for count in (match[1] for match in matches if match):
            name = f"{schedule}_r{count}_"
            processes[name] = respaced(STEPS, [int(count)]), z[f"{name}t_index"]

        for process, (times, index) in processes.items():
            samples = [
                learned_range(x[None].double(), out[None].double(), schedule, times, k)
                for x, out, k in zip(z["x"], z["model_output"], index.tolist(), strict=True)
            ]
            for key in (process + what for what in samples[0] if process + what in z):
                ours = (s[key.removeprefix(process)] for s in samples)
                pairs = zip(ours, z[key], strict=True)
                rows = [compare(key, got, want, tolerance) for (got, tolerance), want in pairs]
                yield max(rows, key=badness)


def badness(row: dict) -> tuple[bool, float]:
    """Rank a row: fails first, then by error over tolerance."""
    return row["status"] == "fail", (row["max_error"] or 0) / (row["tolerance"] or 1)


def learned_range(
    x: Tensor, out: Tensor, schedule: str, times: list[int], k: int
) -> dict[str, tuple[object, float]]:
    """Compute what a step from times[k] is made of.

    Args:
        x: x_t [1, 3, H, W].
        out: the network's output for it.
        schedule: of the noise.
        times: that the process visits.
        k: index of the step's time.

    Returns:
        By name, a value and how near the reference's float32 it must be.
    """
    t, s, net = times[k], times[k - 1] if k else 0, Fixed(out)
    prior = Prior(net, betas(STEPS, schedule))
    prediction = prior(x, t)
    v = prediction.v
    assert v is not None
    found: dict[str, tuple[object, float]] = {"t_seen_by_model": (net.times, 0.0)}

    # With x0 as predicted, and clipped
    for clip, x0 in enumerate((prediction.x0, prediction.x0.clamp(-1, 1))):
        tolerance = 5e-4 if clip and prior.a(t) < 1e-6 else 5e-5  # x - eps cancels
        found[f"clip{clip}_pred_xstart"] = x0, tolerance
        found[f"clip{clip}_mean"] = prior.posterior(x, x0, t, s, v)[0], tolerance
        found[f"clip{clip}_variance"] = variance(prior, times, k, v), 5e-5
        found[f"clip{clip}_log_variance"] = variance(prior, times, k, v).log(), 5e-5

    # Variances that are not learned: the ends of the learned range
    least, most = -torch.ones(()).double(), torch.ones(()).double()
    small, large = variance(prior, times, k, least), variance(prior, times, k, most if k else least)
    found["fixed_small_variance"] = prior.posterior(x, x0, t, s, None)[1] ** 2, 5e-5
    found["fixed_small_log_variance"] = small.log(), 5e-5
    found["fixed_large_variance"] = large, 5e-5
    found["fixed_large_log_variance"] = large.log(), 5e-5
    return found
