"""How A(x0) differs from y for a network that knows photos.

    1/L sum_l mean ||f_l(A(x0)) - f_l(y)||^2,   f_l: VGG-16's features, of unit length a pixel

(Johnson et al., ECCV 2016; the unit length is LPIPS's, Zhang et al., CVPR 2018, without its learned
weights.) torchvision's weights are read from this machine and are not fetched.
"""

from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from samplers.guide.losses import Degradation

FILE = "vgg16-397923af.pth"  # torchvision's name of VGG-16 as trained on ImageNet
LAYERS = (3, 8, 15, 22)  # the last ReLU before each of the first four poolings
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as torchvision has them
SMALLEST = 16  # pixels a side that the layers need


@dataclass
class Perceptual:
    """A term (x0, y, A) -> [B] of the guidance; y is a picture of one colour or three.

    Args:
        weights: the file of VGG-16's weights; null is where torch.hub keeps it.

    Raises:
        ValueError: the file, or torchvision, is not there (by `check`, before a restoration).
    """

    weights: str | None = None
    features: nn.Module | None = field(default=None, repr=False, compare=False)

    @property
    def file(self) -> Path:
        """Where the weights are looked for."""
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        return folder / FILE if self.weights is None else Path(self.weights)

    def check(self) -> None:
        """Load the network."""
        if self.features is not None:
            return
        if not self.file.is_file():
            raise ValueError(
                f"guidance.terms.perceptual needs VGG-16's weights, and {self.file} is not there; "
                f"put torchvision's {FILE} there or give guidance.terms.perceptual.1.weights=FILE"
            )
        try:
            from torchvision.models import vgg16
        except ImportError:
            raise ValueError(
                "guidance.terms.perceptual needs torchvision, which is not installed"
            ) from None

        network = vgg16(weights=None)
        network.load_state_dict(torch.load(self.file, map_location="cpu", weights_only=True))
        self.features = network.features[: LAYERS[-1] + 1].eval().requires_grad_(False)

    def __call__(self, x0: Tensor, y: Tensor, A: Degradation) -> Tensor:
        """The difference [B], times the number of pixels."""
        self.check()
        ours, theirs = self.maps(A(x0)), self.maps(y)
        gaps = [(p - q).square().sum(1).mean((1, 2)) for p, q in zip(ours, theirs, strict=True)]
        return torch.stack(gaps).mean(0) * x0.shape[-2] * x0.shape[-1]

    def maps(self, z: Tensor) -> list[Tensor]:
        """Features [B, C, h, w] of a picture in [-1, 1], layer by layer, of unit length."""
        assert self.features is not None
        if z.ndim != 4 or z.shape[1] not in (1, 3) or min(z.shape[-2:]) < SMALLEST:
            raise ValueError(
                f"guidance.terms.perceptual compares pictures of one colour or three, {SMALLEST} "
                f"pixels a side at least; got {list(z.shape)}; take another term"
            )
        self.features.to(z.device)
        mean, std = (torch.tensor(v).to(z).view(1, 3, 1, 1) for v in (MEAN, STD))
        z, maps = (((z + 1) / 2).expand(-1, 3, -1, -1) - mean) / std, []
        for k, layer in enumerate(self.features.children()):
            z = layer(z)
            if k in LAYERS:
                maps.append(F.normalize(z, dim=1, eps=1e-6))
        return maps
