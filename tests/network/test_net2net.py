"""Networks in another shape.

With more blocks they are the same function; narrower levels retain the channels that matter.
"""

import pytest
import torch

from gdp.network.net2net import reshape
from gdp.network.unet import UNet
from tests.networks import VARIANTS, small_unet

WIDE = {"channel_mult": (1, 2, 4), "num_head_channels": 32}


def fresh(**other) -> UNet:
    """A network as training would make it, its last layers zero."""
    torch.manual_seed(1)
    settings = {"model_channels": 32, "num_res_blocks": 1, "attention_downsampling": (4,)}
    return UNet(**{**settings, **WIDE, **other}).eval()


def outputs(*nets: UNet) -> list[torch.Tensor]:
    """Of each network, for the same pictures and times."""
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(2))
    t = torch.tensor([3, 700])
    labels = torch.tensor([1, 0]) if nets[0].num_classes else None
    with torch.no_grad():
        return [net(x, t, labels) for net in nets]


def assert_equal(expected: torch.Tensor, got: torch.Tensor) -> None:
    """But for rounding, which these unbounded networks enlarge."""
    assert (got - expected).norm() < 1e-5 * expected.norm()


@pytest.mark.parametrize("blocks", [(1, 2), (1, 3), (2, 3), (2, 2)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_added_blocks_change_nothing(blocks, variant):
    old = small_unet(**WIDE, **VARIANTS[variant], num_res_blocks=blocks[0])
    new = fresh(**VARIANTS[variant], num_res_blocks=blocks[1])
    reshape(old, new)
    assert_equal(*outputs(old, new))


@pytest.mark.parametrize(
    "more",
    [{"use_new_attention_order": True}, {"attention_downsampling": (1, 2)}, {"num_classes": 3}],
)
def test_attention_and_labels_are_kept(more):
    old, new = small_unet(**WIDE, **more), fresh(**more, num_res_blocks=2)
    reshape(old, new)
    assert_equal(*outputs(old, new))


def test_added_blocks_learn():
    old, new = small_unet(**WIDE), fresh(num_res_blocks=2)
    reshape(old, new)
    optimizer = torch.optim.SGD(new.parameters(), 1e-2)
    for _ in range(2):
        new.train()(torch.randn(1, 3, 16, 16), torch.tensor([5])).square().mean().backward()
        optimizer.step()
    added = new.output_blocks[1][0]
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0
        for p in (added.out_layers[3].weight, added.in_layers[2].weight)
    )


def double(net: UNet, old: UNet) -> None:
    """Give `old`, twice as wide everywhere, two copies of each channel and head of `net`.

    Only the first of the two is ever read.
    """
    state = {}
    for name, value in old.state_dict().items():
        narrow = net.state_dict()[name]

        # What it writes, twice; of q, k and v each on its own.
        rows = torch.arange(len(value)) * len(narrow) // len(value)
        if "qkv" in name:
            shape = [3, -1, 32] if old.middle_block[1].new_order else [-1, 96]
            triples = torch.arange(len(narrow)).view(*shape)
            rows = triples.repeat_interleave(2, -2).flatten()
        if value.ndim == 1:
            state[name] = narrow[rows]
            continue

        # What it reads, of which every second channel (or head) counts nothing.
        places, read = torch.arange(value.shape[1]), torch.ones(1)
        columns = places * narrow.shape[1] // value.shape[1]
        if len(columns) > narrow.shape[1]:
            step = 32 if "proj_out" in name else 1
            columns = places // (2 * step) * step + places % step
            read = (places // step % 2 == 0).float()
        state[name] = narrow[rows][:, columns] * read.view(1, -1, *[1] * (value.ndim - 2))
    old.load_state_dict(state)


@pytest.mark.parametrize("blocks", [1, 2])
@pytest.mark.parametrize("order", [False, True])
@pytest.mark.parametrize("variant", VARIANTS)
def test_narrowed_levels_keep_what_is_read(variant, order, blocks):
    settings = {
        **WIDE,
        **VARIANTS[variant],
        "use_new_attention_order": order,
        "attention_downsampling": (2,),
    }
    net = small_unet(**{**settings, "channel_mult": (1, 2)})
    old = fresh(**{**settings, "channel_mult": (2, 4)})
    new = fresh(**{**settings, "channel_mult": (1, 2), "num_res_blocks": blocks})
    double(net, old)
    reshape(old, new)
    expected, same, got = outputs(net, old, new)
    assert_equal(expected, same)
    assert_equal(expected, got)


def test_a_level_as_wide_as_the_one_before_may_become_narrower():
    old, new = small_unet(**{**WIDE, "channel_mult": (2, 2)}), fresh(channel_mult=(2, 1))
    reshape(old, new)  # where the old one passes its input on, the new one picks channels of it
    skip = new.input_blocks[3][0].skip_connection
    assert skip.weight.sum(1).flatten().tolist() == [1.0] * 32 and not skip.bias.any()


@pytest.mark.parametrize(
    "other, words",
    [
        ({"channel_mult": (1, 2, 6)}, "not the reverse"),
        ({"channel_mult": (1, 2)}, "as many levels"),
        ({"channel_mult": (1, 2, 2)}, "give it another width"),
    ],
)
def test_what_cannot_be_is_said(other, words):
    with pytest.raises(ValueError, match=words):
        reshape(small_unet(**WIDE), fresh(**other))
    with pytest.raises(ValueError, match="not the reverse"):
        reshape(small_unet(**WIDE, num_res_blocks=2), fresh())

    old = small_unet(**{**WIDE, "num_head_channels": -1})
    new = fresh(channel_mult=(1, 2, 3), num_head_channels=-1)
    with pytest.raises(ValueError, match="num_head_channels"):
        reshape(old, new)
