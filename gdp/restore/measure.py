"""Other people's data: a measurement and an operator that is to fit it, asked before any sampling.

One evaluation, A(0), tells most: its shape and type are those of y, and of a linear A it is 0.
"""

import torch
from torch import Tensor

from operators.base import AffineOperator, LinearOperator, Operator
from operators.gain import rms
from operators.measured import Measured, measured

BENT = 1e-4  # rms of A(0), as a share of y's, from which A is not linear
MOST = 120  # characters of another's message


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

    real = y.real if y.is_complex() else y
    try:
        with torch.no_grad():
            dark = A(real.new_zeros(shape))
    except Exception as error:  # whatever another's code raises is what is to be told
        text = " ".join(str(error).split())[:MOST]
        raise ValueError(
            f"{name} does not take the x of {list(shape)} that it says is behind y "
            f"({type(error).__name__}: {text}); x is [B, C, H, W], float"
        ) from None
    if dark.shape != y.shape:
        raise ValueError(
            f"{what}, but {name} makes {list(dark.shape)} of an x of {list(shape)}; "
            "y is to be as A(x) is, and x_shape(y) to fit"
        )
    if y.is_complex() and not dark.is_complex():
        raise ValueError(f"y is complex, but {name} gives real numbers; give y as A(x) is")
    check_linear(A, dark, y)
    return y.to(dark.dtype)


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


def check_linear(A: Operator, dark: Tensor, y: Tensor) -> None:
    """Raise ValueError where A is declared linear, and A(0), `dark`, is not 0."""
    if not isinstance(A, LinearOperator) or isinstance(A, AffineOperator):
        return
    off, whole = rms(dark), rms(y)
    if off > BENT * max(whole, off):
        raise ValueError(
            f"{type(A).__name__} is declared linear, but A(0) is not 0 (rms {off:.3g}, y's is "
            f"{whole:.3g}); derive it from AffineOperator"
        )


def check_photo(A: Operator, y: Tensor) -> None:
    """The same of a photo y, where A is not one of the program's own.

    Raises:
        ValueError: A does not fit, or is not linear as it says.
    """
    if foreign(A):
        check(A, y)


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
