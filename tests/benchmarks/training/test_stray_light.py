"""The training of the network for stray light: what it draws, and that it learns."""

import sys

import pytest
import torch
from safetensors.torch import load_file

from benchmarks.training import stray_light as training
from benchmarks.training.dark_photos import Draw, dark_photos, photos_of, veil
from benchmarks.training.stray_light import BATCH
from operators.light.stray.network import GRID, MOST, SIDE, StrayNetwork
from tests.train.conftest import folder  # noqa: F401


@pytest.fixture
def photos(folder):  # noqa: F811
    return photos_of(folder)


def test_pictures_are_in_terms_of_their_white(photos):
    u, noise, M = dark_photos(photos, Draw(0), BATCH)
    assert u.shape == (BATCH, 3, SIDE, SIDE) and M.shape == (BATCH, 1, GRID, GRID)
    assert torch.allclose(u.amax(1).flatten(1).quantile(0.99, 1), torch.ones(BATCH), atol=1e-4)
    assert (noise > 0).all() and (M >= 0).all() and (M.amax((1, 2, 3)) == 0).any()
    again = dark_photos(photos, Draw(0), BATCH)
    assert all(torch.equal(a, b) for a, b in zip((u, noise, M), again, strict=True))


def test_veils_are_faint_and_some_are_none():
    draw = Draw(1)
    most = [float(veil(draw).amax()) for _ in range(60)]
    assert max(most) <= MOST and 3 <= most.count(0.0) <= 30


def test_it_learns_and_saves_what_the_operator_reads(photos, monkeypatch, tmp_path, folder):  # noqa: F811
    out = tmp_path / "weights.safetensors"
    words = ["stray_light.py", "--data", folder, "--cpu-minutes", "0.08", "--out", out]
    monkeypatch.setattr(sys, "argv", [str(word) for word in words])
    training.main()
    learnt, new = StrayNetwork().eval(), StrayNetwork().eval()
    learnt.load_state_dict({k: v.float() for k, v in load_file(out).items()})

    u, noise, M = dark_photos(photos, Draw(2), BATCH)
    with torch.no_grad():
        off = [float((net(u, noise) - M).square().mean()) for net in (learnt, new)]
    assert off[0] < off[1]

    # It goes on from there; what is no file of weights is refused.
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--start", str(out)])
    training.main()
    assert any(
        not torch.equal(v.float(), learnt.state_dict()[k]) for k, v in load_file(out).items()
    )
    out.write_bytes(b"nothing")
    with pytest.raises(SystemExit) as stopped:
        training.main()
    assert stopped.value.code == 2


def test_without_photos_there_is_one_clear_error(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "argv", ["stray_light.py", "--data", str(tmp_path)])
    with pytest.raises(SystemExit) as stopped:
        training.main()
    assert stopped.value.code == 2 and str(tmp_path) in capsys.readouterr().err
