"""Steps to the minimum along the gradient."""

import torch

from samplers.guide.descent import descended


def test_a_quadratic_loss_is_descended_to_its_minimum():
    steep = torch.tensor([1.0, 2.0, 5.0]).view(1, 3, 1, 1)
    x = descended(
        lambda x: (steep * x).square().flatten(1).sum(1),
        lambda x: 2 * steep**2 * x,
        torch.ones(2, 3, 4, 4),
        50,
    )
    assert x.abs().max() < 1e-3


def test_what_does_not_lower_the_loss_of_an_image_is_not_taken():
    """The second image's loss falls the other way, so that it stays."""
    way = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1)
    start = torch.ones(2, 3, 4, 4)
    x = descended(lambda x: (way * x.square()).flatten(1).sum(1), lambda x: 2 * x, start, 5)
    assert x[0].abs().max() < 1e-3
    torch.testing.assert_close(x[1], start[1])
