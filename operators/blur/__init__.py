"""Blurs: known, blind, varying over the picture, behind a camera's response."""

from operators.blur.known import Blur, CircularBlur, IteratedBlur, ReflectBlur, blur

__all__ = ["Blur", "CircularBlur", "IteratedBlur", "ReflectBlur", "blur"]
