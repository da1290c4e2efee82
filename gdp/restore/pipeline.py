"""From a photo to its restoration, in memory: what run.py and the benchmarks share. Pixels and sigma_y are in [0, 1] units."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from gdp.picture.image import to_image, to_model
from gdp.prior.noise import Noise, impulses, photons
from gdp.prior.prior import Prior
from gdp.restore.colourfix import fixed
from gdp.restore.metrics import rms
from gdp.restore.noise_level import estimate_sigma
from gdp.storage.snapshot import Place

if TYPE_CHECKING:
    from operators.base import Operator
    from samplers.base import Sampler

OnStep = Callable[[int, Tensor, Tensor], None]
AUTO = "auto"  # the sigma_y that stands for an estimate
AT_ONCE = (2**18, 2**22)  # pixels in a batch of samples, on the CPU and on CUDA


class Outcome(NamedTuple):
    """A restoration and what it took."""

    pixels: Tensor  # [B, 3, H, W] in [0, 1], unclipped
    operator: "Operator"  # as bound
    nfe: int
    seconds: float


def crop(pixels: Tensor, divisor: int) -> Tensor:
    """The centre of the picture, cut to multiples of `divisor`."""
    H, W = (n - n % divisor for n in pixels.shape[-2:])
    if H == 0 or W == 0:
        raise ValueError(
            f"a {pixels.shape[-1]}x{pixels.shape[-2]} picture is too small: the operator needs {divisor} pixels a side"
        )
    top, left = (pixels.shape[-2] - H) // 2, (pixels.shape[-1] - W) // 2
    return pixels[..., top : top + H, left : left + W]


def degrade(
    pixels: Tensor,
    operator: "Operator",
    sigma_y: float | str,
    seeds: Sequence[int],
    poisson: float | None = None,
    impulse: float = 0.0,
) -> Tensor:
    """y = A(x) + noise of std sigma_y, in model units: float, unclipped, seeded; sets operator.sigma_y.

    `poisson` adds photon noise (photons at white), whose mean variance counts into operator.sigma_y; `impulse` salt and pepper.
    With sigma_y=auto no Gaussian noise is added, and operator.sigma_y is what the estimator makes of y.
    """
    with torch.no_grad():
        y = operator(to_model(pixels))
    added = 0.0 if isinstance(sigma_y, str) else sigma_y
    variance = added**2
    if poisson:
        variance += float(to_image(y).clamp_min(0).mean()) / poisson
        y = to_model(photons(to_image(y), poisson, seeds))
    operator.sigma_y = 2 * variance**0.5
    if added > 0:
        y = y + 2 * added * Noise(seeds, "degrade").like(y)
    if impulse:
        y = to_model(impulses(to_image(y), impulse, seeds))
    if sigma_y == AUTO:
        operator.sigma_y = 2 * estimate_sigma(to_image(y))
    return y


def observe(pixels: Tensor, operator: "Operator", sigma_y: float | str, rounding: float) -> Tensor:
    """y is the photo itself, in model units; its noise, given or estimated, is never below that of its rounding. Sets operator.sigma_y."""
    operator.sigma_y = 2 * max(
        estimate_sigma(pixels) if isinstance(sigma_y, str) else sigma_y, rounding
    )
    with torch.no_grad():
        return operator.observe(to_model(pixels))


def restore(
    prior: Prior,
    operator: "Operator",
    sampler: "Sampler",
    y: Tensor,
    seeds: Sequence[int],
    init: Tensor | None = None,
    on_step: OnStep | None = None,
    keep: Place | None = None,
) -> Outcome:
    """The restoration of y (model units), from `init` [B, 3, H, W] in [0, 1] if given. ValueError where the sampler diverged."""
    calls, began = prior.calls, time.perf_counter()
    kept = {} if keep is None else {"keep": keep}
    x, A = sampler(
        prior, operator, y, seeds, None if init is None else to_model(init), on_step, **kept
    )
    return Outcome(to_image(x), A, prior.calls - calls, time.perf_counter() - began)


def at_once(size: Sequence[int], device: torch.device) -> int:
    """How many restorations of a size (height, width) memory bears in a call of the network."""
    return max(1, AT_ONCE[device.type == "cuda"] // (size[0] * size[1]))


def draw(
    restore: Callable[..., Outcome],
    y: Tensor,
    seeds: Sequence[int],
    init: Tensor | None,
    most: int,
    keep: Place | None = None,
) -> list[Outcome]:
    """Samples of the posteriors of photos y [P, ...] of one operator by `restore(y, seeds, init, keep)`, a seed each: one outcome a photo.

    The samples of one photo go through the network at most `most` together, those of several photos all. `seconds` are a photo's share.
    """
    P, S = len(y), len(seeds)
    parts = [seeds[i : i + most] for i in range(0, S, most)] if P == 1 else [seeds]
    outcomes = []
    for k, part in enumerate(parts):
        rows = [None if z is None else z.repeat_interleave(len(part), 0) for z in (y, init)]
        place = None if keep is None else keep.at(k) if len(parts) > 1 else keep
        outcomes.append(restore(y=rows[0], init=rows[1], seeds=list(part) * P, keep=place))
    pixels = torch.cat([o.pixels for o in outcomes])
    nfe, seconds = sum(o.nfe for o in outcomes), sum(o.seconds for o in outcomes) / P
    return [outcomes[0]._replace(pixels=own, nfe=nfe, seconds=seconds) for own in pixels.split(S)]


def check_init(init: Tensor, operator: "Operator", y: Tensor) -> Tensor:
    """`init` [1, 3, H, W]; ValueError unless it has the result's size."""
    H, W = operator.x_shape(y)[-2:]
    if init.shape[-2:] != (H, W):
        raise ValueError(
            f"init= is a {init.shape[-1]}x{init.shape[-2]} picture, but the result is {W}x{H}; resize it to that"
        )
    return init


def recoloured(outcome: Outcome, y: Tensor, kind: str) -> Outcome:
    """The result after a fix of gdp/restore/colourfix.py; itself where `kind` is none."""
    return (
        outcome
        if kind == "none"
        else outcome._replace(pixels=fixed(kind, outcome.pixels, outcome.operator, y))
    )


def snap(outcome: Outcome, y: Tensor, rounding: float) -> Outcome:
    """The result made to agree with y, where y is known up to its rounding and A^+ amplifies nothing: known pixels stay.

    An operator with a `project` has that used.
    """
    A = outcome.operator
    project = getattr(A, "project", None)
    if project is not None:
        with torch.no_grad():
            return outcome._replace(
                pixels=to_image(project(to_model(outcome.pixels).clamp(-1, 1), y))
            )
    pinv = getattr(A, "pinv", None)
    if pinv is None or not hasattr(A, "s") or A.sigma_y > 2 * rounding:
        return outcome
    with torch.no_grad():
        x = to_model(outcome.pixels)
        return outcome._replace(pixels=to_image(x - pinv(A(x) - y)))


def blend(outcome: Outcome, plain: Tensor, strength: float) -> Outcome:
    """strength x the result + (1 - strength) x `plain` [1, 3, H, W] in model units."""
    return outcome._replace(pixels=torch.lerp(to_image(plain), outcome.pixels, strength))


def consistency(pixels: Tensor, operator: "Operator", y: Tensor) -> float:
    """RMS of A x - y, in [0, 1] units."""
    with torch.no_grad():
        return rms(operator(to_model(pixels).to(y)) - y) / 2
