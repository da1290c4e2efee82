"""Noise of grey photos, made white: by as much noise in their colours, which are known.

n = sqrt(3) s (g z_0 + h z_1 + k z_2)     z: white;  s: std of the photo's noise
                                          g, h, k: grey and two colours, orthonormal

The first is the photo's own. A grey photo is one measurement and not three, so that white noise of
std sqrt(3) s tells as much of its grey as noise of std s does that all channels share. What is put
in the colours goes again when the result is made grey. It is for samplers that count y's noise as
white: of masks, where `can_whiten` says no, and where its std is told.
"""

import torch
from torch import Tensor

from gdp.picture import is_grey
from gdp.prior.noise import Noise
from gdp.restore.noise.model import OPPONENT
from operators.base import LinearOperator, Operator, ProjectionOperator
from operators.identity import Identity

LEAST = 0.006  # std of noise, [-1, 1] units, below which it is rounding, and hides nothing


def tinted(operator: Operator, y: Tensor) -> tuple[Operator, Tensor]:
    """The operator and y, whose noise is white; as they are where it is no grey photo's.

    Args:
        operator: of the photo, with its noise.
        y: [B, 3, H, W] in [-1, 1].
    """
    known = isinstance(operator, LinearOperator) and not isinstance(operator, Identity)
    whitened = operator.whitening is not None or operator.sigma_y < LEAST
    if not known or whitened or operator.blind or y.ndim != 4 or y.shape[1] != 3 or not is_grey(y):
        return operator, y
    s, colours = 3**0.5 * operator.sigma_y, OPPONENT[1:].to(y)
    z = torch.einsum("kc,kd,bdhw->bchw", colours, colours, s * Noise([0], "tint").like(y))
    if isinstance(operator, ProjectionOperator) and not operator.onto:
        z = operator(operator.pinv(z))  # what is lost has no noise, either
    return operator.with_noise(s), y + z


def of_photo(sigma: float, y: Tensor, pixels: Tensor) -> float:
    """The std of a photo's own noise, in the units of `sigma`.

    Args:
        sigma: that of y's.
        y: tinted or not.
        pixels: the photo.
    """
    put = y.ndim == 4 and y.shape[1] == 3 and is_grey(pixels) and not is_grey(y)
    return sigma / 3**0.5 if put else sigma
