"""A degradation whose result was saved as a JPEG: whitened for samplers, projected at the end."""

import pytest
import torch
from PIL import Image
from skimage import data

from operators.blur.soft import SoftBlur
from operators.coded.compressed import MOST, Compressed
from operators.coded.jpeg import JPEG
from operators.identity import Identity
from operators.size.avgpool import AvgPool
from operators.size.soft_down import SoftDown
from operators.size.spread import Spread
from tests.photos import astronaut


def case(A, quality=50, noise=0.0, size=64):
    """The operator of a photo that was saved, y, and the truth."""
    jpeg, x = JPEG(quality, 2), astronaut(size)
    y = jpeg(A(x))
    return Compressed(A, jpeg, jpeg.error(y), torch.tensor(noise)), y, x


@pytest.mark.parametrize("A", [Identity(), AvgPool(2)])
def test_the_proximal_step_is_the_least_of_its_objective(A):
    C, y, x = case(A)
    whitened, z = C.whitened(y)
    v, rho = x + 0.1 * torch.randn_like(x), 0.3
    p = whitened.prox(v, z, rho).requires_grad_()
    loss = (whitened(p) - z).square().sum() + rho * (p - v).square().sum()
    assert torch.autograd.grad(loss, p)[0].abs().max() < 1e-4
    assert whitened.sigma_y == C.sigma_y > 0


def test_the_projection_is_saved_as_y_is():
    C, y, x = case(AvgPool(2), quality=30)
    rough = x + 0.2 * torch.randn_like(x)
    p = C.project(rough, y)
    torch.testing.assert_close(C.jpeg(C.A(p)), y, atol=1e-4, rtol=0)
    assert (C(p) - C(rough)).abs().max() > 0.01


def test_what_the_inverse_amplifies_is_not_put_back_whole():
    """A soft JPEG, enlarged, came out up to 25 dB below interpolation: as ripples."""
    C, y, x = case(SoftDown(AvgPool(2), Spread(1.0)), quality=60)
    rough = x + 0.05 * torch.randn_like(x)
    lacks = C.jpeg.project(C.A(rough), y) - C.A(rough)
    change, whole = C.project(rough, y) - rough, C.A.pinv(lacks)
    assert whole.std() > 2 * MOST * lacks.std()
    assert 0 < change.std() < MOST * lacks.std()
    torch.testing.assert_close(change / change.std(), whole / whole.std(), atol=1e-3, rtol=1e-3)


def test_noise_that_was_saved_is_not_put_back():
    C, y, x = case(Identity(), quality=90, noise=0.2)
    assert C.project(x, y) is x and C.sigma_y > 0.2


def test_a_grey_file_has_no_colours_to_invent(tmp_path):
    Image.fromarray(data.camera()[:64, :64]).save(tmp_path / "grey.jpg", quality=50)
    jpeg = JPEG(tables=str(tmp_path / "grey.jpg"))
    y = astronaut(64).mean(1, keepdim=True).expand(-1, 3, -1, -1)
    W, z = Compressed(Identity(), jpeg, jpeg.error(y), torch.tensor(0.0)).whitened(y)
    coloured = y + 0.1 * torch.randn(1, 3, 64, 64)
    out = W.prox(coloured, z, 1e-3)
    assert (out - out.mean(1, keepdim=True)).abs().max() < 0.02
    assert jpeg.error(y) < 0.2


def test_what_is_sharpened_gets_no_colours_that_nothing_told():
    """A codec stored no chequered colours; a restorer that draws some is not to be believed."""
    chequers = (torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2.0 - 1
    drawn = 0.3 * chequers * torch.tensor([1.0, 0.0, -1.0]).view(1, 3, 1, 1)
    left = []
    for A in (Identity(), SoftBlur(0.3)):
        C, y, _ = case(A, quality=95)
        W, z = C.whitened(y)
        off = W.prox(y + drawn, z, 1e-3) - W.prox(y, z, 1e-3)
        left.append(float(off.square().mean() / drawn.square().mean()) ** 0.5)
    assert left[0] > 0.8 and left[1] < 0.4
