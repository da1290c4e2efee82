"""Parity with the published code, and that its check can fail."""

import json
import sys

import numpy as np
import pytest
import torch

from benchmarks import parity

# Rows that there must be, and be ok
MUST = """
adm_keys_256_uncond.keys adm_keys_512_cond.keys adm_keys_64.total_params adm_tiny.out
adm_tiny.out_rect adm_tiny_cond.out_frac adm_tiny_neworder.out
schedule.cosine_r50_posterior_log_variance_clipped learned_range.linear_r50_clip1_mean
operators.sr4.pinv_y2 operators.bicubic4.pinv_y2 operators.color.At_y2 operators.inpaint.y
operators.denoise.Lambda_noise_hi operators.deblur_uni.fixed_pinv_y2
operators.deblur_gauss.fixed_y operators.deblur_aniso.fixed_At_y2 ddnm_traj.ddnm_sr4.x
ddnm_traj.ddnm_bicubic4.x ddnm_traj.ddnm_color_eta0.x ddnm_traj.plus_inpaint.x
ddnm_traj.plus_denoise.x ddnm_traj.plus_sr4_eta1.x gdp_traj.x0_s2000.sample gdp_traj.x0_s2000.grad
gdp_traj.x0_s200.sample gdp_lowlight_272x288.sample gdp_lowlight_384x256.light_factor
gdp_lowlight_256x256.light_mask losses.b.L_exp_8_0.3 losses.a.L_TV
""".split()


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def exit_code(monkeypatch, *words) -> int:
    monkeypatch.setattr(sys, "argv", ["parity.py", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        parity.main()
    return stop.value.code


def test_nothing_fails(golden, monkeypatch, tmp_path):
    assert exit_code(monkeypatch, golden, "--allow-missing", "--json", tmp_path / "p.json") == 0
    data = json.loads((tmp_path / "p.json").read_text())
    assert {"command", "commit", "versions", "hardware"} <= data["meta"].keys()
    status = {row["name"]: row["status"] for row in data["rows"]}
    assert len(status) == len(data["rows"]) and all(
        set(parity.COLUMNS) <= row.keys() for row in data["rows"]
    )
    assert [name for name, s in status.items() if s == "fail"] == []
    assert [name for name in MUST if status.get(name) != "ok"] == []


@pytest.mark.parametrize(
    "file, key",
    [
        ("schedule.npz", "cosine_r50_betas"),
        ("schedule.npz", "r250_timesteps"),
        ("learned_range.npz", "linear_clip1_mean"),
        ("operators.npz", "sr4.pinv_eta0.1_y2"),
        ("operators.npz", "inpaint.Lambda_noise_lo"),
        ("ddnm_traj.npz", "plus_sr4.x"),
        ("ddnm_traj.npz", "schedule_jump_50_10_3"),
        ("gdp_traj.npz", "x0_s200.grad"),
        ("adm_tiny.npz", "out_rect"),
    ],
)
def test_a_wrong_number_fails(golden, monkeypatch, tmp_path, file, key):
    arrays = dict(np.load(golden / file))
    flat = arrays[key].reshape(-1)
    flat[-1] += max(1, int(flat.max())) if flat.dtype.kind == "i" else 1e-3 * np.abs(flat).max()
    np.savez(tmp_path / file, **arrays)
    assert exit_code(monkeypatch, tmp_path, "--allow-missing", "--json", tmp_path / "p.json") == 1
    rows = json.loads((tmp_path / "p.json").read_text())["rows"]
    assert [row["name"] for row in rows if row["status"] == "fail"] == [
        f"{file.removesuffix('.npz')}.{key}"
    ]


@pytest.mark.parametrize("key", ["model_output", "x", "cosine_clip0_mean"])
def test_what_does_not_fit_fails(golden, tmp_path, key):
    arrays = dict(np.load(golden / "learned_range.npz"))
    for other in (arrays[key][:, :2], np.full_like(arrays[key], np.nan)):
        np.savez(tmp_path / "learned_range.npz", **{**arrays, key: other})
        assert "fail" in {row["status"] for row in parity.check(tmp_path)}


def test_a_broken_file_fails(monkeypatch, tmp_path, capsys):
    (tmp_path / "schedule.npz").write_text("no arrays")
    assert exit_code(monkeypatch, tmp_path, "--allow-missing") == 1
    assert "| fail" in capsys.readouterr().out


def test_not_built_is_a_failure_unless_allowed(monkeypatch, tmp_path):
    np.savez(tmp_path / "operators.npz", **{"x": np.zeros((1, 3, 8, 8)), "rain.y": np.zeros(4)})
    assert exit_code(monkeypatch, tmp_path) == 1
    assert exit_code(monkeypatch, tmp_path, "--allow-missing") == 0


def test_nothing_to_check(monkeypatch, tmp_path, capsys):
    for folder in (tmp_path, tmp_path / "none"):
        assert exit_code(monkeypatch, folder) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
