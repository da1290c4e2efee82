"""Blurs: known, blind, varying over the picture, behind a camera's response."""

from operators.blur.blind_blur import BlindBlur
from operators.blur.diagonal import CircularBlur, DiagonalBlur, ReflectBlur
from operators.blur.iterated import Blur, IteratedBlur
from operators.blur.known import blur
from operators.blur.nonlinear_blur import NonlinearBlur
from operators.blur.varying_blur import VaryingBlur

__all__ = [
    "BlindBlur",
    "Blur",
    "CircularBlur",
    "DiagonalBlur",
    "IteratedBlur",
    "NonlinearBlur",
    "ReflectBlur",
    "VaryingBlur",
    "blur",
]
