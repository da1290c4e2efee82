"""Families of networks for the same CPU time: their shapes, and the table's command."""

import json
import os

import pytest
import torch

from benchmarks.training import families
from benchmarks.training.networks import FAMILIES, Door, adm, shared
from gdp.network.kernels import cpu_library
from tests.train.conftest import folder  # noqa: F401


@pytest.mark.parametrize("name", FAMILIES)
def test_each_is_a_network_of_noise_and_variance_that_learns(name):
    torch.manual_seed(0)
    net, x, eps = FAMILIES[name](), *torch.randn(2, 2, 3, 16, 16)
    adam, losses = torch.optim.Adam(net.parameters(), 1e-3), []
    for _ in range(3):
        out = net(x, torch.tensor([3, 700]))
        losses.append((out[:, :3] - eps).square().mean())
        adam.zero_grad()
        losses[-1].backward()
        adam.step()
    assert out.shape == (2, 6, 16, 16) and losses[-1] < 0.99 * losses[0]
    assert all(p.grad is not None for p in net.parameters())


def test_a_door_opens_and_closes_on_the_same_pixels():
    x = torch.randn(1, 3, 8, 8)
    out = Door(lambda h, _: torch.cat([h, 2 * h], 1))(x, torch.ones(1))
    assert torch.equal(out, torch.cat([x, 2 * x], 1))


def test_levels_that_share_have_one_set_of_blocks():
    net = shared(adm(32, (1, 1, 1), 4))
    blocks = {
        id(layer) for stage in net.output_blocks for layer in stage if hasattr(layer, "emb_layers")
    }
    assert len(blocks) == 3  # two of a level, and the one that doubles
    assert net.input_blocks[1][0] is net.input_blocks[3][0] is net.input_blocks[5][0]
    assert net.input_blocks[2][0] is net.input_blocks[4][0]


def test_a_network_that_shares_is_an_adm_in_a_file():
    torch.manual_seed(0)
    net, plain = shared(adm(32, (1, 1), 2)), adm(32, (1, 1), 2)
    torch.nn.init.normal_(net.out[2].weight)
    plain.load_state_dict(net.state_dict())
    x, t = torch.randn(1, 3, 16, 16), torch.tensor([9.0])
    assert torch.equal(plain(x, t), net(x, t))


def test_the_table_of_a_step_each(folder, monkeypatch, tmp_path, capsys):  # noqa: F811
    seen = []
    monkeypatch.setattr(families, "LADDER", "32:1:2")
    monkeypatch.setattr(families, "SIDES", (32,))
    monkeypatch.setitem(
        FAMILIES, "adm", lambda: seen.append(cpu_library.library()) or adm(32, (1, 1), 2)
    )
    monkeypatch.setenv("GDP_KERNELS", "1")

    file = tmp_path / "rows.json"
    words = ["--data", folder, "--holdout", "1", "--minutes", "1e-4", "--only", "adm,gated"]
    families.main([*map(str, words), "--json", str(file)])
    rows = json.loads(file.read_text())["rows"]

    # A step each, by torch's operations, and the caller's kernels again
    assert [row["steps"] for row in rows] == [1, 1] and [row["crops"] for row in rows] == [2, 2]
    assert seen == [None] and os.environ["GDP_KERNELS"] == "1"
    assert all(0.5 < row["mean"] < 1.5 and row["ms 32"] > 0 for row in rows)
    assert "ours 32" in rows[0] and "ours 32" not in rows[1]
    assert "| gated " in capsys.readouterr().out
