"""Pixel values between [0, 1], as users and files have them, and [-1, 1], as networks do."""

import torch
from torch import Tensor

WHITE = {"uint8": 255, "uint16": 65535}  # the largest whole numbers, by their type


def to_model(pixels: Tensor) -> Tensor:
    """Pixels in [0, 1] as the network takes them, in [-1, 1]; any shape."""
    return pixels * 2 - 1


def to_image(x: Tensor) -> Tensor:
    """Pixels of the network, in [-1, 1], as an image in [0, 1]; any shape, nothing is clipped."""
    return (x + 1) / 2


def rounded(pixels: Tensor) -> Tensor:
    """Pixels as an 8-bit file holds them: clipped, and rounded to multiples of 1 / 255."""
    return (pixels.clamp(0, 1) * 255).round() / 255


def is_grey(pixels: Tensor) -> bool:
    """Whether all channels of pixels [B, C, H, W] are the same, to the bit."""
    return torch.equal(pixels, pixels[:, :1].expand_as(pixels))
