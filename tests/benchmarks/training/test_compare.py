"""Whether weights may ship: what speaks against them, and what shipping does."""

import pytest

from benchmarks.training import compare
from benchmarks.training.compare import Part, reasons
from gdp.storage.fingerprint import sha256
from tests.train.conftest import finished, folder  # noqa: F401


def parts(loss, psnr):
    """Two parts of the loss and two of the tasks, with their changes."""
    found = [
        Part(f"loss {k}", 0.02, 0.02 + change, change > 0.02 * compare.OF_LOSS)
        for k, change in enumerate(loss)
    ]
    return found + [
        Part(f"task {k}", 30, 30 + change, change < -compare.OF_PSNR, "psnr")
        for k, change in enumerate(psnr)
    ]


def test_rows_for_people():
    loss, task = Part("t", 0.0004, 0.00038, False), Part("sr4 psnr", 24.8, 24.75, True, "psnr")
    assert list(compare.shown(loss).values()) == ["t", "0.00040", "0.00038", "-5.00%", ""]
    assert list(compare.shown(task).values()) == ["sr4 psnr", "24.80", "24.75", "-0.05", "worse"]


def test_the_rule():
    assert reasons(parts((-1e-3, 0), (0.1, 0))) == []
    assert reasons(parts((-1e-3, 1e-5), (0.1, -0.004))) == []  # rounding is no fault
    assert reasons(parts((-1e-3, 1e-4), (0.1, 0))) == ["loss 1 is worse"]
    assert reasons(parts((-1e-3, 0), (0.1, -0.02))) == ["task 1 is worse"]
    assert reasons(parts((0, 0), (0.1, 0))) == ["the mean loss is no better"]
    assert reasons(parts((-1e-3, 0), (0.003, -0.004))) == ["the mean psnr is no better"]


def test_weights_against_themselves_may_not(finished, folder, capsys):  # noqa: F811
    weights = str(finished / "weights.safetensors")
    words = ["--data", folder, "--holdout", "2", "--old", weights, "--new", weights, "--limit", "0"]
    assert compare.main([*map(str, words), "--ship"]) == 1
    said = capsys.readouterr().out
    assert said.count("| t / T ") == 10 and said.count("+0.00%") == 11
    assert "They may not ship: the mean loss is no better" in said


def test_losses_are_paired_and_by_time(finished, folder):  # noqa: F811
    weights = finished / "weights.safetensors"
    found = compare.losses(folder, 2, weights, weights)
    assert len(found) == 11 and all(part.old == part.new and not part.worse for part in found)
    assert found[0].old == pytest.approx(1, abs=0.2)


def test_tasks_are_scored_with_either(finished, tmp_path):  # noqa: F811
    weights = str(finished / "weights.safetensors")
    words = ["--data", "x", "--old", weights, "--new", weights, "--limit", "1", "--size", "32"]
    args = compare.arguments().parse_args([*words, "--tasks", "denoise:sigma_y=0.1"])
    psnr, haarpsi = compare.tasks(compare.ROOT / "gdp" / "picture" / "samples", args)
    assert psnr.kind == "psnr" and haarpsi.name == "denoise:sigma_y=0.1 haarpsi"
    assert psnr.old == psnr.new > 0 and not psnr.worse


def test_shipping_takes_the_place(tmp_path, monkeypatch, capsys):
    old, new, setting = (tmp_path / name for name in ("old", "new", "photo64.yaml"))
    old.write_bytes(b"old")
    new.write_bytes(b"new")
    setting.write_text(f"path: x\nsha256: {sha256(old)}\n")
    monkeypatch.setattr(compare, "OLD", old)
    monkeypatch.setattr(compare, "SETTING", setting)
    compare.ship(new)
    assert old.read_bytes() == b"new" and setting.read_text() == f"path: x\nsha256: {sha256(new)}\n"
    assert "MODEL_CARD.md" in capsys.readouterr().out
