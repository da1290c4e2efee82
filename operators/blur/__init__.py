"""Blurs: known, blind, varying over the picture, behind a camera's response.

What one module operators.blur held once is to be had from here still.
"""

from operators.blur.diagonal import CircularBlur, DiagonalBlur, ReflectBlur
from operators.blur.iterated import Blur, IteratedBlur
from operators.blur.known import blur

__all__ = ["Blur", "CircularBlur", "DiagonalBlur", "IteratedBlur", "ReflectBlur", "blur"]
