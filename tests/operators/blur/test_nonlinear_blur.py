"""A blur of light, not of picture values."""

import pytest
import torch

from operators.blur import blur, kernels
from operators.blur.nonlinear_blur import NonlinearBlur
from tests.operators.pictures import pixels


def test_nonlinear_blur_blurs_light():
    identity, x = NonlinearBlur(torch.ones(1, 1)), pixels(1, 3, 9, 11, dtype=torch.float64)
    torch.testing.assert_close(identity(x), x)
    A = NonlinearBlur(kernels.gaussian(5, 1.0))
    torch.testing.assert_close(
        A(torch.full_like(x, 0.3)), torch.full_like(x, 0.3), atol=1e-5, rtol=0
    )
    lamp = torch.full_like(x, -0.9)
    lamp[..., 4, 5] = 1
    assert (
        A(lamp) >= blur(kernels.gaussian(5, 1.0), threshold=0.0)(lamp) - 1e-5
    ).all()  # light spreads further than picture values
    assert NonlinearBlur(kernels.gaussian(5, 1.0), exposure=50.0)(lamp).max() == 1


@pytest.mark.parametrize(
    "make, match",
    [
        (lambda: NonlinearBlur(torch.ones(3, 3), exposure=0), "exposure"),
        (lambda: NonlinearBlur(torch.ones(3, 3), border="zero"), "border"),
    ],
)
def test_bad_settings(make, match):
    with pytest.raises(ValueError, match=match):
        make()
