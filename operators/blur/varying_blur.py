"""Blur that varies over the picture, as by a poor lens: a few kernels, blended.

y     = sum_i w_i (k_i * x)      w_i = max(0, 1 - |place - i|), place from 0 to n - 1 over the width
A^T y = sum_i k_i^T * (w_i y)
"""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from operators.base import Operator
from operators.blur.filters import LEAST_DAMPING, inverse_filter, transfer
from operators.blur.iterated import Blur, IteratedBlur
from operators.blur.kernel_file import kernel_of
from operators.blur.kernels import shrink_kernel
from operators.scale import shrink
from operators.tools.solve import cg


class VaryingBlur(IteratedBlur):
    """y = sum_i w_i (k_i * x): several kernels, blended linearly from the left edge to the right.

    [B, C, H, W] -> the same; borders are reflected. A^+ and prox are as Blur's.

    Args:
        kernels: two or more, each [h, w] or a file that holds one.
        damping: what regularises A^+.
        iterations: of conjugate gradients, for prox.
    """

    def __init__(
        self, kernels: Sequence[Tensor | str], damping: float = 1e-5, iterations: int = 30
    ):
        super().__init__()
        if len(kernels) < 2:
            raise ValueError(
                f"operator.kernels holds {len(kernels)}; "
                "a blur that varies needs at least two kernels"
            )
        tensors = [kernel_of(k) for k in kernels]
        self.blurs = nn.ModuleList(Blur(k) for k in tensors)
        self.damping, self.iterations = damping, iterations

    def parts(self, x: Tensor) -> list[tuple[Tensor, Blur]]:
        """(w_i [W], blur by k_i): hat functions over the width, which sum to one."""
        place = torch.linspace(0, len(self.blurs) - 1, x.shape[-1], dtype=x.dtype, device=x.device)
        return [
            ((1 - (place - i).abs()).clamp_min(0), cast(Blur, blur))
            for i, blur in enumerate(self.blurs)
        ]

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([w * k(x) for w, k in self.parts(x)]).sum(0)

    def adjoint(self, y: Tensor) -> Tensor:
        return torch.stack([k.adjoint(w * y) for w, k in self.parts(y)]).sum(0)

    def solve(self, b: Tensor, rho: float, iterations: int) -> Tensor:
        """(A^T A + rho)^-1 b, preconditioned by the mean power of the kernels' spectra."""
        blurs = [cast(Blur, blur) for blur in self.blurs]

        # A frame that holds the largest margin.
        margins = [max(blur.kernel.shape[i] // 2 for blur in blurs) for i in (0, 1)]
        H, W = (n + 2 * m for n, m in zip(b.shape[-2:], margins, strict=True))

        power = torch.stack([transfer(blur.kernel, H, W, b).abs() ** 2 for blur in blurs]).mean(0)
        inverse = inverse_filter(power + max(rho, LEAST_DAMPING), (H, W))
        return cg(lambda u: self.adjoint(self(u)) + rho * u, b, iterations, precondition=inverse)

    def at_scale(self, r: int, y: Tensor) -> tuple[Operator, Tensor]:
        """A blur by the shrunk kernels."""
        kernels = [shrink_kernel(cast(Blur, blur).kernel, r) for blur in self.blurs]
        small = VaryingBlur(kernels, self.damping, self.iterations)
        return small.with_noise(self.sigma_y / r), shrink(y, r)
