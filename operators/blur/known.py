"""Blur by a known kernel: y = k * x, a true convolution; borders reflect, as suits photos.

border     kernel       operator        A^+ and prox
circular   any          CircularBlur    exact, by FFT
reflect    symmetric    ReflectBlur     exact, by DCT
auto       symmetric    ReflectBlur     exact, by DCT
any other pair          Blur            by conjugate gradients
"""

from typing import Any

import torch

from operators.base import Operator
from operators.blur.borders import AUTO, BORDERS
from operators.blur.diagonal import CircularBlur, ReflectBlur
from operators.blur.iterated import Blur
from operators.blur.kernel_file import kernel_of


def blur(kernel: Any, border: str = "reflect", threshold: float = 1e-3) -> Operator:
    """The blur operator with the best closed forms for a kernel and a border.

    Args:
        kernel: [h, w], a tensor, an array or a list of rows, scaled to the sum 1; or a file that
            holds one (`from_file`). Its middle [h // 2, w // 2] is the pixel itself.
        border: reflect, replicate, valid or circular; auto: reflect for a symmetric kernel, else
            what suits a photo, and so the way round of the kernel.
        threshold: eigenvalues of at most this count as 0, where there are closed forms.

    Raises:
        ValueError: there is no such border, or what is given is no kernel.
    """
    k = kernel_of(kernel)
    if border == "circular":
        return CircularBlur(k, threshold)
    if border != AUTO and border not in BORDERS:
        known = ", ".join((AUTO, *BORDERS))
        raise ValueError(f"operator.border={border!r}; it is {known} or circular")

    symmetric = all(torch.allclose(k, k.flip(axis), atol=1e-7) for axis in (0, 1))
    if border in (AUTO, "reflect") and symmetric:
        return ReflectBlur(k, threshold)
    return Blur(k, border)
