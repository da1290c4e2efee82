"""The Inception network of FID and KID, with the weights of 2015, and how pictures are shown to it.

clean   each channel in floats to 299 x 299 by PIL's bicubic filter, which sees all pixels, and cut
        to [0, 255]; (x - 128) / 128                  Parmar et al., On aliased resizing, CVPR 2022
legacy  bilinear between four pixels, x / 127.5 - 1, as pytorch-fid, with which papers before that
        have made their tables
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

SIDE = 299  # pixels that the network sees
Network = Callable[[Tensor], Tensor]


def clean(picture: Image.Image) -> Tensor:
    """A picture as clean-fid shows it, [1, 3, 299, 299]."""
    channels = []
    for channel in picture.convert("RGB").split():
        floats = Image.fromarray(np.asarray(channel, np.float32))
        channels.append(np.asarray(floats.resize((SIDE, SIDE), Image.Resampling.BICUBIC)))
    pixels = torch.from_numpy(np.stack(channels)).clamp(0, 255)
    return (pixels[None] - 128) / 128


def legacy(picture: Image.Image) -> Tensor:
    """A picture as pytorch-fid shows it, [1, 3, 299, 299]."""
    pixels = torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)[None] / 255
    return 2 * F.interpolate(pixels, (SIDE, SIDE), mode="bilinear", align_corners=False) - 1


PROTOCOLS = {"clean": clean, "legacy": legacy}


def load(file: Path) -> Network:
    """The network of a file: of pictures [B, 3, 299, 299] in [-1, 1] to features [B, 2048].

    Args:
        file: pytorch-fid's weights (.pth), or the TorchScript of clean-fid and StyleGAN (.pt).

    Raises:
        ValueError: it is neither.
    """
    try:
        script = torch.jit.load(file, map_location="cpu")
    except (RuntimeError, ValueError):
        return from_weights(file)
    if not hasattr(script, "layers"):
        raise ValueError(f"{file} is a TorchScript without `layers`; give inception-2015-12-05.pt")
    return lambda x: script.layers(x).flatten(1)


def from_weights(file: Path) -> Network:
    """The network of pytorch-fid's weights, by torchvision and the blocks that piq has for it."""
    from piq.feature_extractors import fid_inception as blocks
    from torchvision.models import inception_v3

    with torch.device("meta"):
        net = inception_v3(num_classes=1008, aux_logits=False, init_weights=False)
        for name, channels, pooled in (("5b", 192, 32), ("5c", 256, 64), ("5d", 288, 64)):
            setattr(net, f"Mixed_{name}", blocks.FIDInceptionA(channels, pooled))
        for name, inner in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
            setattr(net, f"Mixed_{name}", blocks.FIDInceptionC(768, inner))
        net.Mixed_7b, net.Mixed_7c = blocks.FIDInceptionE1(1280), blocks.FIDInceptionE2(2048)
    try:
        net.load_state_dict(
            torch.load(file, map_location="cpu", weights_only=True), strict=False, assign=True
        )
        missing = [name for name, p in net.named_parameters() if p.is_meta]
    except Exception as error:  # of any file that is no such file
        raise ValueError(f"{file} holds no weights of Inception: {error}".splitlines()[0]) from None
    if missing:
        raise ValueError(f"{file} lacks weights of Inception, such as {missing[0]}")

    # Its answer is what comes before the classes.
    net.fc, net.dropout = nn.Identity(), nn.Identity()
    net.transform_input = False
    return net.eval()


def features(
    files: Sequence[Path],
    network: Network,
    show: Callable[[Image.Image], Tensor] = clean,
    batch: int = 16,
) -> np.ndarray:
    """What the network says of pictures, [N, 2048] in float64.

    Args:
        files: the pictures, of any sizes.
        network: as `load` gives it.
        show: how a picture is shown to it, of PROTOCOLS.
        batch: of pictures that go through it together.
    """

    def rows() -> Iterator[np.ndarray]:
        for k in range(0, len(files), batch):
            shown = []
            for file in files[k : k + batch]:
                with Image.open(file) as picture:
                    shown.append(show(picture))
            with torch.no_grad():
                yield network(torch.cat(shown)).double().numpy(force=True)

    return np.concatenate(list(rows()))
