"""Scores by networks: LPIPS, DISTS and PieAPP as piq computes them, and BRISQUE's machine.

LPIPS  sum_l mean_hw w_l . (f_l(a) - f_l(b))^2, f_l unit vectors at each place of layer l
DISTS  1 - sum_l alpha_l texture_l + beta_l structure_l

piq's own classes fetch their weights themselves; here they are given files that are at hand.
LPIPS: Zhang et al., CVPR 2018. DISTS: Ding et al., TPAMI 2022. PieAPP: Prashnani et al., CVPR 2018.
BRISQUE: Mittal et al., IEEE TIP 2012.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

Metric = Callable[[Tensor, Tensor], Tensor]
LAYERS = {"alex": ["1", "4", "7", "9", "11"], "vgg": ["3", "8", "15", "22", "29"]}
CHANNELS = [3, 64, 128, 256, 512, 512]  # of DISTS: the picture, and the layers of vgg
RHO = -153.591  # of BRISQUE's support vectors, as published


@lru_cache(maxsize=8)
def lpips(backbone: str, network: Path, heads: Path) -> Metric:
    """LPIPS 0.1.

    Args:
        backbone: alex or vgg.
        network: torchvision's weights of it.
        heads: LPIPS's weights of its layers.

    Returns:
        A distance of pictures [1, 3, H, W] in [0, 1].
    """
    import piq

    read = torch.load(heads, map_location="cpu", weights_only=True)
    weights = [read[f"lin{k}.model.1.weight"] for k in range(len(LAYERS[backbone]))]
    return piq.ContentLoss(
        feature_extractor=features(backbone, network),
        layers=LAYERS[backbone],
        weights=weights,
        normalize_features=True,
    )


@lru_cache(maxsize=2)
def dists(network: Path, weights: Path) -> Metric:
    """DISTS by torchvision's vgg and its own weights; a distance, 0 for equal pictures."""
    from piq import DISTS, ContentLoss

    class Local(DISTS):  # type: ignore[misc]
        """piq's DISTS with weights of files."""

        def __init__(self) -> None:
            read = torch.load(weights, map_location="cpu", weights_only=True)
            parts = [*read["alpha"].split(CHANNELS, 1), *read["beta"].split(CHANNELS, 1)]
            ContentLoss.__init__(
                self,
                feature_extractor=features("vgg", network),
                layers=LAYERS["vgg"],
                weights=parts,
                replace_pooling=True,
                allow_layers_weights_mismatch=True,
            )

    return Local()


@lru_cache(maxsize=1)
def pieapp(weights: Path) -> Metric:
    """PieAPP: by how much a is worse than b to people."""
    from piq.pieapp import PieAPP, PieAPPModel

    class Local(PieAPP):  # type: ignore[misc]
        """piq's PieAPP with weights of a file."""

        def __init__(self) -> None:
            nn.Module.__init__(self)
            read = torch.load(weights, map_location="cpu", weights_only=True)
            read["ref_score_subtract.weight"] = read["ref_score_subtract.weight"].reshape(1, 1)
            with torch.device("meta"):
                self.model = PieAPPModel()
            self.model.load_state_dict(read, assign=True)
            self.model.requires_grad_(False)
            self.data_range, self.stride = 1.0, 27
            self.reduction, self.enable_grad = "mean", False

    return Local()


def brisque(pixels: Tensor, weights: Path) -> Tensor:
    """BRISQUE of a picture [1, 3, H, W] in [0, 1]: lower is better, some 20 for good photos."""
    from piq.brisque import _natural_scene_statistics, _rbf_kernel, _scale_features
    from piq.functional import imresize, rgb2yiq

    # Statistics of the picture, and of half its size.
    luma = torch.round(rgb2yiq(255 * pixels)[:, :1])
    found = []
    for _ in range(2):
        found.append(_natural_scene_statistics(luma, 7, 7 / 6))
        luma = imresize(luma, sizes=(luma.shape[-2] // 2, luma.shape[-1] // 2))
    scaled = _scale_features(torch.cat(found, -1))

    # The machine that was trained on people's marks.
    coefficients, vectors = torch.load(weights, map_location="cpu", weights_only=True)
    kernel: Tensor = _rbf_kernel(scaled, vectors.t())
    return kernel @ coefficients.to(kernel.dtype) - RHO


def features(backbone: str, file: Path) -> nn.Module:
    """The layers of torchvision's AlexNet or VGG16 that see pictures, with weights of a file."""
    from torchvision.models import alexnet, vgg16

    read: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    with torch.device("meta"):
        net: nn.Module = {"alex": alexnet, "vgg": vgg16}[backbone]().features
    own = {k.removeprefix("features."): v for k, v in read.items() if k.startswith("features.")}
    net.load_state_dict(own, assign=True)
    return net.eval()
