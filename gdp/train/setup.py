"""What a training run is made of, from its command line: the network's config, the network, the photos."""

from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from gdp.network.net2net import reshape
from gdp.network.unet import UNet
from gdp.prior.weights import check_fit, read_config, read_weights
from gdp.train.data import Photos, find_photos, split

DEFAULT: dict[str, Any] = {
    "image_size": 64,
    "in_channels": 3,
    "model_channels": 64,
    "out_channels": 6,
    "num_res_blocks": 1,
    "channel_mult": [1, 1, 2, 4],
    "attention_downsampling": [8],
    "num_head_channels": 32,
    "use_scale_shift_norm": True,
    "resblock_updown": True,
    "use_new_attention_order": False,
    "num_classes": None,
    "diffusion": {"steps": 1000, "schedule": "linear"},
}
FLAGS = (
    "image_size",
    "model_channels",
    "num_res_blocks",
    "channel_mult",
    "attention_downsampling",
    "num_head_channels",
)
SHAPE = ("num_res_blocks", "channel_mult")  # what flags may change of a network that is trained on


def configure(args: Namespace, weights: Path | None) -> dict[str, Any]:
    """UNet arguments and `diffusion`: those of the config.yaml beside `weights`, or of the flags; SHAPE always of the flags in training."""
    given = {name: getattr(args, name) for name in FLAGS if getattr(args, name) is not None}
    diffusion = {
        k: v
        for k, v in (("steps", args.diffusion_steps), ("schedule", args.noise_schedule))
        if v is not None
    }
    if weights is None or not weights.with_name("config.yaml").is_file():
        return {**DEFAULT, **given, "diffusion": {**DEFAULT["diffusion"], **diffusion}}
    try:
        config = {"diffusion": DEFAULT["diffusion"], **read_config(weights)}
    except ImportError:
        raise ValueError(
            f"reading {weights.with_name('config.yaml')} needs PyYAML: pip install pyyaml"
        ) from None
    free = ("image_size", *SHAPE) if weights == args.init else ("image_size",)
    config = {
        "image_size": DEFAULT["image_size"],
        **config,
        **{name: given.pop(name) for name in free if name in given},
    }
    for name, value in {**given, **diffusion}.items():
        known = {**config, **config["diffusion"]}.get(name)
        if value != known:
            raise ValueError(
                f"{name}={value}, but the config.yaml beside {weights} says {known}; leave that flag out"
            )
    return config


def build(config: Mapping[str, Any], weights: Path | None = None) -> UNet:
    """The UNet of a config, with given weights or fresh ones."""
    try:
        net = UNet(**{k: v for k, v in config.items() if k != "diffusion"})
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"this UNet cannot be built ({error}); widths must be multiples of 32, and of num_head_channels where attention sits"
        ) from None
    if net.in_channels != 3 or net.out_channels not in (3, 6) or net.num_classes is not None:
        raise ValueError(
            "training needs an unconditional RGB network: in_channels 3, out_channels 3 or 6, num_classes null"
        )
    if weights is not None:
        if not weights.is_file():
            raise FileNotFoundError(f"no weights at {weights}; give a .safetensors or .pt file")
        state = read_weights(weights)
        check_fit(weights, state, {k: v.shape for k, v in net.state_dict().items()})
        net.load_state_dict(state)
    return net.to(memory_format=torch.channels_last)


def begin(args: Namespace, config: Mapping[str, Any]) -> UNet:
    """The network to train: a fresh one, or that of `--init`, in the shape that `config` asks for."""
    if args.init is None:
        return build(config)
    beside = args.init.with_name("config.yaml").is_file()
    known = read_config(args.init) if beside else DEFAULT
    was = {**config, **{name: known[name] for name in SHAPE if name in known}}
    if was == config:
        return build(config, args.init)
    if not beside:
        with suppress(ValueError):
            return build(config, args.init)
    new = build(config)
    reshape(build(was, args.init), new)
    return new


def load_photos(args: Namespace) -> tuple[Photos, Photos]:
    """(to train on, held out): by default every twentieth photo is held out, 40 at most."""
    files = find_photos(args.data)
    parts = split(
        args.data, files, min(40, len(files) // 20) if args.holdout is None else args.holdout
    )
    training, held = (Photos(part, args.cache_mb, args.native, not args.no_flip) for part in parts)
    return training, held
