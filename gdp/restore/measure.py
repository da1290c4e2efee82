"""Other people's data: a measurement and an operator that is to fit it, asked before any sampling.

One evaluation, A(0), tells most: its shape and type are those of y, of a linear A it is 0, and it
takes as long as others. It is remembered for as long as the operator is in use.
"""

from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from gdp.restore.noise import NoiseModel
from operators.base import AffineOperator, LinearOperator, Operator
from operators.gain import rms
from operators.measured import Measured, measured
from operators.noise.tint import Tint

BENT = 1e-4  # rms of A(0), as a share of y's, from which A is not linear
MOST = 120  # characters of another's message
DEAR = 0.5  # seconds of an evaluation from which a user is told what a step takes
BACK = 2.0  # times an evaluation, that its adjoint by autograd takes
MEMORY = "_at_zero"  # attribute of an operator: what was seen of A(0), by shape and type of x


class AtZero(NamedTuple):
    """What A(0) tells of A, for one image."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    size: float  # rms
    seconds: float  # that it took


class Seen(NamedTuple):
    """y = A(x) + noise, and what was found on the way; see Measurement."""

    y: Tensor
    operator: Operator
    reference: Tensor | None = None
    alone: bool = False
    model: NoiseModel | None = None
    shown: NoiseModel | None = None
    findings: tuple[str, ...] = ()
    mending: object = None
    otherwise: Operator | None = None
    tint: Tint | None = None


def fitted(given: Tensor, A: Operator) -> Tensor:
    """A measurement as A gives it: [B, ...], of A's type; sides of one may be left out in front.

    Args:
        given: numbers of any shape, real or complex.
        A: the degradation.

    Raises:
        ValueError: A gives something else for every x that it says goes with y.
    """
    first = ""
    for y in (given, given[None], given[None, None]):
        try:
            return check(A, y)
        except ValueError as error:
            first = first or str(error)
    raise ValueError(first)


def check(A: Operator, y: Tensor) -> Tensor:
    """y [B, ...] of the type of A(x).

    Raises:
        ValueError: x_shape(y) is no picture's, A(0) is of another shape or type than y, or A is
            declared linear and A(0) is not 0.
    """
    name = type(A).__name__
    shape = asked(A, y)
    what = f"y is {list(y.shape)}" + (", complex" if y.is_complex() else "")
    if len(shape) != 4 or shape[0] != len(y) or min(shape) < 1:
        raise ValueError(
            f"{what}, and {name}.x_shape(y) is {list(shape)}; define x_shape(y): it gives "
            "[B, C, H, W], the size of the picture behind y"
        )

    dark = at_zero(A, y, shape)
    if dark.shape != (1, *y.shape[1:]):
        raise ValueError(
            f"{what}, but {name} makes {[len(y), *dark.shape[1:]]} of an x of {list(shape)}; "
            "y is to be as A(x) is, and x_shape(y) to fit"
        )
    if y.is_complex() and not dark.dtype.is_complex:
        raise ValueError(f"y is complex, but {name} gives real numbers; give y as A(x) is")
    check_linear(A, dark, y)
    return y.to(dark.dtype)


def at_zero(A: Operator, y: Tensor, shape: tuple[int, ...]) -> AtZero:
    """A(0) for one x of a shape [B, C, H, W]; ValueError where A does not take it."""
    real = y.real if y.is_complex() else y
    known: dict[object, AtZero] = vars(A).setdefault(MEMORY, {})
    key = (shape[1:], real.dtype, real.device)
    if key in known:
        return known[key]

    began = perf_counter()
    try:
        with torch.no_grad():
            dark = A(real.new_zeros(1, *shape[1:]))
            size = rms(dark)
    except Exception as error:  # whatever another's code raises is what is to be told
        text = " ".join(str(error).split())[:MOST]
        raise ValueError(
            f"{type(A).__name__} does not take the x of {list(shape)} that it says is behind y "
            f"({type(error).__name__}: {text}); x is [B, C, H, W], float"
        ) from None
    known[key] = AtZero(tuple(dark.shape), dark.dtype, size, perf_counter() - began)
    return known[key]


def forget(A: Operator) -> None:
    """Forget what was seen of A(0), which its owner may have changed since."""
    vars(A).pop(MEMORY, None)


def dear(A: Operator) -> str:
    """What a step takes where A is dear and solved by conjugate gradients; else nothing."""
    seconds = max((seen.seconds for seen in vars(A).get(MEMORY, {}).values()), default=0.0)
    solves = isinstance(A, LinearOperator) and type(A).prox is LinearOperator.prox
    if seconds < DEAR or not (solves or isinstance(A, AffineOperator)):
        return ""
    most = A.prox_iterations if isinstance(A, LinearOperator) else LinearOperator.prox_iterations
    step = most * (2 + BACK) * seconds
    return (
        f"{type(A).__name__} takes {seconds:.2g} s here, so that a step of sampler=auto, of up to "
        f"{most} conjugate gradients, takes up to {step:.0f} s; operator.prox_iterations= "
        "says how many, sampler=dds takes 5 a step, sampler=dps one A a step"
    )


def asked(A: Operator, y: Tensor) -> tuple[int, ...]:
    """x_shape(y); ValueError where A cannot tell."""
    try:
        return tuple(A.x_shape(y))
    except Exception as error:
        text = " ".join(str(error).split())[:MOST]
        raise ValueError(
            f"{type(A).__name__}.x_shape(y) fails for a y of {list(y.shape)} "
            f"({type(error).__name__}: {text}); it gives [B, C, H, W]"
        ) from None


def check_linear(A: Operator, dark: AtZero, y: Tensor) -> None:
    """Raise ValueError where A is declared linear, and A(0) is not 0."""
    if not isinstance(A, LinearOperator) or isinstance(A, AffineOperator):
        return
    off, whole = dark.size, rms(y)
    if off > BENT * max(whole, off):
        raise ValueError(
            f"{type(A).__name__} is declared linear, but A(0) is not 0 (rms {off:.3g}, y's is "
            f"{whole:.3g}); derive it from AffineOperator"
        )


def check_photo(A: Operator, y: Tensor) -> None:
    """The same of a photo y; of the program's own operators only whether they make pictures.

    Raises:
        ValueError: A does not fit, or is not linear as it says.
    """
    if foreign(A):
        check(A, y)
    elif y.ndim == 4 and A.x_shape(y)[1] != 3:
        raise ValueError(
            f"{type(A).__name__} makes numbers of a picture, not a picture; give those in a file "
            "(input=y.npy) or as y=, or have them made of a clean photo with degrade=true"
        )


def foreign(A: Operator) -> bool:
    """Whether an operator is none of the program's own, which are tested."""
    return type(A).__module__.partition(".")[0] != "operators"


def viewed(A: Operator, y: Tensor, own_units: bool) -> tuple[Operator, Tensor]:
    """A and y as samplers know them: as they are, where y is a picture of three channels.

    Args:
        A: the degradation, with y's noise; not bound.
        y: [B, ...].
        own_units: whether y is a measurement in units of its own, else a picture in [-1, 1].
    """
    plain = y.ndim == 4 and not y.is_complex() and A.x_shape(y)[1] == 3
    if plain and not own_units:
        return A, y
    if own_units:
        A = A.with_noise(A.sigma_y)
        A.unit = 1.0
    view: Measured
    view, y = measured(A, y)
    return view, y


def starting(init: Tensor | None, H: int, W: int, device: torch.device) -> Tensor | None:
    """A picture to start from, there; ValueError unless it has the result's size."""
    if init is None:
        return None
    if init.shape[-2:] != (H, W):
        raise ValueError(
            f"init= is a {init.shape[-1]}x{init.shape[-2]} picture, but the result is {W}x{H}; "
            "resize it to that"
        )
    return init.to(device)
