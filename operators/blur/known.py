"""Blur by a known kernel: y = k * x, a true convolution; borders reflect, as suits photos.

border     kernel       operator        A^+ and prox
circular   any          CircularBlur    exact, by FFT
reflect    symmetric    ReflectBlur     exact, by DCT
any other pair          Blur            by conjugate gradients
"""

import torch
from torch import Tensor

from operators.base import Operator
from operators.blur.diagonal import CircularBlur, ReflectBlur
from operators.blur.iterated import BORDERS, Blur
from operators.blur.kernels import from_file, normalise


def blur(kernel: Tensor | str, border: str = "reflect", threshold: float = 1e-3) -> Operator:
    """The blur operator with the best closed forms for a kernel and a border.

    Args:
        kernel: [h, w], scaled to the sum 1, or a file that holds one.
        border: reflect, replicate, valid or circular.
        threshold: eigenvalues of at most this count as 0, where there are closed forms.

    Raises:
        ValueError: there is no such border, or what is given is no kernel.
    """
    k = from_file(kernel) if isinstance(kernel, str) else normalise(kernel)
    if border == "circular":
        return CircularBlur(k, threshold)
    if border not in BORDERS:
        raise ValueError(f"operator.border={border!r}; it is {', '.join(BORDERS)} or circular")

    symmetric = all(torch.allclose(k, k.flip(axis), atol=1e-7) for axis in (0, 1))
    if border == "reflect" and symmetric:
        return ReflectBlur(k, threshold)
    return Blur(k, border)
