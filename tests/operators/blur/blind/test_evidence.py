"""What gradients say about a kernel: given the photo, and by their energy."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measures.blind_blur import width
from operators.blur.blind.evidence import best_kernel, gradients, posterior, project_on_simplex
from operators.blur.blind.search import Stroke
from operators.blur.kernel_shape import likeness
from tests.operators.blur.photos import KERNELS, blurred, photo


@pytest.mark.parametrize("name", KERNELS)
def test_given_the_photo_the_kernel_is_found(name):
    x, truth = photo(), KERNELS[name]
    found = best_kernel(
        gradients(x), gradients(blurred(x, truth)), 0.0, Stroke(0.0, 0.0, 1.0).kernel(15)
    )
    assert likeness(found, truth) > 0.95
    assert abs(width(found) / width(truth) - 1) < 0.1


def test_energy_prefers_the_truth():
    g = gradients(blurred(photo(), KERNELS["gaussian"]))
    energies = {
        w: posterior(Stroke(0.0, 0.0, w).kernel(15), g, 4e-3).energy for w in (0.3, 1.0, 2.0, 4.0)
    }
    assert min(energies, key=energies.get) == 2.0


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30))
def test_projection_onto_the_simplex(values):
    v = torch.tensor(values, dtype=torch.float64)
    p = project_on_simplex(v)
    assert (p >= 0).all() and abs(float(p.sum()) - 1) < 1e-9
    gap = v - p  # optimality: the gap is constant where p > 0, and no larger elsewhere
    assert (gap <= gap[p > 0].min() + 1e-9).all()
