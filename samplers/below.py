"""Samplers that end below their photo, as was measured: a run refuses them, unless force=true.

Below: a lower PSNR than the photo, and, degraded again, further from y than the photo is and than
y's noise allows; on small photos, by default settings (benchmarks/measures/product.py). A paper's
preset (paper=, experiment=) is never refused: there the method is the question, not the picture.

SDEdit says nothing of y after its start, and GDP as released is made for one size and number of
steps: these say so themselves (`Restorer.warning`), whatever the operator.
"""

from operators.base import LinearOperator, Operator
from operators.compose import Row
from samplers.restorer import Restorer

DRAWN = "what y does not tell is one draw of many, and its steps stay away from an exact y"

# Sampler -> operators, both by their classes' names, and why.
BELOW: dict[str, tuple[tuple[str, ...], str]] = {
    "REDdiff": (
        ("Gray", "Mosaic", "AvgPool", "Bicubic"),
        "Adam does not come near y in its few steps",
    ),
    "ILVR": (
        (
            *("Gray", "Mosaic", "Mask", "BoxMask", "ClosedCompose", "WhiteBalance"),
            *("BlindBlur", "SoftBlur", "FromPhoto"),
        ),
        "it follows the coarse light and colours of the first guess, and draws all else anew, also "
        "what y shows",
    ),
    "DPS": (("Gray", "ClosedCompose", "AvgPool", "Bicubic"), DRAWN),
    "RePaint": (
        ("ReflectBlur", "CircularBlur", "DiagonalBlur", "Blur", "VaryingBlur"),
        "it takes y for clean, and what undoes a blur multiplies y's noise, be it of rounding",
    ),
    "GDPLineSearch": (
        ("Clip",),
        "a value that is taken for clipped, and is not, has no gradient that would say so",
    ),
    "DAPS": (
        ("JPEG", "SmallPhoto", "Rounded", "Gray", "ClosedCompose"),
        "its draws go astray where y is rounded, or says nothing of colours",
    ),
    "DiffPIR": (
        ("JPEG", "Rounded", "Gray"),
        "its weights are those of white noise, which rounding is not, and its colours leave what a "
        "picture holds",
    ),
}


def why_below(sampler: Restorer, operator: Operator, shape: tuple[int, ...], steps: int) -> str:
    """Why a result will likely be worse than its photo, or "".

    Args:
        sampler: the sampler, or what wraps it.
        operator: the degradation.
        shape: of the result, [B, 3, H, W].
        steps: network calls that its schedule makes.
    """
    inner = getattr(sampler, "sampler", sampler)
    return inner.warning(shape, steps) or known_below(sampler, operator)


def known_below(sampler: Restorer, operator: Operator) -> str:
    """The same of photos of any size and of any number of steps: what the table has."""
    inner = getattr(sampler, "sampler", sampler).for_operator(operator)
    operators, why = BELOW.get(type(inner).__name__, ((), ""))
    name = next((name for name in names(operator) if name in operators), None)
    return "" if name is None else f"ends below the photo with {name}: {why}"


def names(operator: Operator) -> list[str]:
    """The names of an operator's class, and of those of its parts where it is a forward model."""
    parts = operator.parts() if isinstance(operator, Row) else []
    linear = isinstance(operator, LinearOperator)
    return [type(op).__name__ for op in (operator, *(() if linear else parts))]
