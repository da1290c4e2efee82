"""guided-diffusion's published models, described by command-line flags, as arguments of `UNet`."""

from typing import Any

# Widths of the levels, where a model's flags give none: image_size -> channel_mult.
CHANNEL_MULT = {
    512: (0.5, 1, 1, 2, 2, 4, 4),
    256: (1, 1, 2, 2, 4, 4),
    128: (1, 1, 2, 3, 4),
    64: (1, 2, 3, 4),
}


def arguments_from_flags(
    image_size: int,
    num_channels: int,
    num_res_blocks: int,
    attention_resolutions: str = "16",
    channel_mult: str = "",
    learn_sigma: bool = False,
    class_cond: bool = False,
    use_fp16: bool = False,
    num_heads_upsample: int = -1,
    **same: object,
) -> dict[str, Any]:
    """UNet arguments from the command-line flags that guided-diffusion's models are published with.

    Args:
        image_size: pixels along an edge of the training photos.
        num_channels: width of the first level, at full size.
        num_res_blocks: ResBlocks a level.
        attention_resolutions: sizes at which attention sits, separated by commas.
        channel_mult: width of each level in units of num_channels, separated by commas; "" stands
            for what belongs to image_size.
        learn_sigma: whether the variance is learned.
        class_cond: whether the model is conditional on ImageNet's classes.
        use_fp16: of no consequence here.
        num_heads_upsample: of no consequence here.
        same: flags that are arguments of UNet under the same name.
    """
    if channel_mult:
        mult = tuple(float(m) for m in channel_mult.split(","))
    else:
        mult = CHANNEL_MULT[image_size]

    sizes = str(attention_resolutions).split(",")
    return {
        "image_size": image_size,
        "model_channels": num_channels,
        "num_res_blocks": num_res_blocks,
        "channel_mult": mult,
        "attention_downsampling": [image_size // int(size) for size in sizes],
        "out_channels": 6 if learn_sigma else 3,
        "num_classes": 1000 if class_cond else None,
        **same,
    }
