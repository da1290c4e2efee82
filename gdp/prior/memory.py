"""How much the network is given at once: by the memory that is free, less where that was too much.

    pixels a call = SHARE free / (bytes a pixel)       asked once, so that batches are of one size
    out of memory   graphs are dropped; then half as much from now on; then an error that says what
                    helps

Bytes a pixel, in units of the first level's feature map at one pixel: PLAIN for a call, and
DIFFERENTIATED for one and the way back through it (the ADM-256 in 16 bits, at 256x256: .25 GiB and
.73 GiB a picture, of which one map is 32 MiB).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

# The most pixels in a call of the network; with 512 channels 2^21 are 2^30 elements.
MOST_PIXELS = {"cpu": 2**16, "cuda": 2**21}

SHARE = 0.5  # of a GPU's free memory, that a call may take
PLAIN, DIFFERENTIATED = 16, 26  # feature maps that are held at the peak

# What the libraries say where memory has run out: CUDA and HIP, cuDNN, cuBLAS, MPS, XPU, the CPU.
WORDS = (
    "out of memory",
    "out of resources",
    "out_of_memory",
    "out_of_resources",
    "alloc_failed",
    "allocate memory",
    "not enough memory",
    "enough memory:",
    "invalid buffer size",
)

# cuDNN finds no algorithm where its workspace does not fit.
CUDNN_WORDS = ("unable to find an engine", "unable to find a valid cudnn algorithm")

Pieces = tuple[Tensor, Tensor | None]  # eps and v


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, by the type of the error or by the words of whoever ran out of it."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(w in text for w in (*WORDS, *CUDNN_WORDS))


def affordable_pixels(net: nn.Module, device: torch.device, differentiated: bool = False) -> int:
    """How many pixels a call of a network may take, by the memory of a GPU that is free now."""
    maps = DIFFERENTIATED if differentiated else PLAIN
    size = min(weight.element_size() for weight in net.parameters())
    bytes_a_pixel = maps * size * getattr(net, "model_channels", 256)
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + cached
    return min(MOST_PIXELS["cuda"], int(SHARE * free / bytes_a_pixel))


class Budget:
    """How many pixels a call may take; remembers what was too much.

    Attributes:
        pixels: by whether gradients are wanted; empty until it is asked.
    """

    def __init__(self) -> None:
        self.pixels: dict[bool, int] = {}

    def known(
        self, net: nn.Module | None, device: torch.device, differentiated: bool = False
    ) -> int | None:
        """How many pixels a call may take; None where nothing is known of the memory."""
        if differentiated not in self.pixels and device.type == "cuda" and net is not None:
            self.pixels[differentiated] = affordable_pixels(net, device, differentiated)
        return self.pixels.get(differentiated)

    def at_once(
        self, net: nn.Module | None, device: torch.device, differentiated: bool = False
    ) -> int:
        """How many pixels a call should take."""
        return self.known(net, device, differentiated) or MOST_PIXELS["cpu"]

    def shrink(self, shape: torch.Size, differentiated: bool) -> None:
        """Take half as many pictures [K, C, h, w] from now on, as these were too many."""
        self.pixels[differentiated] = max(1, shape[0] // 2) * shape[-2] * shape[-1]

    def in_parts(
        self,
        work: Callable[[Tensor], Pieces],
        tiles: Tensor,
        net: nn.Module | None,
        drop: Callable[[], bool],
        differentiated: bool = False,
    ) -> Pieces:
        """What `work` gives for tiles [K, C, h, w], of as many at a time as memory bears.

        Args:
            work: the network.
            tiles: pictures, or parts of them, of one size.
            net: for its size.
            drop: gives memory back that is held for speed; whether there was any.
            differentiated: whether the way back is within `work`.

        Raises:
            TooLargeError: memory does not bear one; says what helps.
        """
        h, w = tiles.shape[-2:]
        done: list[Pieces] = []
        left = tiles
        while len(left):
            most = max(1, self.at_once(net, tiles.device, differentiated) // (h * w))
            part, rest = left[:most], left[most:]
            try:
                done.append(work(part))
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                dropped = drop()
                self.shrink(part.shape, differentiated)
                problem = too_large(h, w) if len(part) == 1 and not dropped else None
            else:
                left = rest
                continue

            # Outside the handler, which holds the failed call's tensors.
            if problem is not None:
                raise problem
            if tiles.is_cuda:
                torch.cuda.empty_cache()

        if len(done) == 1:
            return done[0]
        variances = [v for _, v in done if v is not None]
        return torch.cat([eps for eps, _ in done]), torch.cat(variances) if variances else None


class TooLargeError(ValueError):
    """Memory does not bear the network on one picture, or on one tile."""


def too_large(h: int, w: int) -> TooLargeError:
    """The error that says what helps."""
    return TooLargeError(
        f"memory does not bear the network on one tile of {w}x{h}; choose a smaller tiling.tile, "
        "prior.dtype=float16 or bfloat16, or close what else uses the device"
    )
