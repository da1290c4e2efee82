"""What a training run is made of, from its command line: the network's config, the network, photos.

A config holds the arguments of UNet, and `diffusion`; config.yaml beside weights has the same.
"""

from argparse import Namespace
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from gdp.network.net2net import reshape
from gdp.network.unet import UNet
from gdp.prior.weights.read import check_fit, read_config, read_weights
from gdp.train.photos import Photos, find_photos, split

DEFAULT_CONFIG: dict[str, Any] = {
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

# Keys of a config that are flags too
FLAGS = (
    "image_size",
    "model_channels",
    "num_res_blocks",
    "channel_mult",
    "attention_downsampling",
    "num_head_channels",
)

# What flags may change of a network that is trained on
SHAPE = ("num_res_blocks", "channel_mult")


def configure(args: Namespace, weights: Path | None) -> dict[str, Any]:
    """Read the config of a network from its weights' config.yaml, or from flags.

    Args:
        args: the command line.
        weights: the network's weights; None for a fresh network.

    Returns:
        The config beside `weights`, with the image size of the flags, and with their SHAPE where
        `weights` are trained on; all of it from the flags where there is no such file.

    Raises:
        ValueError: a flag contradicts the file, or PyYAML is missing to read it.
    """
    flags = {name: getattr(args, name) for name in FLAGS if getattr(args, name) is not None}
    process = (("steps", args.diffusion_steps), ("schedule", args.noise_schedule))
    diffusion = {name: value for name, value in process if value is not None}

    if weights is None or not weights.with_name("config.yaml").is_file():
        diffusion = {**DEFAULT_CONFIG["diffusion"], **diffusion}
        return {**DEFAULT_CONFIG, **flags, "diffusion": diffusion}

    try:
        file = {"diffusion": DEFAULT_CONFIG["diffusion"], **read_config(weights)}
    except ImportError:
        raise ValueError(
            f"reading {weights.with_name('config.yaml')} needs PyYAML: pip install pyyaml"
        ) from None

    # Flags that may differ from the file
    free = ("image_size", *SHAPE) if weights == args.init else ("image_size",)
    changes = {name: flags.pop(name) for name in free if name in flags}
    config = {"image_size": DEFAULT_CONFIG["image_size"], **file, **changes}

    # The others must agree with it
    for name, value in {**flags, **diffusion}.items():
        known = {**config, **config["diffusion"]}.get(name)
        if value != known:
            raise ValueError(
                f"{name}={value}, but the config.yaml beside {weights} says {known}; "
                "leave that flag out"
            )
    return config


def build(config: Mapping[str, Any], weights: Path | None = None) -> UNet:
    """Build the UNet of a config.

    Args:
        config: its arguments; `diffusion` is passed over.
        weights: what it is loaded from; None for fresh weights.

    Raises:
        FileNotFoundError: there are no such weights.
        ValueError: the UNet cannot be built or trained, or the weights do not fit it.
    """
    try:
        net = UNet(**{k: v for k, v in config.items() if k != "diffusion"})
    except (TypeError, ValueError, ZeroDivisionError) as error:
        raise ValueError(
            f"this UNet cannot be built ({error}); widths must be multiples of 32, "
            "and of num_head_channels where attention sits"
        ) from None
    if net.in_channels != 3 or net.out_channels not in (3, 6) or net.num_classes is not None:
        raise ValueError(
            "training needs an unconditional RGB network: "
            "in_channels 3, out_channels 3 or 6, num_classes null"
        )

    if weights is not None:
        if not weights.is_file():
            raise FileNotFoundError(f"no weights at {weights}; give a .safetensors or .pt file")
        state = read_weights(weights)
        check_fit(weights, state, {k: v.shape for k, v in net.state_dict().items()})
        net.load_state_dict(state)

    return net.to(memory_format=torch.channels_last)


def begin(args: Namespace, config: Mapping[str, Any]) -> UNet:
    """Build the network to train: a fresh one, or that of `--init` in the config's shape."""
    if args.init is None:
        return build(config)

    # The shape that the weights have
    beside = args.init.with_name("config.yaml").is_file()
    known = read_config(args.init) if beside else DEFAULT_CONFIG
    before = {**config, **{name: known[name] for name in SHAPE if name in known}}
    if before == config:
        return build(config, args.init)

    # Without a file the weights may have the flags' shape already
    if not beside:
        with suppress(ValueError):
            return build(config, args.init)

    net = build(config)
    reshape(build(before, args.init), net)
    return net


def load_photos(args: Namespace) -> tuple[Photos, Photos]:
    """Find the photos of `--data`.

    Returns:
        (to train on, held out): by default every twentieth is held out, 40 at most.
    """
    files = find_photos(args.data)
    holdout = min(40, len(files) // 20) if args.holdout is None else args.holdout

    parts = split(args.data, files, holdout)
    train, held_out = (Photos(part, args.cache_mb, args.native, not args.no_flip) for part in parts)
    return train, held_out
