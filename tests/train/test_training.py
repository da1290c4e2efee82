"""Runs that survive what happens to runs: Ctrl-C, kill -9, full disks, flags that change."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from gdp.prior.weights import load_prior
from gdp.train import __main__ as train
from gdp.train import trainer
from gdp.train import watch as training_watch
from tests.train.conftest import SMALL, curve, run


def test_finished_run_is_left_as_it_is(finished, folder):
    before = {
        f.name: f.read_bytes()
        for f in finished.iterdir()
        if f.suffix in (".safetensors", ".jsonl", ".png", ".yaml")
    }
    assert (
        run(folder, finished, "--steps", 12, "--holdout", 2, "--size-ladder", "8:0.5,16:0.5") == 0
    )
    assert before == {name: (finished / name).read_bytes() for name in before}


def test_checkpoints_of_before_a_flag_existed_resume_silently(folder, tmp_path, caplog):
    out = tmp_path / "out"
    assert run(folder, out, "--steps", 1) == 0
    state = torch.load(out / "checkpoint.pt")
    del state["args"]["notes"]
    torch.save(state, out / "checkpoint.pt")
    assert run(folder, out, "--steps", 2) == 0
    assert "steps was 1 and is 2 from here on" in caplog.text and "notes" not in caplog.text


def test_checkpoints_of_another_network_are_refused(finished, folder, caplog):
    assert run(folder, finished, "--steps", 20, "--num-res-blocks", 2) == 2
    assert "num_res_blocks=2, but" in caplog.text and "was trained with 1" in caplog.text


def test_ctrl_c_saves_and_the_run_goes_on(folder, tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    average = trainer.average

    def interrupted(ema, net, decay, step):
        average(ema, net, decay, step)
        if step == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(trainer, "average", interrupted)

    assert run(folder, tmp_path / "out", "--steps", 5) == 130
    assert torch.load(tmp_path / "out" / "checkpoint.pt")["step"] == 3
    load_prior(str(tmp_path / "out" / "weights.safetensors"), unet=None)
    assert signal.getsignal(signal.SIGINT) is before

    assert run(folder, tmp_path / "out", "--steps", 5) == 0
    assert torch.load(tmp_path / "out" / "checkpoint.pt")["step"] == 5


@pytest.mark.parametrize("where", ["write", "replace", "torch"])
def test_full_disk_is_said_and_leaves_the_last_checkpoint(
    where, folder, tmp_path, monkeypatch, caplog
):
    out = tmp_path / "out"
    assert run(folder, out, "--steps", 1) == 0
    before = {f: f.read_bytes() for f in out.glob("*[!l]")}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def full_in_torch(*_):
        try:
            full()
        except OSError:
            raise RuntimeError("unexpected pos") from None

    targets = {"write": (os, "fsync"), "replace": (os, "replace"), "torch": (torch, "save")}
    with monkeypatch.context() as patched:
        patched.setattr(training_watch, "rewrite", lambda file, curve: None)
        patched.setattr(*targets[where], full_in_torch if where == "torch" else full)
        assert run(folder, out, "--steps", 2) == 2

    assert "the disk is full" in caplog.text
    assert all(f.read_bytes() == content for f, content in before.items() if f.suffix != ".png")
    assert not list(out.glob(".*"))
    assert run(folder, out, "--steps", 2) == 0


def test_kill_in_mid_training_and_resume_changes_nothing(folder, tmp_path):
    arguments = ["--data", folder, "--steps", 24, "--sample-every", 1e9, *SMALL, "--out"]
    names = ("killed", "whole")
    killed, whole = ([str(a) for a in (*arguments, tmp_path / name)] for name in names)

    # Kill it once there are a checkpoint and a curve
    command = [sys.executable, "-m", "gdp.train", *killed, "--checkpoint-minutes", "0.002"]
    where = {"cwd": Path(__file__).parents[2], "env": {**os.environ, "OMP_NUM_THREADS": "1"}}
    process = subprocess.Popen(command, **where, stderr=subprocess.DEVNULL)
    log, checkpoint = (tmp_path / "killed" / name for name in ("log.jsonl", "checkpoint.pt"))
    while process.poll() is None and not (checkpoint.is_file() and log.read_text().count("\n") > 0):
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < torch.load(checkpoint)["step"] < 24

    # Resumed, it ends as the other
    assert train.main(killed) == train.main(whole) == 0
    for name in ("net", "ema"):
        one, other = (torch.load(tmp_path / run / "checkpoint.pt")[name] for run in names)
        assert all(torch.equal(w, other[k]) for k, w in one.items())
    one, other = ((tmp_path / run / "weights.safetensors").read_bytes() for run in names)
    assert one == other
    one, other = ([{**row, "seconds": 0} for row in curve(tmp_path / run)] for run in names)
    assert one == other
