"""Weights of convolutions in the order in which the CPU's kernels read them.

Winograd's F(4 x 4, 3 x 3) ("Fast Algorithms for Convolutional Neural Networks", Lavin & Gray, 2015)
computes 4 x 4 pixels of a convolution with taps g from 6 x 6 pixels d,

    Y = A^T [(G g G^T) (.) (B^T d B)] A

by 36 products in place of 144. G g G^T does not depend on the picture: it is computed once, here.
"""

import torch
from torch import Tensor, nn

SIXTHS = [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6]
G = torch.tensor(
    [[1 / 4, 0, 0], *SIXTHS, [1 / 24, 1 / 12, 1 / 6], [1 / 24, -1 / 12, 1 / 6], [0, 0, 1]],
    dtype=torch.float64,
)


def pack(conv: nn.Module, columns: int, adjoint: bool = False) -> tuple[Tensor, Tensor]:
    """Weights and bias of a convolution, or of its adjoint, as the kernels read them.

    They are computed once, unless the weights are being trained.

    Args:
        conv: an nn.Conv2d, 3 x 3 or 1 x 1.
        columns: outputs that the kernels compute at once.
        adjoint: whether the adjoint is wanted; it has no bias.

    Returns:
        (`panels` of the weights, bias [O]).
    """
    assert isinstance(conv, nn.Conv2d)
    weight = conv.weight.detach()
    if adjoint or conv.bias is None:
        bias = weight.new_zeros(weight.shape[1 if adjoint else 0])
    else:
        bias = conv.bias.detach()

    # torch's fused optimizers change weights and not their version.
    if conv.weight.requires_grad:
        return panels(weight, columns, adjoint), bias

    key = weight.data_ptr(), 0 if weight.is_inference() else weight._version
    cache = conv.__dict__.setdefault("_packed", {})
    if adjoint not in cache or cache[adjoint][0] != key:
        cache[adjoint] = key, panels(weight, columns, adjoint)
    return cache[adjoint][1], bias


def panels(weight: Tensor, columns: int, adjoint: bool = False) -> Tensor:
    """Weights [O, C, 3, 3] as G g G^T in panels of `columns` outputs.

    Args:
        weight: [O, C, 3, 3]; [O, C, 1, 1] is put in order, not transformed.
        columns: outputs of a panel; they divide O.
        adjoint: whether the weights of the adjoint are wanted, from C outputs to O inputs.

    Returns:
        [36, O / columns, C, columns], of a 1 x 1 with 1 in place of 36.
    """
    if adjoint:
        weight = weight.flip(2, 3).transpose(0, 1)
    taps = weight.float().permute(2, 3, 1, 0).flatten(0, 1)
    taps = taps.unflatten(2, (-1, columns)).transpose(1, 2).contiguous()
    if len(taps) == 1:
        return taps

    transformed = torch.kron(G, G).float() @ taps.view(9, -1)
    return transformed.view(36, *taps.shape[1:])


def taps_gradient(gradient: Tensor) -> Tensor:
    """The adjoint of G g G^T: a gradient in the transformed weights as one in the weights.

    Args:
        gradient: [36, C, O].

    Returns:
        [O, C, 3, 3].
    """
    taps = torch.kron(G, G).float().T @ gradient.view(36, -1)
    return taps.view(3, 3, *gradient.shape[1:]).permute(3, 2, 0, 1).contiguous()
