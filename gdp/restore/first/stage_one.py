"""Another restorer's picture as the start of ours (DiffBIR's two stages; Lin et al., ECCV 2024).

    x1    = N(y)                        what was trained on it removes
    error = e(N(A x1 + n), x1)          of what it makes of its own picture, degraded once more;
            and what of y it leaves unexplained
    x1'   = argmin |A x - y|^2 / sigma_y^2 + |x - x1|^2 / error^2
    x     = restored from x1', noised by as much as hides the error
    out   = (1 - fidelity) x1 + fidelity x

The error is that of the parametric bootstrap (Efron & Tibshirani 1993, chapter 6): x1 stands for
the photo. It is a photo without what N cannot know, so that its error is rather too small. What
fills holes has no error that could be told: it is one of many fillings, and its seams are healed.
"""

import logging
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gdp.picture import to_image, to_model
from gdp.prior.denoiser.restorer import FILLS, NOISY, Network, load_network, through
from gdp.prior.noise import Noise
from operators.base import ROUNDED, LinearOperator, Operator
from operators.missing.mask import Masking
from samplers.start import agreeing, coefficient, first_guess, guess_error

WIDER = 10.0  # times the error of its own picture hides that of the photo
FEW = 16  # places of a scale, fewer of which tell nothing
LEAST = 0.02  # error, [-1, 1] units, that any network makes
SEAMS = 0.07  # and of what fills holes, which is one of many fillings: where it meets the rest
log = logging.getLogger("gdp")


class First(NamedTuple):
    """A picture to start from."""

    picture: Tensor  # as it was drawn, [1, 3, H, W] in [0, 1]
    start: Tensor  # made consistent with y, likewise
    error: float  # of it, where it is worst, [-1, 1] units
    report: dict[str, Any]


class StageOne:
    """A restorer that goes before the prior.

    Args:
        path: its file of weights.

    Raises:
        ValueError, OSError: as of `load_network`.
    """

    def __init__(self, path: str):
        self.net: Network = load_network(path)

    def begin(self, A: Operator, y: Tensor, name: str) -> First:
        """What it makes of y [1, C, h, w] in [-1, 1], and how far that is to be believed.

        Args:
            A: the degradation, with y's noise.
            y: the measurement, a picture.
            name: what messages call the photo.

        Raises:
            ValueError: the network is of another task.
        """
        self.check(A, y)
        self.net.move(y.device)
        with torch.no_grad():
            A = A.bind(y)
            x1 = self.restore(A, y)

            # The same once more, of a photo that is known.
            again = A(x1)
            if A.sigma_y > 0:
                again = again + A.sigma_y * Noise([0], "start").like(again)
            e = self.restore(A, again) - x1
            if isinstance(A, LinearOperator):
                e = torch.cat([e, A.pinv(A(x1) - y) * unexplained(A, x1, y)])
            error = SEAMS if self.net.purpose == FILLS else self.error_of(A, y, e)
            start = agreeing(A, x1, y, error).clamp(-1, 1)

        report = {**self.net.describe(), "error": error / 2}
        log.info("%s: %s restores it first, to an error of %.3f", name, self.net.kind, error / 2)
        return First(to_image(x1), to_image(start), error, report)

    def error_of(self, A: Operator, y: Tensor, e: Tensor) -> float:
        """How wrong a picture is, by its bootstrap's e; no more than a first guess would be."""
        return max(LEAST, min(WIDER * coefficient(e, typical), guess_error(A, y)))

    def restore(self, A: Operator, y: Tensor) -> Tensor:
        """N(y), [1, 3, H, W] in [-1, 1]."""
        given, holes = self.given(A, y)
        pixels = to_image(given)
        if self.net.purpose != NOISY:
            pixels = pixels.clamp(0, 1)  # as they were trained
        return to_model(through(self.net, pixels, holes, A.sigma_y / 2))

    def given(self, A: Operator, y: Tensor) -> tuple[Tensor, Tensor | None]:
        """The picture that the network sees, and where there is nothing in it.

        A network that does not enlarge sees a first guess, where y is not x's size or has holes.
        """
        if self.net.purpose == FILLS:
            assert isinstance(A, Masking)
            known = A.mask_for(y).amin(1, keepdim=True).expand(1, 1, *y.shape[-2:])
            return y, 1 - known
        same = y.shape == A.x_shape(y) and not isinstance(A, Masking)
        return (y, None) if self.net.scale > 1 or same else (first_guess(A, y), None)

    def check(self, A: Operator, y: Tensor) -> None:
        """Raise ValueError unless the network takes such a y and makes such an x."""
        net, file = self.net, self.net.source["file"]
        if A.measured or y.ndim != 4 or y.is_complex():
            raise ValueError(f"stage_one={file} is of pictures, and this y is none; leave it out")
        if net.purpose == FILLS and not isinstance(A, Masking):
            raise ValueError(
                f"stage_one={file} ({net.kind}) fills holes, and the task has none; it is of "
                "task=inpaint"
            )

        # Those that enlarge, by the task's factor.
        H, W = A.x_shape(y)[-2:]
        h, w = y.shape[-2:]
        enlarged = (net.scale * h, net.scale * w)
        if net.scale > 1 and enlarged != (H, W):
            larger = "not" if h >= H else f"{H / h:g} times"
            raise ValueError(
                f"stage_one={file} ({net.kind}) enlarges {net.scale} times and the task {larger}; "
                f"take operator.r={net.scale}, or weights of scale {round(H / h)}"
            )
        if net.scale > 1 and y.shape[1] != 3:
            raise ValueError(f"stage_one={file} takes pictures in colour, and y is grey")
        if net.purpose == NOISY and A.sigma_y <= ROUNDED:
            raise ValueError(
                f"stage_one={file} ({net.kind}) removes noise of a std that it is told, and y has "
                "next to none; give sigma_y=, or leave it out"
            )


def stage_of(path: str | None) -> StageOne | None:
    """The stage one of a file of weights, where one is given; errors as of `load_network`."""
    return None if path is None else StageOne(str(path))


def typical(power: Tensor) -> float:
    """The mean of a scale's squares [1, 1, h, w]; 0 where there are too few to tell."""
    return float(power.mean()) if power.numel() >= FEW else 0.0


def unexplained(A: Operator, x1: Tensor, y: Tensor) -> float:
    """The share of A x1 - y that noise does not explain, 0 to 1."""
    misfit = float((A(x1) - y).square().mean())
    return max(0.0, 1 - A.sigma_y**2 / max(misfit, 1e-12)) ** 0.5
