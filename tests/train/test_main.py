"""The command line of training: what it leaves, and what it refuses in one clear line."""

import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from gdp.prior.weights import load_prior
from gdp.train import __main__ as train
from tests.train.conftest import SMALL, curve, run


def test_run_leaves_a_prior_its_curves_and_a_card(finished, folder):
    prior = load_prior(str(finished / "weights.safetensors"), unet=None)
    assert prior.T == 50 and prior(torch.zeros(1, 3, 16, 16), 25).v is not None
    weights = load_file(finished / "weights.safetensors")
    assert {w.dtype for w in weights.values()} == {torch.float16}

    (row,) = curve(finished)
    assert row["step"] == 10 and row["images"] == 6 * 16 + 4 * 4
    assert row["lr"] > 0 and row["loss"] > row["mse"]
    (look,) = curve(finished, "heldout.jsonl")
    assert look["step"] == 12 and len(look["buckets"]) == 10 and look["mse"] < 1

    card = (finished / "MODEL_CARD.md").read_text()
    for words in (folder.name, "10 photos, and 2 held out", "samples_0000012.png", "step 12"):
        assert words in card
    with Image.open(finished / "samples_0000012.png") as picture:
        assert picture.size == (64 + 2 + 64, 64)
    assert not list(finished.glob(".*"))


def test_notes_go_into_the_card(finished, folder, tmp_path, caplog):
    (tmp_path / "notes.md").write_text("The pictures are CC0.\n")
    assert run(folder, tmp_path / "out", "--steps", 1, "--notes", tmp_path / "notes.md") == 0
    assert "\n\nThe pictures are CC0.\n\n" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert run(folder, tmp_path / "other", "--steps", 1, "--notes", tmp_path / "none.md") == 2
    assert "none.md" in caplog.text and not (tmp_path / "other").exists()


def test_training_loads_nothing_that_a_bare_machine_lacks():
    absent = "hydra omegaconf scipy kornia piq pooch torchvision skimage sklearn accelerate"
    names = f"'{absent} operators samplers'.split()"
    code = f"import sys, gdp.train.__main__; print(*(set({names}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_evaluate_compares_weights_in_one_table(finished, folder, tmp_path, capsys):
    bare = tmp_path / "bare.safetensors"
    bare.write_bytes((finished / "weights.safetensors").read_bytes())
    weights = finished / "weights.safetensors"
    arguments = ["--data", folder, "--holdout", 2, "--evaluate", weights, bare, *SMALL]
    assert train.main([str(a) for a in arguments]) == 0

    lines = [
        [cell.strip() for cell in line.strip("| \n").split("|")]
        for line in capsys.readouterr().out.splitlines()
    ]
    assert lines[0] == ["t / T", str(weights), str(bare)]
    expected = curve(finished, "heldout.jsonl")[-1]["mse"]
    assert lines[-2][1] == lines[-2][2]
    assert float(lines[-2][1]) == pytest.approx(expected, rel=1e-2)
    assert len(lines) == 14

    # A network that has hardly learned says 0, of which the error is that of the noise itself
    assert lines[-1][0] == "noise 0.03-2" and lines[-1][1] == lines[-1][2]
    assert float(lines[-1][1]) == pytest.approx(1, abs=0.1)


def test_bad_input_is_one_clear_line(finished, folder, tmp_path, caplog):
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "a.png").write_text("junk")
    weights = finished / "weights.safetensors"
    cases = [
        (tmp_path / "empty", ["--steps", 1], "no readable picture"),
        (tmp_path / "junk", ["--steps", 1], "1 unreadable"),
        (tmp_path / "missing", ["--steps", 1], "no folder"),
        (folder, [], "--steps N or --minutes M"),
        (folder, ["--steps", 1, "--holdout", 12], "holdout=12 of 12"),
        (folder, ["--steps", 1, "--size-ladder", "8:0.5"], "must add up to 1"),
        (folder, ["--steps", 1, "--size-ladder", "7:1"], "multiples of 2"),
        (folder, ["--steps", 1, "--size-ladder", "big"], "size:fraction"),
        (folder, ["--steps", 1, "--diffusion-steps", 5], "too few"),
        (folder, ["--steps", 1, "--model-channels", 24], "multiples of 32"),
        (folder, ["--steps", 1, "--num-head-channels", 64], "num_head_channels"),
        (folder, ["--steps", 1, "--init", tmp_path / "none.safetensors"], "no weights at"),
        (folder, ["--steps", 1, "--init", weights, "--channel-mult", "1,2"], "not the reverse"),
        (
            folder,
            ["--steps", 1, "--init", weights, "--num-head-channels", 8],
            "leave that flag out",
        ),
    ]

    for data, arguments, words in cases:
        caplog.clear()
        assert run(data, tmp_path / "out", *SMALL, *arguments, net=[]) == 2, words
        errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
        assert len(errors) == 1 and words in errors[0] and "\n" not in errors[0], (words, errors)


def test_results_inside_the_data_are_refused(folder, caplog):
    assert run(folder, folder / "run", "--steps", 1) == 2
    assert "lies in --data" in caplog.text and not (folder / "run").exists()
