"""A restorer of somebody else's training, from its file of weights: what it is, and how it is run.

spandrel knows the architectures by the names and shapes of their parameters (Real-ESRGAN, SwinIR,
SCUNet, NAFNet, LaMa ...); FFDNet and DRUNet, which are told the noise, are our own. Files are read
as plain tensors, never as code.
"""

import logging
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gdp.network.denoisers import denoiser_of
from gdp.prior.prior import reflect_to_multiple
from gdp.prior.tiles import Span, Tile, spans
from gdp.prior.weights import check_fit, read_checkpoint, verify
from gdp.storage.places import expand

SUFFIXES = (".pth", ".pt", ".ckpt", ".safetensors")
WRAPPINGS = ("model_state_dict", "state_dict", "params_ema", "params-ema", "params", "model", "net")
PREFIXES = ("module.", "netG.")
TILE, OVERLAP = 512, 32  # pixels of y that go through the network together, and that tiles share
WIDE_TILE = 1536  # of networks that look at the whole picture
NOISY, CLEANS, FILLS = "denoising", "Restoration", "Inpainting"  # purposes
log = logging.getLogger("gdp")

# (pixels [1, C, h, w] in [0, 1], holes [1, 1, h, w] or None, sigma) -> pixels in [0, 1]
Run = Callable[[Tensor, Tensor | None, float], Tensor]


class Network(NamedTuple):
    """A restorer.

    Attributes:
        run: see `Run`; sigma is the std of y's noise in [0, 1] units.
        move: puts it on a device.
        kind: the architecture's name.
        purpose: SR, FaceSR, Restoration, Inpainting or denoising.
        scale: how many times larger a picture becomes.
        channels: of pictures.
        tile: the largest side that is given to it at once; None: no matter how large.
        source: its file and sha256.
    """

    run: Run
    move: Callable[[torch.device], None]
    kind: str
    purpose: str
    scale: int
    channels: int
    tile: int | None
    source: dict[str, str]

    def describe(self) -> dict[str, Any]:
        """What a report says of it."""
        known = {"architecture": self.kind, "purpose": self.purpose, "scale": self.scale}
        return {**self.source, **known}


def load_network(path: str) -> Network:
    """The restorer of a file of weights.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is damaged, holds code, or a network that nobody knows; in a line.
    """
    file = expand(path)
    if not file.is_file():
        raise FileNotFoundError(f"stage_one={path}: there is no such file of weights")
    if file.suffix.lower() not in SUFFIXES:
        raise ValueError(f"stage_one={path}: weights are {', '.join(SUFFIXES)} files")
    weights = unwrapped(read_checkpoint(file), file)
    source = {"file": file.name, "sha256": verify(file, None)}
    return denoiser(weights, file, source) or recognised(weights, file, source)


def unwrapped(content: Any, file: Path) -> dict[str, Tensor]:
    """The parameters by name, out of the dicts that trainings put them into.

    Raises:
        ValueError: there are none.
    """
    name = next((n for n in WRAPPINGS if isinstance(content, dict) and is_dict(content.get(n))), "")
    inner = content[name] if name else content
    if isinstance(inner, dict) and len(inner) == 1 and is_dict(next(iter(inner.values()))):
        inner = next(iter(inner.values()))
    tensors = isinstance(inner, dict) and all(isinstance(w, Tensor) for w in inner.values())
    if not inner or not tensors or not all(isinstance(name, str) for name in inner):
        raise ValueError(f"{file} holds no network; it must map names of parameters to tensors")

    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in inner):
            inner = {name.removeprefix(prefix): weight for name, weight in inner.items()}
    return dict(inner)


def is_dict(what: Any) -> bool:
    """Whether it is a dict that is not empty."""
    return isinstance(what, dict) and len(what) > 0


