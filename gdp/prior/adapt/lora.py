"""A low-rank change of a network's weights (Hu et al., "LoRA", ICLR 2022).

    W = W0 + B A        W0 [O, I k k] stays;  A [r, I k k] random, B [O, r] = 0 at first
    dL/dB = G A^T,  dL/dA = B^T G           G = dL/dW, which the network's own way back gives

So few numbers hardly learn a photo by heart, and at the start nothing is changed.
"""

import torch
from torch import nn

# What is changed: convolutions and attention, whose weights are products over channels
CHANGED = (nn.Conv2d, nn.Conv1d)


class LowRank(nn.Module):
    """The change of all convolutions of a network, written into their weights.

    Args:
        net: the network in float32; it is changed in place.
        rank: r.
        seed: of A.
    """

    def __init__(self, net: nn.Module, rank: int, seed: int):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        layers = [layer for layer in net.modules() if isinstance(layer, CHANGED)]
        self.weights = [layer.weight.requires_grad_() for layer in layers]
        self.before = [weight.detach().clone() for weight in self.weights]
        self.A, self.B = nn.ParameterList(), nn.ParameterList()
        for weight in self.weights:
            rows, columns = weight.flatten(1).shape
            start = torch.randn(rank, columns, generator=generator) / columns**0.5
            self.A.append(start.to(weight.device))
            self.B.append(torch.zeros(rows, rank, device=weight.device))

    @torch.no_grad()
    def take_gradients(self) -> None:
        """Turn the gradients in W, which end here, into those in A and B."""
        for weight, A, B in zip(self.weights, self.A, self.B, strict=True):
            assert weight.grad is not None
            G = weight.grad.flatten(1)
            A.grad, B.grad = B.T @ G, G @ A.T
            weight.grad = None

    @torch.no_grad()
    def write(self) -> None:
        """Put W0 + B A into the network."""
        for weight, before, A, B in zip(self.weights, self.before, self.A, self.B, strict=True):
            weight.copy_(before + (B @ A).view_as(before))
