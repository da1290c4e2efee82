"""A winding path is found without a start, and taken where two parts of a photo agree on it."""

import pytest
import torch

from operators.blur import kernels
from operators.blur.blind.coarse_to_fine import CoarseToFine, sides
from operators.blur.blind.evidence import gradients
from operators.blur.blind.kernel_estimate import far_window
from operators.blur.kernel_shape import likeness
from tests.operators.blur.photos import blurred, photo

PATH, OTHER = kernels.shake(15, 0.7, 3), kernels.motion(13, 60.0)
NOISE = 2 * 0.008**2 / 3


def part(kernel, top):
    return gradients(blurred(photo(144, top, 150), kernel, 0.004))


@pytest.mark.parametrize("blur, agree", [(PATH, True), (OTHER, False)])
def test_two_parts_agree_where_their_blur_is_the_same(blur, agree):
    found = CoarseToFine().agreed(part(PATH, 60), part(blur, 200), 15, NOISE)
    assert (found is not None) == agree
    if found is not None:
        assert found.shape == (15, 15) and float(found.sum()) == pytest.approx(1, abs=1e-4)
        assert likeness(found, PATH) > 0.85


def test_every_scale_has_a_middle():
    for size in (3, 5, 15, 31):
        found = sides(size)
        assert found[0] == 3 and found[-1] == size and all(n % 2 for n in found)
        assert found == sorted(set(found))


def test_the_far_window_is_another_part():
    g = torch.zeros(1, 2, 254, 254)
    assert far_window(g, (slice(0, 160), slice(64, 224))) == (slice(94, 254), slice(0, 160))
    assert far_window(g[..., :170, :170], (slice(0, 160), slice(0, 160))) is None
