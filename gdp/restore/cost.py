"""What a restoration will take, told before it is begun where that is hours, or more than memory.

memory    COPIES images of the result's size in float32, for each that goes through the network
time      calls x pixels x what a pixel takes, measured in one call of the network
share     calls x pixels that were made / calls x pixels of all passes

Scales, tiles and samples all count in the share. What is to come is as a sampler expects it; how
many calls a pass makes is known when it begins, and by how much they differ says what to expect of
the passes after it.
"""

from collections.abc import Sequence
from time import perf_counter

import torch

from gdp.picture import Photo
from gdp.prior.prior import Prior
from gdp.restore.facts import free_memory
from gdp.restore.setup import Setup
from samplers.auto import Auto
from samplers.below import known_below, why_below
from samplers.restorer import Pass

COPIES = 8  # x_t, x0, eps, A's intermediate pictures, a step's noise, and the result
LONG = 2 * 3600.0  # seconds of one photo that are told of first
SURE = 2e8  # calls x pixels that no machine needs so long for
UNKNOWN_MEMORY = 8e9  # bytes that are taken for free where the system does not tell
REMEDY = "give a smaller photo, factor or margin, or force=true to begin all the same"


def check_memory(photo: Photo, setup: Setup, device: torch.device) -> None:
    """Refuse a result that is larger than free memory bears, before anything of its size is made.

    Args:
        photo: the photo.
        setup: operator and settings.
        device: where the network is.

    Raises:
        ValueError: with the estimate, unless force=true.
    """
    if setup.config["force"]:
        return
    size = photo.pixels.shape[-2:]
    if not setup.config["degrade"]:
        shape = torch.zeros(1).expand(1, photo.pixels.shape[1], *size)
        size = torch.Size(setup.operator.x_shape(shape)[-2:])

    pixels = float(size[0]) * size[1]
    together = min(setup.at_once(size, device), setup.config["samples"])
    needed = COPIES * 3 * 4 * pixels * together + 12 * pixels * setup.config["samples"]
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()[0]
    if needed > (free or UNKNOWN_MEMORY):
        raise ValueError(
            f"the result is {size[1]}x{size[0]}, which takes about {needed / 1e9:.3g} GB of memory "
            f"where {(free or UNKNOWN_MEMORY) / 1e9:.3g} GB are free; {REMEDY}"
        )


def check_outcome(size: Sequence[int], setup: Setup, T: int) -> None:
    """Refuse a sampler whose results are known to be worse than their photos.

    Args:
        size: the result's height and width, in pixels.
        setup: operator, sampler and settings. A paper's preset is taken as it is, and so is a
            picture of the caller's to start from.
        T: steps of the prior.

    Raises:
        ValueError: with the reason, unless force=true.
    """
    sampler = setup.sampler
    refuse(why_below(sampler, setup.operator, (1, 3, *size), sampler.nfe(T)), setup)


def check_pair(setup: Setup) -> None:
    """The same by the sampler and the operator alone, before weights are loaded.

    Raises:
        ValueError: with the reason, unless force=true.
    """
    refuse(known_below(setup.sampler, setup.operator), setup)


def refuse(why: str, setup: Setup) -> None:
    """Raise ValueError if there is a reason, and neither force=true nor what is taken as it is."""
    config, given = setup.config, any(name in setup.choices for name in ("paper", "experiment"))
    if not why or config["force"] or config["init"] is not None or given:
        return
    inner = getattr(setup.sampler, "sampler", setup.sampler)
    chosen, best = (one.for_operator(setup.operator) for one in (inner, Auto()))
    remedy = "take sampler=auto, or force=true to see it all the same"
    if type(chosen) is type(best):
        remedy = remedy.partition(", or ")[2]
    raise ValueError(f"{type(chosen).__name__} {why}; {remedy}")


def check_time(passes: Sequence[Pass], size: Sequence[int], setup: Setup, prior: Prior) -> None:
    """Refuse a restoration that takes hours.

    Args:
        passes: what each sample takes.
        size: the result's height and width, in pixels.
        setup: the settings.
        prior: the prior, loaded.

    Raises:
        ValueError: with the estimate, unless force=true.
    """
    height, width = size
    calls = sum(one.calls for one in passes)
    work = sum(map(cost_of, passes)) * setup.config["samples"]
    if setup.config["force"] or work < SURE:
        return

    # The network itself; its second call, for the first one may compile.
    while isinstance(inner := getattr(prior, "prior", None), Prior):
        prior = inner
    side, before = 256 if prior.device.type == "cuda" else 64, prior.pixels
    x, seconds = torch.zeros(1, 3, side, side, device=prior.device), 0.0
    for _ in range(2):
        began = perf_counter()
        with torch.no_grad():
            float(prior.predict(x, prior.T)[0].sum())
        seconds = (perf_counter() - began) * work / side**2
    prior.pixels = before
    if seconds > LONG:
        raise ValueError(
            f"a result of {width}x{height} by {calls} calls of the network takes about "
            f"{seconds / 3600:.3g} hours here; give fewer steps or samples, or quality=fast, "
            "or force=true to begin all the same"
        )


class Work:
    """The network's work on photos that share its calls.

    Args:
        passes: those that are expected, one after the other, of all samples.
        prior: the prior, which counts its calls.
    """

    def __init__(self, passes: Sequence[Pass], prior: Prior):
        self.left, self.prior = list(passes), prior

        # The pass in hand, the calls before it, and what was made in passes that are over.
        self.now, self.before = Pass(0, 1), prior.calls
        self.calls = self.made = 0.0

    def begin(self, now: Pass) -> None:
        """A pass begins: `Run.on_pass`."""
        self.calls, self.made = self.calls + self.now.calls, self.made + cost_of(self.now)

        # Passes that were expected before one of its size do not come.
        places = [k for k, one in enumerate(self.left) if one.pixels == now.pixels]
        if places:
            expected = self.left[places[0]]
            ratio = now.calls / max(expected.calls, 1)
            rest = self.left[places[0] + 1 :]
            self.left = [one._replace(calls=max(1, round(ratio * one.calls))) for one in rest]
        self.now, self.before = now, self.prior.calls

    def end(self) -> None:
        """What was expected besides does not come."""
        self.left = []

    @property
    def total(self) -> int:
        """Network calls in all, as far as they are known."""
        return round(self.calls) + self.now.calls + sum(one.calls for one in self.left)

    @property
    def done(self) -> int:
        """Network calls that were made."""
        return round(self.calls) + min(self.prior.calls - self.before, self.now.calls)

    def share(self, part: float = 1.0) -> float:
        """How much is done, in [0, 1].

        Args:
            part: the share of the latest call that is made.
        """
        calls = min(max(self.prior.calls - self.before - 1 + part, 0), self.now.calls)
        whole = self.made + cost_of(self.now) + sum(map(cost_of, self.left))
        return (self.made + calls * self.now.pixels) / whole if whole else 0.0


def cost_of(one: Pass) -> float:
    """What a pass takes: its calls times its pixels."""
    return float(one.calls) * one.pixels