def denoiser(weights: Mapping[str, Tensor], file: Path, source: dict[str, str]) -> Network | None:
    """FFDNet or DRUNet; None where the parameters are of neither."""
    net = denoiser_of(weights)
    if net is None or {n: w.shape for n, w in net.state_dict().items()} != {
        n: w.shape for n, w in weights.items()
    }:
        return None
    net.load_state_dict({name: w.float() for name, w in weights.items()}, assign=True)
    net.eval().requires_grad_(False)

    def run(pixels: Tensor, holes: Tensor | None, sigma: float) -> Tensor:
        h, w = pixels.shape[-2:]
        out: Tensor = net(reflect_to_multiple(pixels, int(net.divisor)), sigma)
        return out[..., :h, :w].clamp(0, 1)

    def move(device: torch.device) -> None:
        net.to(device)

    check_fit(file, weights, {name: w.shape for name, w in net.state_dict().items()})
    return Network(run, move, type(net).__name__, NOISY, 1, net.channels, TILE, source)


def recognised(weights: dict[str, Tensor], file: Path, source: dict[str, str]) -> Network:
    """What spandrel knows.

    Raises:
        ValueError: it is not installed, or does not know the network.
    """
    if find_spec("spandrel") is None:
        raise ValueError(
            f"stage_one={file.name} needs the package spandrel, which knows the architectures; "
            "pip install 'gdp-restore[stage_one]'"
        )
    import spandrel

    try:
        model = spandrel.MAIN_REGISTRY.load(weights)
    except spandrel.UnsupportedModelError:
        raise ValueError(
            f"{file} is of no architecture that spandrel knows (such as Real-ESRGAN, SwinIR, "
            "NAFNet, SCUNet, LaMa)"
        ) from None
    except Exception as error:  # architectures raise whatever their wrong shapes lead to
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ValueError(
            f"{file} looks damaged: its parameters fit no network ({reason})"
        ) from None

    model.eval()
    model.model.requires_grad_(False)
    if model.input_channels not in (1, 3) or model.output_channels != model.input_channels:
        raise ValueError(
            f"{file} is a network of {model.input_channels} to {model.output_channels} channels; "
            "stage_one= takes those of colour or grey pictures"
        )

    def run(pixels: Tensor, holes: Tensor | None, sigma: float) -> Tensor:
        given = pixels.to(model.dtype)
        with torch.no_grad():
            out: Tensor = model(given) if holes is None else model(given, holes.to(given))
        return out.to(pixels.dtype).clone()

    def move(device: torch.device) -> None:
        model.to(device)
        if device.type == "cuda" and model.supports_half:
            model.half()

    kinds = spandrel.ModelTiling
    tile = {kinds.SUPPORTED: TILE, kinds.DISCOURAGED: WIDE_TILE}.get(model.tiling)
    known = (model.architecture.name, model.purpose, model.scale, model.input_channels)
    return Network(run, move, *known, tile, source)


def through(net: Network, pixels: Tensor, holes: Tensor | None, sigma: float) -> Tensor:
    """A picture [1, 3, h, w] in [0, 1] through a network, in tiles where it is large.

    Args:
        net: on the picture's device.
        pixels: the picture; of a network of grey pictures each channel by itself.
        holes: 1 where there is nothing, [1, 1, h, w]; for networks that fill.
        sigma: std of its noise in [0, 1] units.
    """
    if net.channels == 1:
        parts = [whole(net, one, holes, sigma) for one in pixels.split(1, 1)]
        return torch.cat(parts, 1)
    return whole(net, pixels, holes, sigma)


def whole(net: Network, pixels: Tensor, holes: Tensor | None, sigma: float) -> Tensor:
    """The same of a picture with as many channels as the network's."""
    h, w = pixels.shape[-2:]
    tile = net.tile or max(h, w)
    if max(h, w) <= tile:
        return net.run(pixels, holes, sigma)

    # Tiles of y, and where each lies in the result: its weights sum to one there as well.
    s, total = net.scale, pixels.new_zeros(*pixels.shape[:-2], h * net.scale, w * net.scale)
    sides = [spans(n, tile, OVERLAP, 1, 0.0, pixels) for n in (h, w)]
    for rows in sides[0]:
        for columns in sides[1]:
            here = Tile(rows, columns).region
            part = net.run(pixels[here], None if holes is None else holes[here], sigma)
            Tile(enlarged(rows, s), enlarged(columns, s)).add(total, part)
    return total


def enlarged(span: Span, s: int) -> Span:
    """A tile's extent in a picture that is s times larger."""
    return Span(span.start * s, span.stop * s, span.weight.repeat_interleave(s))
