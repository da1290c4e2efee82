"""`python run.py task=doctor`: what is here, whether it works, and how fast it is."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import torch

from gdp.doctor.machine import Line, machine
from gdp.picture import read, to_image
from gdp.prior.prior import Prior
from gdp.prior.weights import at_hand, verify
from gdp.restore import facts
from gdp.restore.finish import consistency
from gdp.restore.observe import take
from gdp.restore.sample import draw
from gdp.storage.places import CONF, SAMPLE, cache_folder
from samplers.restorer import Run

EXTRAS = {  # of setup.cfg, and the packages that each brings
    "bench": ("deepinv", "matplotlib"),
    "cluster": ("ray", "pyarrow"),
    "cluster-test": ("moto", "boto3", "simpy"),
    "deepinv": ("deepinv",),
    "dev": ("pytest", "hypothesis", "ruff", "mypy", "skimage", "sklearn", "diffusers", "spandrel"),
    "gpu": ("accelerate",),
    "heic": ("pillow_heif",),
    "hub": ("diffusers",),
    "mlflow": ("mlflow",),
    "raw": ("rawpy",),
    "stage_one": ("spandrel",),
    "storage": ("s3fs",),
    "studio": ("gradio", "cv2"),
    "studio-test": ("playwright",),
    "sweeps": (
        "hydra_plugins.hydra_joblib_launcher",
        "hydra_plugins.hydra_submitit_launcher",
        "hydra_plugins.hydra_optuna_sweeper",
    ),
    "tensorboard": ("tensorboard",),
    "tiff": ("imagecodecs",),
    "video": ("skimage", "imageio_ffmpeg"),
    "wandb": ("wandb",),
}
CONSISTENT = 1e-4  # RMS of A x - y in [0, 1] units that enlarging without noise stays below
SPEED_SECONDS = 1.5  # spent on measuring the network at one size
Say = Callable[[str], None]


def examine(cfg: Any, say: Say = print) -> int:
    """Look at what a job of a configuration needs.

    Args:
        cfg: the configuration (OmegaConf).
        say: is given each line.

    Returns:
        0, or 1 where something is wrong.
    """
    looks: list[tuple[str, Callable[[], Iterator[Line]]]] = [
        ("program", program),
        ("machine", machine),
        ("extras, pip install -e '.[NAME]'", extras),
        ("priors", priors),
        ("self-test", lambda: self_test(cfg)),
    ]

    wrong: list[str] = []
    for title, look in looks:
        say(f"{title}:")
        for fine, text in look():
            say(f"  {'' if fine else 'WRONG: '}{text}")
            wrong += [] if fine else [text]
    say(f"wrong: {'; '.join(wrong)}" if wrong else "all is well")
    return 1 if wrong else 0


def program() -> Iterator[Line]:
    """Versions of this program and of what it stands on."""
    found = facts.versions()
    yield True, ", ".join(f"{name} {version}" for name, version in found.items())
    yield True, f"{sys.executable} on {platform.platform()}"
    for name in facts.PACKAGES:
        if name not in found:
            yield False, f"the package {name} is missing; pip install -e . brings it"


def extras() -> Iterator[Line]:
    """Optional packages."""
    for extra, packages in EXTRAS.items():
        missing = [name for name in packages if not found(name)]
        yield True, f"{extra}: {'not installed, lacks ' + ', '.join(missing) if missing else 'yes'}"


def found(name: str) -> bool:
    """Whether a module is installed, in a package or not."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of the package that it would lie in
        return False


def priors() -> Iterator[Line]:
    """The cache folder, and the priors of conf/prior that are at hand, with their hashes."""
    import yaml

    cache = cache_folder()
    parent = next(p for p in (cache, *cache.absolute().parents) if p.exists())
    writable = os.access(parent, os.W_OK)
    hint = "" if writable else ", which cannot be written; set GDP_CACHE to a folder that can"
    yield writable, f"downloads go to {cache}{hint}"

    away = []
    for file in sorted((CONF / "prior").glob("*.yaml")):
        node = yaml.safe_load(file.read_text(encoding="utf-8"))
        path = node.get("path", "???")
        if path in (None, "???"):
            continue
        weights = at_hand(path)
        if weights is None:
            away.append(file.stem)
            continue

        try:
            digest = verify(weights, node["sha256"], afresh=True)
        except (ValueError, OSError) as error:
            yield False, f"{file.stem}: {error}"
            continue
        how = "verified" if node["sha256"] else "not verified: no hash of it is published"
        yield True, f"{file.stem}: {weights}, sha256 {digest[:12]}..., {how}"
    yield True, f"not at hand, fetched when asked for: {', '.join(away) or 'none'}"


def self_test(cfg: Any) -> Iterator[Line]:
    """A small restoration of the bundled sample by the configured prior, and its speed."""
    from gdp.compose.building import build

    began = time.perf_counter()
    try:
        setup = build(cfg)
        prior = setup.load_prior()
        y, A = take(read(SAMPLE).pixels[..., 24:40, 24:40], setup.operator, 0.0, 0.0)
        y, A = y.to(prior.device), A.to(prior.device)
        ((x, A),), cost = draw(setup.sampler, prior, A, y, Run([0]))
        error = consistency(to_image(x), A, y)
    except Exception as problem:
        text = " ".join(str(problem).split()) or type(problem).__name__
        if not isinstance(problem, ValueError | TypeError | OSError):
            kind = type(problem).__name__
            text = f"a small restoration fails with {kind}: {text}; reinstall, or try device=cpu"
        yield False, text
        return

    size = f"{x.shape[-1]}x{x.shape[-2]}"
    weights = prior.source["file"] if prior.source else "this prior"
    seconds = time.perf_counter() - began
    text = (
        f"a restoration at {size} with {weights}, {cost.calls} network calls: consistent within "
        f"{error:.1e} (bound {CONSISTENT:.0e}), {seconds:.1f} s with loading"
    )
    fine = bool(x.isfinite().all()) and error < CONSISTENT
    hint = "; the result does not agree with its input: try prior.dtype=float32 or device=cpu"
    yield fine, text if fine else text + hint
    for side in (64, 256):
        yield True, f"{seconds_per_call(prior, side):.3f} s a network call at {side}x{side}"


def seconds_per_call(prior: Prior, side: int) -> float:
    """The least time of several predictions of `side` x `side` pixels."""
    x = torch.randn(1, 3, side, side, device=prior.device)
    best, until = float("inf"), time.perf_counter() + SPEED_SECONDS
    while best == float("inf") or time.perf_counter() < until:
        began = time.perf_counter()
        with torch.no_grad():
            float(prior(x, prior.T // 2).eps.sum())  # waits for the device
        best = min(best, time.perf_counter() - began)
    return best
