"""Our UNet with DDPM's weights says what DDPM's network says.

That one is written here from the paper's structure, in plain torch, under its own names.
"""

import pytest
import torch
import torch.nn.functional as F

from gdp.network.convert import from_ddpm, is_ddpm
from gdp.network.unet import UNet
from gdp.prior.weights import load_prior


class Plain:
    """Ho et al.'s UNet over a table of weights, which it makes up as they are asked for."""

    def __init__(self, width, mult, blocks, attention):
        self.width, self.mult, self.blocks, self.attention = width, mult, blocks, attention
        self.w = {}

    def get(self, name, *shape):
        return self.w.setdefault(name, 0.1 * torch.randn(*shape))

    def conv(self, name, x, out, size=3, stride=1):
        weight = self.get(f"{name}.weight", out, x.shape[1], size, size)
        return F.conv2d(
            x, weight, self.get(f"{name}.bias", out), stride, size // 2 if stride == 1 else 0
        )

    def linear(self, name, x, out):
        return F.linear(
            x, self.get(f"{name}.weight", out, x.shape[1]), self.get(f"{name}.bias", out)
        )

    def norm(self, name, x):
        groups = x.view(len(x), 32, -1)
        variance = groups.var(-1, unbiased=False, keepdim=True)
        groups = (groups - groups.mean(-1, keepdim=True)) / (variance + 1e-6).sqrt()
        weight, bias = (
            self.get(f"{name}.{kind}", x.shape[1])[:, None, None] for kind in ("weight", "bias")
        )
        return groups.view_as(x) * weight + bias

    def block(self, name, x, emb, out):
        h = self.conv(f"{name}.conv1", F.silu(self.norm(f"{name}.norm1", x)), out)
        h = h + self.linear(f"{name}.temb_proj", F.silu(emb), out)[..., None, None]
        h = self.conv(f"{name}.conv2", F.silu(self.norm(f"{name}.norm2", h)), out)
        return h + (x if x.shape[1] == out else self.conv(f"{name}.nin_shortcut", x, out, 1))

    def attend(self, name, x):
        B, C, H, W = x.shape
        h = self.norm(f"{name}.norm", x)
        q, k, v = (self.conv(f"{name}.{part}", h, C, 1).flatten(2) for part in "qkv")
        weight = torch.softmax(torch.einsum("bci,bcj->bij", q, k) / C**0.5, -1)
        h = torch.einsum("bij,bcj->bci", weight, v).view(B, C, H, W)
        return x + self.conv(f"{name}.proj_out", h, C, 1)

    def __call__(self, x, t):
        half, levels = self.width // 2, range(len(self.mult))
        widths = [self.width * mult for mult in self.mult]
        angles = t[:, None] * torch.tensor([10000 ** (-k / (half - 1)) for k in range(half)])
        emb = torch.cat([angles.sin(), angles.cos()], 1)
        emb = self.linear("temb.dense.0", emb, 4 * self.width)
        emb = self.linear("temb.dense.1", F.silu(emb), 4 * self.width)

        h = self.conv("conv_in", x, self.width)
        skips = [h]
        for level in levels:
            for i in range(self.blocks):
                h = self.block(f"down.{level}.block.{i}", h, emb, widths[level])
                h = self.attend(f"down.{level}.attn.{i}", h) if level in self.attention else h
                skips.append(h)
            if level < levels[-1]:
                padded = F.pad(h, (0, 1, 0, 1))
                h = self.conv(f"down.{level}.downsample.conv", padded, h.shape[1], stride=2)
                skips.append(h)

        h = self.block("mid.block_1", h, emb, h.shape[1])
        h = self.block("mid.block_2", self.attend("mid.attn_1", h), emb, h.shape[1])

        for level in reversed(levels):
            for i in range(self.blocks + 1):
                h = torch.cat([h, skips.pop()], 1)
                h = self.block(f"up.{level}.block.{i}", h, emb, widths[level])
                h = self.attend(f"up.{level}.attn.{i}", h) if level in self.attention else h
            if level:
                doubled = h.repeat_interleave(2, -1).repeat_interleave(2, -2)
                h = self.conv(f"up.{level}.upsample.conv", doubled, h.shape[1])
        assert not skips
        return self.conv("conv_out", F.silu(self.norm("norm_out", h)), 3)


@pytest.mark.parametrize(
    "mult, blocks, attention", [((1, 2, 2), 2, (1,)), ((1, 2), 1, ()), ((1, 1, 2), 1, (0, 2))]
)
def test_the_same_numbers(mult, blocks, attention, tmp_path):
    plain = Plain(32, mult, blocks, attention)
    x, t = torch.randn(2, 3, 16, 24), torch.tensor([7.0, 812.0])
    expected = plain(x, t)
    assert is_ddpm(plain.w)

    arguments = {
        "model_channels": 32,
        "num_res_blocks": blocks,
        "channel_mult": list(mult),
        "attention_downsampling": [2**level for level in attention],
        "out_channels": 3,
        "use_scale_shift_norm": False,
        "resblock_updown": False,
        "ddpm": True,
    }
    net = UNet(**arguments)
    net.load_state_dict(from_ddpm(plain.w))
    with torch.no_grad():
        out = net.eval()(x, t)
    assert float((out - expected).abs().max() / expected.abs().max()) < 1e-5

    torch.save(plain.w, tmp_path / "w.ckpt")
    prior = load_prior(str(tmp_path / "w.ckpt"), arguments, device="cpu", dtype="float32")
    eps, _, v = prior(x[:1], 8)
    assert v is None and float((eps - expected[:1]).abs().max() / expected.abs().max()) < 1e-5


@pytest.mark.parametrize(
    "change", [{"ddpm": False}, {"num_res_blocks": 2}, {"attention_downsampling": [2]}]
)
def test_another_network_does_not_take_them(change, tmp_path):
    plain = Plain(32, (1, 2), 1, ())
    expected = plain(torch.ones(1, 3, 8, 8), torch.tensor([9.0]))
    torch.save(plain.w, tmp_path / "w.pt")
    right = {
        "model_channels": 32,
        "num_res_blocks": 1,
        "channel_mult": [1, 2],
        "out_channels": 3,
        "use_scale_shift_norm": False,
    }
    arguments = {**right, "resblock_updown": False, "ddpm": True, **change}
    if "ddpm" in change:  # nothing in the weights tells, so the YAML must
        eps = load_prior(str(tmp_path / "w.pt"), arguments, device="cpu", dtype="float32")(
            torch.ones(1, 3, 8, 8), 10
        ).eps
        assert float((eps - expected).abs().max() / expected.abs().max()) > 1e-3
        return
    with pytest.raises(ValueError, match="not of this UNet"):
        load_prior(str(tmp_path / "w.pt"), arguments, device="cpu")


def test_foreign_names_stay_and_are_reported(tmp_path):
    plain = Plain(32, (1, 2), 1, ())
    plain(torch.ones(1, 3, 8, 8), torch.tensor([9.0]))
    extra = {**plain.w, "logvar": torch.zeros(1000)}
    assert "logvar" in from_ddpm(extra)
    arguments = {
        "model_channels": 32,
        "num_res_blocks": 1,
        "channel_mult": [1, 2],
        "out_channels": 3,
        "use_scale_shift_norm": False,
    }
    torch.save(extra, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"1 unknown \(such as logvar\)"):
        load_prior(str(tmp_path / "w.pt"), {**arguments, "resblock_updown": False, "ddpm": True})
