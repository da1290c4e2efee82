"""What a degradation is: y = A(x) + sigma_y n, with what each may tell of itself.

An operator defines `forward`; all else here has a default. What not every operator can do is
defined by those that can: `offers` says which (operators/optional.py).
"""

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from operators.optional import MissingMethodError, OptionalMethods

if TYPE_CHECKING:
    from typing import Self

__all__ = ["AddNoise", "MissingMethodError", "Operator", "Whitens"]

AddNoise = Callable[[Tensor], Tensor]
Whitens = Callable[["Operator", Tensor], tuple["Operator", Tensor]]  # A, y -> W A, W y


class Operator(OptionalMethods):
    """A differentiable degradation A: a subclass writes `forward`, and `x_shape` if shapes change.

    Images are [B, C, H, W] in [-1, 1] and of any size, and so is y. Buffers are what is known of
    A. Parameters are what is not: they live from `bind` to the end of one restoration.

    Attributes:
        sigma_y: std of the noise in y, in units of [-1, 1]; `with_noise` sets it.
        divisor: H and W of x must be multiples of it.
        spreads: whether every pixel of x is seen in all of y, or in no part more than in others.
        pictured: the names of what `pictures` gives.
        frame: pixels that x has more than y at the left, right, top and bottom.
        leaves: whether y is x already, so that no network is called; of what looks in y, as bound.
        whitening: makes W A and W y of A and y, where y's noise is not white.
        careful: whether noise that may be texture is to be left in y.
        guess_error: how wrong `guess` is, in units of [-1, 1]; None where random pictures tell it.
        findings: what `for_photo` has found, in lines that a user is told before the restoration.
        any_size: whether A holds nothing of the size of its pictures.
        fine: whether what A leaves open of x is detail of two pixels alone.
        noise_gain: the std of y's noise for noise of std 1 where `degrade` lets it join in.
        measured: whether y is bare numbers, so that it is no picture to be looked at.
        x_channels: those of x, where y does not tell; a photo that is to be degraded has as many.
        unit: y's, in the caller's units; half of one where y is a picture, in [0, 1] outside.
    """

    sigma_y: float = 0.0
    divisor: int = 1
    spreads: bool = False
    pictured: Sequence[str] = ()
    frame: tuple[int, int, int, int] | None = None
    leaves: bool = False
    whitening: "Whitens | None" = None
    careful: bool = False
    guess_error: float | None = None
    findings: Sequence[str] = ()
    any_size: bool = True
    fine: bool = False
    noise_gain: float = 1.0
    measured: bool = False
    x_channels: int | None = None
    unit: float = 0.5

    def forward(self, x: Tensor) -> Tensor:
        """A(x), without noise."""
        raise TypeError(
            f"{type(self).__name__} defines no forward(x); an operator is at least that"
        )

    def x_shape(self, y: Tensor) -> tuple[int, ...]:
        """Shape of the images that A maps to y."""
        return tuple(y.shape)

    def with_noise(self, sigma_y: float) -> "Self":
        """The same operator for a y whose noise has the std `sigma_y`, in units of [-1, 1].

        It shares buffers and parameters with this one, which stays as it is.
        """
        same = copy.copy(self)
        for table in ("_parameters", "_buffers", "_modules"):
            vars(same)[table] = dict(vars(self)[table])
        same.sigma_y = sigma_y
        return same

    # --- what a photo tells of A

    @property
    def blind(self) -> bool:
        """Whether `bind` finds something of A, so that the operator before it is not that of y."""
        return type(self).bind is not Operator.bind

    @property
    def of_one_photo(self) -> bool:
        """Whether `for_photo` finds something of A, so that no two photos share an operator."""
        return type(self).for_photo is not Operator.for_photo

    def bind(self, y: Tensor, init: "Operator | None" = None) -> "Operator":
        """The operator for these images; a blind one returns a copy with its own parameters.

        Args:
            y: the measurement.
            init: an operator bound before, to a coarser y or in an earlier pass, to begin with.
        """
        return self

    def for_file(self, file: Path) -> "Operator":
        """The operator for a photo whose file tells more than its pixels do."""
        return self

    def for_photo(self, photo: Tensor, noise: Tensor | float) -> "Operator":
        """The operator for a photo whose pixels tell what A is, before its noise is whitened.

        Args:
            photo: [1, 3, H, W] in [-1, 1].
            noise: std of its noise in the same units: a number, or [..., H, W] by frequency of
                the cosine transform.
        """
        return self

    def observe(self, photo: Tensor) -> Tensor:
        """y, from a photo [B, 3, H, W] that is the degraded picture already."""
        return photo

    def degrade(self, x: Tensor, add_noise: AddNoise) -> tuple[Tensor, "Operator"]:
        """y of a clean picture, and the operator that y has.

        Args:
            x: [B, C, H, W] in [-1, 1].
            add_noise: the same picture with noise; it is called once, where noise joins in.
        """
        return add_noise(self(x)), self

    def whitened(self, y: Tensor) -> tuple["Operator", Tensor]:
        """The same problem for samplers, where y's noise is not white: W A and W y."""
        return (self, y) if self.whitening is None else self.whitening(self, y)

    def with_whitening(self, whitening: "Whitens | None") -> "Self":
        """The same operator for a y whose noise is not white, or is (None); this one stays so."""
        same = self.with_noise(self.sigma_y)
        same.whitening = whitening
        return same

    def fit(self, x0: Tensor, y: Tensor, sigma: float) -> None:
        """Update the Parameters in place; a blind operator writes it.

        The loop calls it after every call of the network, before the sampler corrects x0; no
        gradients are recorded.

        Args:
            x0: the network's estimate [B, C, H, W].
            y: the measurement.
            sigma: std of the noise in the picture that the network saw.
        """

    def misfit(self, x: Tensor, y: Tensor) -> Tensor:
        """How far a result x is from y, of y's shape: A(x) - y, but for what no x can explain."""
        return self(x) - y

    def known(self, y: Tensor) -> Tensor | None:
        """Where x holds what A^+ y does, with whatever noise y has: [1 or B, 1, H, W], true there.

        None where A mixes all pixels.
        """
        return None

    # --- what a user is told of A

    def likest(self, x: Tensor, truth: Tensor) -> Tensor:
        """Of the pictures that y cannot tell from x [B, C, H, W], the one next to the truth."""
        return x

    def describe(self, y: Tensor) -> dict[str, Any]:
        """What a report should hold beyond the settings: what was drawn at random, or found."""
        return {}

    def remark(self, y: Tensor) -> str:
        """What a user should know of what was found, such as that there is nothing to mend."""
        return ""

    def pictures(self, y: Tensor) -> dict[str, Tensor]:
        """What was found of the degradation of the first image, to be saved beside the result.

        Each has a name and is [1, 1 or 3, h, w] in [0, 1].
        """
        return {}

    # --- what not every operator can do

    def offers(self, method: str) -> bool:
        """Whether this operator defines an optional method.

        These are `adjoint`, `pinv`, `prox`, `spectral`, `at_scale`, `guess`, `project` and
        `radiance`; any other name counts where there is a method of that name.
        """
        default = getattr(Operator, method, None)
        undefined = default is not None and getattr(type(self), method) is default
        return hasattr(self, method) and not undefined

    if TYPE_CHECKING:

        def adjoint(self, y: Tensor) -> Tensor:
            """A^T y."""

        def pinv(self, y: Tensor) -> Tensor:
            """A^+ y."""

        def prox(self, v: Tensor, y: Tensor, rho: float) -> Tensor:
            """argmin_x ||A(x) - y||^2 + rho ||x - v||^2."""

        def spectral(self, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
            """V f(s) V^T x."""

        def developed(self, y: Tensor) -> Tensor:
            """What y alone shows of x, [0, 1] units, by whose noise A is whitened."""

        def at_scale(self, r: int, y: Tensor) -> tuple["Operator", Tensor]:
            """The same degradation of an x that is 1 / r as high and wide, and y of it."""
