"""Small networks of every kind, with weights that are not zero."""

from contextlib import contextmanager

import torch
from torch import nn

from gdp.network.unet import UNet

DDPM = {"use_scale_shift_norm": False, "resblock_updown": False, "ddpm": True}
VARIANTS = {"adm": {}, "plain resampling": {"resblock_updown": False}, "ddpm": DDPM}


def small_unet(**other):
    """A small ADM with all its parts, channels last; the same each time."""
    torch.manual_seed(0)
    settings = {
        "model_channels": 32,
        "num_res_blocks": 1,
        "channel_mult": (1, 2, 2),
        "attention_downsampling": (4,),
        **other,
    }
    net = UNet(**settings)
    for p in net.parameters():
        if p.ndim > 1:
            nn.init.normal_(p, std=p[0].numel() ** -0.5)
    return net.eval().requires_grad_(False).to(memory_format=torch.channels_last)


@contextmanager
def on_threads(n):
    """Within it torch computes on n threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
