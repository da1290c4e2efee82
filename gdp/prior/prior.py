"""The unconditional DDPM as a sampler sees it: x_t and t in, noise and clean image out."""

import copy
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from gdp.network.graphs import Graphs
from gdp.network.half import through_half
from gdp.prior.diffusion import Diffusion
from gdp.prior.exact import exact_float32
from gdp.prior.symmetry import orientation, turn, turn_back


class Prediction(NamedTuple):
    """What the network says at (x_t, t); all are [B, C, H, W]."""

    eps: Tensor
    x0: Tensor  # (x_t - sqrt(1 - a_t) eps) / sqrt(a_t), clamped only within `Prior.clipping`
    v: Tensor | None  # learned-variance fraction in [-1, 1] (improved DDPM, Eq. 15), or None


class Known(NamedTuple):
    """What is known of x0 without the network."""

    where: Tensor  # [1 or B, 1, H, W], bool, on the CPU
    x0: Tensor  # [B, C, H, W]; meaningful where `where` is


class Prior(Diffusion, nn.Module):
    """A denoiser with its noise schedule.

    The grad mode is the caller's; weights never require gradients; all is differentiable in x.

    Args:
        net: net(x, timesteps [B], labels [B]) gives eps, or eps and v stacked along channels. It
            is given t - 1, its own index 0..T-1, and pictures of sides divisible by `net.divisor`:
            others are padded by reflection. None where `predict` is overridden.
        betas: [T], beta_1..beta_T.
        label: the class that a class-conditional network draws.

    Attributes:
        calls: predictions so far.
        pixels: pixels that the network evaluated for them, padding included.
        source: where the weights came from: file, sha256.
        symmetry: orientations in which the network is shown pictures (symmetry.py).
        known: where the network may be spared; see `knowing`.
        clips: whether x0 is kept to [-1, 1]; see `clipping`.
        may_widen: whether its type was chosen for it, so that `widen` may choose another.
        on_part: is given the share of a prediction that is done, where it is made in parts.

    Raises:
        ValueError: the network has classes and `label` is none of them, or it has none.
    """

    source: dict[str, str] | None = None
    symmetry = "none"
    known: Known | None = None
    clips = False
    may_widen = False
    on_part: Callable[[float], None] | None = None

    def __init__(self, net: nn.Module | None, betas: Tensor, label: int | None = None):
        super().__init__()
        classes = getattr(net, "num_classes", None)
        if classes is not None and (label is None or not 0 <= label < classes):
            raise ValueError(
                f"this prior is class-conditional and got label={label}; give "
                f"prior.label=0..{classes - 1}, or take an unconditional prior such as photo64 or "
                "imagenet256"
            )
        if classes is None and label is not None:
            raise ValueError(
                f"this prior has no classes, but got label={label}; leave prior.label out"
            )

        self.net, self.label, self.graphs = net, label, Graphs()
        if net is not None:
            net.requires_grad_(False)
        self.alpha_bar = torch.cat(
            [torch.ones(1).double(), torch.cumprod(1 - betas.double().cpu(), 0)]
        )
        self.calls = self.pixels = 0

    def wrap(self, prior: "Prior") -> None:
        """Begin a wrapper, in place of __init__: all of `prior` but its counters."""
        Prior.__init__(self, prior.net, 1 - prior.alpha_bar[1:] / prior.alpha_bar[:-1], prior.label)
        self.alpha_bar, self.source, self.symmetry = prior.alpha_bar, prior.source, prior.symmetry
        self.may_widen = prior.may_widen

    def own(self) -> "Prior":
        """This prior for another thread: weights are shared, counters and hooks are its own."""
        other = copy.copy(self)
        other._forward_hooks, other.on_part = OrderedDict(), None
        other._modules = {
            name: part.own() if isinstance(part, Prior) else part
            for name, part in self._modules.items()
        }
        return other

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return next(chain(self.parameters(), self.buffers())).device

    def widen(self) -> bool:
        """Compute in float32 from now on, where float16 was chosen and its numbers are too few.

        Returns:
            Whether that is any change.
        """
        narrow = self.net is not None and any(p.dtype == torch.float16 for p in self.parameters())
        if not self.may_widen or not narrow:
            return False
        assert self.net is not None
        self.net.float()
        return True

    @contextmanager
    def knowing(self, where: Tensor | None, x0: Callable[[], Tensor]) -> Iterator[None]:
        """Within the block, take pixels for known; a prior may spare the network there.

        Args:
            where: the pixels, [1 or B, 1, H, W], bool; None for no pixel.
            x0: gives the image [B, C, H, W] that is true there; not called for no pixel.
        """
        self.known = None if where is None or not where.any() else Known(where.cpu(), x0())
        try:
            yield
        finally:
            self.known = None

    @contextmanager
    def clipping(self, wanted: bool) -> Iterator[None]:
        """Within the block, keep every x0 to what a picture can be, where that is wanted."""
        before, self.clips = self.clips, wanted
        try:
            yield
        finally:
            self.clips = before

    def state(self) -> dict[str, Any] | None:
        """What the prior remembers from call to call: plain values and tensors, or None."""
        return None

    def resume(self, state: dict[str, Any] | None) -> None:
        """Go on from what `state` gave; None begins a restoration."""

    def forward(self, x: Tensor, t: int) -> Prediction:
        """eps, x0 and v at x_t [B, C, H, W]."""
        self.calls += 1
        eps, v = self.predict(x, t)
        a = self.a(t)
        x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
        return Prediction(eps, x0.clamp(-1, 1) if self.clips else x0, v)

    def predict(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        """eps and v at x_t of any size, in the type of x: the one method a wrapper replaces."""
        assert self.net is not None

        # As the network is shown it: turned, and of a size that it can halve.
        k = self.orientation(t)
        z = turn(x, k)
        H, W = z.shape[-2:]
        z = reflect_to_multiple(z, getattr(self.net, "divisor", 1)).contiguous(
            memory_format=torch.channels_last
        )
        self.pixels += len(z) * z.shape[-2] * z.shape[-1]

        timesteps = torch.full((len(z),), t - 1, dtype=torch.float32, device=z.device)
        labels = None if self.label is None else torch.full((len(z),), self.label, device=z.device)
        out = through_half(self.net, lambda z: self.run_network(z, timesteps, labels), z)
        out = turn_back(out[..., :H, :W], k).to(x.dtype)
        eps, *v = out.split(x.shape[1], 1)
        return eps, v[0] if v else None

    def predict_tiles(self, x: Tensor, t: int) -> tuple[Tensor, Tensor | None]:
        """`predict` for tiles: the next call need not be of the same part of the picture."""
        return self.predict(x, t)

    def orientation(self, t: int) -> int:
        """How the picture lies that the network is shown at time t."""
        return orientation(self.symmetry, t)

    def run_network(self, z: Tensor, timesteps: Tensor, labels: Tensor | None) -> Tensor:
        """The network's output [B, C or 2 C, H, W]."""
        assert self.net is not None
        with exact_float32():
            return self.graphs(self.net, z, timesteps, labels)


def reflect_to_multiple(x: Tensor, divisor: int) -> Tensor:
    """Extend a picture at the right and bottom until `divisor` divides its sides.

    It is reflected about its last pixels, as often as it takes; a single pixel is repeated.
    """
    if x.shape[-2] % divisor == 0 and x.shape[-1] % divisor == 0:
        return x
    indices = []
    for n in x.shape[-2:]:
        i = torch.arange(-(-n // divisor) * divisor, device=x.device) % max(2 * n - 2, 1)
        indices.append(torch.where(i < n, i, 2 * n - 2 - i))
    rows, columns = indices
    return x[..., rows[:, None], columns]
