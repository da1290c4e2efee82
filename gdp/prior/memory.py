"""How much the network may be given at once, and how to tell that it was too much."""

import torch
from torch import nn

# The most pixels in a call of the network; with 512 channels 2^21 are 2^30 elements.
MOST_PIXELS = {"cpu": 2**16, "cuda": 2**21}

# Of a GPU's free memory, the share that a call may take; and how many feature maps as large as
# those of the first level a call holds at its peak.
MEMORY_SHARE = 0.5
PEAK_MAPS = 16


def affordable_pixels(net: nn.Module, device: torch.device) -> int:
    """How many pixels a call of a network may take, by the memory of a GPU that is free now."""
    weight = next(net.parameters())
    bytes_a_pixel = PEAK_MAPS * weight.element_size() * getattr(net, "model_channels", 256)
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    free = torch.cuda.mem_get_info(device)[0] + cached
    return min(MOST_PIXELS["cuda"], int(MEMORY_SHARE * free / bytes_a_pixel))


def out_of_memory(error: RuntimeError) -> bool:
    """Whether memory ran out: CUDA's own error, or the words of the CPU's allocator."""
    return isinstance(error, torch.cuda.OutOfMemoryError) or any(
        words in str(error) for words in ("allocate memory", "enough memory")
    )
