"""Operators of the library deepinv (pip install 'gdp-restore[deepinv]'), as ours.

    linear A       y = A x                        on [-1, 1] as on any other scale
    any other A    y = 2 A((x + 1) / 2) - 1       since the library's images live in [0, 1]

The library's noise models are not applied.
"""

from typing import cast

import torch
from torch import Tensor, nn

from operators.base import LinearOperator, Operator
from operators.tools.units import to_model, to_pixels


class Physics(Operator):
    """y = A(x), A of a physics; one that is a LinearPhysics there becomes a LinearPhysics here.

    Shapes are the library's: y of any shape [B, ...] with x [B, C, H, W]. Size-free where the
    physics is.

    Args:
        physics: a `deepinv.physics.Physics`.
    """

    physics: nn.Module

    def __new__(cls, physics: nn.Module | None = None) -> "Physics":
        return super().__new__(LinearPhysics if hasattr(physics, "A_adjoint") else cls)

    def __init__(self, physics: nn.Module):
        super().__init__()
        if not isinstance(physics, nn.Module) or not callable(getattr(physics, "A", None)):
            raise TypeError(
                f"operator.physics is a {type(physics).__name__}; "
                "it takes a deepinv.physics.Physics"
            )
        self.physics = physics

    def apply_physics(self, name: str, *tensors: Tensor) -> Tensor:
        """What a method of the physics gives, in the first tensor's type.

        It computes at the precision of the physics, or of the tensors if that is finer.
        """
        own = next(
            (t.dtype for t in self.physics.buffers() if t.is_floating_point()), tensors[0].dtype
        )
        if own != torch.float64 == tensors[0].dtype:
            self.physics.double()
            own = torch.float64

        out = getattr(self.physics, name)(*(t.to(own) for t in tensors))
        if not isinstance(out, Tensor) or out.is_complex():
            raise TypeError(
                f"{type(self.physics).__name__}.{name} gives no real tensor; "
                "wrap it in a physics that stacks its parts"
            )
        return out.to(tensors[0])

    def forward(self, x: Tensor) -> Tensor:
        return to_model(self.apply_physics("A", to_pixels(x)))


class LinearPhysics(Physics, LinearOperator):
    """y = A x, A of a `deepinv.physics.LinearPhysics`; A^T and A^+ are the library's own.

    `prox` is by our conjugate gradients: the library's prox_l2 drops the null space of some
    physics (Decolorize, version 0.5).
    """

    def forward(self, x: Tensor) -> Tensor:
        return self.apply_physics("A", x)

    def adjoint(self, y: Tensor) -> Tensor:
        return self.apply_physics("A_adjoint", y)

    def pinv(self, y: Tensor) -> Tensor:
        return self.apply_physics("A_dagger", y)

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        if y.is_meta:  # which the library's buffers are not
            device = next(self.physics.buffers(), torch.empty(0)).device
            y = torch.zeros(y.shape, device=device)
        return tuple(self.adjoint(torch.zeros_like(y)).shape)

    def observe(self, photo: Tensor) -> Tensor:
        """y of a measurement that is stored as a picture; a grey one is stored as RGB.

        It is A p of pixels p in [0, 1], and 2 A p - A 1 = A x.
        """
        channels = self(torch.zeros_like(photo)).shape[1]
        photo = photo.mean(1, keepdim=True) if channels == 1 else photo[:, :channels]
        ones = torch.ones(self.x_shape(photo), dtype=photo.dtype, device=photo.device)
        return photo + 1 - cast(Tensor, self(ones))
