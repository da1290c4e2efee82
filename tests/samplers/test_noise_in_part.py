"""Noise of grey alone, as grey photos have it: one call, as for white noise; and noise that is
louder in some places than in others, from which a restoration starts where it is hidden there."""

import pytest
import torch

from operators.base import SpectralOperator
from operators.identity import Identity
from operators.noise.whitened import whiten
from operators.noise.whitening import Whitening
from samplers.anchored import Anchored
from samplers.auto import Auto
from samplers.start import seen
from tests.samplers.test_few_calls import MU, TAU, Coloured, truth, white


class InGrey(SpectralOperator):
    """Whitening of noise that all channels share: grey as it is, colours 50 times as sure."""

    def split(self, x, f):
        grey = x.mean(1, keepdim=True)
        return f(torch.tensor(1.0)) * grey + f(torch.tensor(50.0)) * (x - grey)

    def forward(self, x):
        return self.split(x, lambda d: d)

    adjoint = forward

    def pinv(self, y):
        return self.split(y, lambda d: 1 / d)

    def spectral(self, x, f):
        return self.split(x, f)


def test_noise_of_grey_alone_takes_one_call_too():
    """The rest is filled up with noise of the same std, and comes from y in the end."""
    A, x, prior = InGrey().with_noise(0.3), truth(48), white()
    grey = 0.3 * torch.randn(1, 1, 48, 48)
    found = seen(A, A(x))
    assert found.whole and found.part and found.std == pytest.approx(0.3, rel=0.01)

    restored = Auto()(prior, A, A(x + grey)).x
    exact = x + grey - 0.3**2 / (TAU**2 + 0.3**2) * (x + grey - MU).mean(1, keepdim=True)
    assert prior.calls == 1
    assert (restored - exact).norm() < 0.1 * (x + grey - exact).norm()
    assert not seen(Identity().with_noise(0.3), x).part
    assert not seen(Coloured(9.0).with_noise(0.3), x).part


def test_noise_that_is_loud_in_places_is_hidden_there():
    """One half has noise of three times the std of the other half, and a colour."""
    std = torch.linspace(0.15, 0.05, 48).expand(1, 3, 48, 48)
    gain = torch.ones(1, 1, 48, 48)
    starts, peaks = [], []
    for loud in (1.0, 3.0):
        gain[..., :24] = loud
        level = gain / gain.square().mean().sqrt()
        A = whiten(Identity().with_noise(0.1), Whitening(std, level, torch.eye(3)))
        y = A(truth(48))
        peaks.append(seen(A, y).peak)
        starts.append(Anchored().timed(white(), A, y).start)
    assert peaks[0] < 1.15 and peaks[1] == pytest.approx(3 / 5**0.5, rel=0.1)
    assert starts[1] > 1.2 * starts[0]
