"""The arguments of a small network."""

ARGUMENTS = {
    "model_channels": 32,
    "num_res_blocks": 1,
    "channel_mult": [1, 2],
    "attention_downsampling": [2],
    "num_head_channels": 16,
}
