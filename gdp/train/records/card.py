"""The model card of a training run: its data, network, training, held-out losses and samples."""

from gdp.train.files import rows, table
from gdp.train.training import Training


def model_card(training: Training) -> str:
    """Describe a run in Markdown, with the curves and sheets that lie in its folder."""
    parts = [
        f"# {training.out.name}: an unconditional diffusion prior",
        facts(training),
        training.notes,
        losses(training),
        samples(training),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def facts(training: Training) -> str:
    """List what was trained, on what, and how."""
    args, machine = training.args, training.machine
    parameters = sum(p.numel() for p in training.net.parameters())
    photos, held_out = len(training.photos.files), len(training.held_out.files)
    hours = training.seconds / 3600

    crops = ", then ".join(
        f"{r.size}x{r.size} (batch {r.items}) up to {r.end:.0%}" for r in training.rungs
    )
    mirrored = "none" if args.no_flip else "half"
    lines = (
        f"data: {args.data.name}, {photos} photos, and {held_out} held out",
        f"network: ADM UNet, {parameters:,} parameters (config.yaml); EMA weights, fp16",
        f"training: {training.step:,} steps, {training.images:,} crops, {hours:.2f} hours on "
        f"{machine.device.type}",
        f"from: {args.init.name if args.init else 'scratch'}; seed {args.seed}",
        f"crops: {crops}; {args.native:.0%} native, the others shrunk at random; "
        f"{mirrored} mirrored",
        "loss: eps MSE + variational bound of the learned variance (improved DDPM)",
        f"AdamW {args.lr:g}, {args.warmup} steps of warm-up, then cosine; "
        f"weight decay {args.weight_decay:g}, clip {args.clip:g}",
        f"EMA {args.ema:g}, less at first",
    )
    return "\n".join(f"- {line}" for line in lines)


def losses(training: Training) -> str:
    """Tabulate the first and the last held-out loss."""
    curve = rows(training.out / "heldout.jsonl")
    if not curve:
        return "No photos were held out."
    columns = {f"step {row['step']}": row["buckets"] for row in curve[:1] + curve[-1:]}
    return f"Held-out eps MSE by time:\n\n{table(columns)}"


def samples(training: Training) -> str:
    """Show the last sheet of samples, if there is one."""
    sheets = sorted(training.out.glob("samples_*.png"))
    if not sheets:
        return ""
    eta = f"{training.args.eta:g}"
    return f"Samples, DDIM, 50 steps, eta {eta}: ![samples]({sheets[-1].name})"
