"""Training from nothing in calls: each goes on from the shards of the one before."""

import json
import sys

import pytest

from benchmarks import gpu_run
from benchmarks.training import nothing
from gdp.prior.weights import load_prior
from gdp.train.__main__ import main as train

SAMPLES = nothing.SAMPLES


@pytest.fixture
def here(monkeypatch):
    """Train in this process; what each call was given."""
    given = []

    def in_process(words, seconds):
        given.append((list(words), seconds))
        return train([*words, "--device", "cpu", "--workers", "1"])

    monkeypatch.setattr(nothing, "train", in_process)
    return given


def called(kept, number=1):
    """Make the next calls as gpu_run has them; their exit codes."""
    steps = nothing.calls(SAMPLES, kept, number, "cpu", 60, small=True)
    return [nothing.main(words[1:]) for _, words in steps]


def test_two_calls_and_a_run_that_goes_on(here, tmp_path):
    kept = tmp_path / "kept"
    assert called(kept, 2) == [0, 0]
    assert called(kept) == [0]
    assert (kept / "calls.txt").read_text() == "3"
    assert all(shard.stat().st_size < 16 * 2**20 for shard in kept.iterdir())

    # The weights load as a prior, and are of the third call: six steps
    file = tmp_path / "prior" / "weights.safetensors"
    assert nothing.main(["--kept", str(kept), "--join", str(file)]) == 0
    assert load_prior(str(file), device="cpu").T == 1000
    assert "6 steps" in (kept / "MODEL_CARD.md").read_text()
    words, _ = here[-1]
    assert words[words.index("--steps") + 1] == "6"


def test_the_recipe_of_a_gpu():
    (step, words), (last, _) = nothing.calls(SAMPLES, SAMPLES, 2, "cuda", 550, small=False)
    assert (step, last) == ("training from nothing 1", "training from nothing 2")
    assert "--plain" not in words and words[words.index("--total") + 1] == str(2 * nothing.MINUTES)
    assert int(nothing.RECIPE[nothing.RECIPE.index("--batch") + 1]) >= 512
    assert nothing.MINUTES * 60 + nothing.STOPPING < gpu_run.LIMIT < 600


def test_a_form_that_fails_gives_way_to_the_next(tmp_path, monkeypatch):
    tried = []

    def fails_compiled(words, _):
        tried.append([word for word in words if word in ("--compile", "--graphs")])
        return 1 if tried[-1] else 130

    monkeypatch.setattr(nothing, "train", fails_compiled)
    assert nothing.main(["--data", str(SAMPLES), "--kept", str(tmp_path / "kept")]) == 0
    assert tried == [["--compile", "--graphs"], ["--compile"], []]


def test_time_that_is_up_ends_a_training_with_a_checkpoint(tmp_path, monkeypatch):
    script = tmp_path / "gdp" / "train.py"
    script.parent.mkdir()
    script.write_text(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(nothing, "ROOT", tmp_path)
    assert nothing.train([], nothing.STOPPING + 1.5) == 130


def test_damaged_shards_are_said(here, tmp_path, capsys):
    kept = tmp_path / "kept"
    kept.mkdir()
    index = {"shards": ["checkpoint.pt.00000000.000"], "sha256": "0"}
    (kept / "checkpoint.pt.json").write_text(json.dumps(index))
    assert called(kept) == [2]
    assert "lacks checkpoint.pt.00000000.000, one of 1 shards" in capsys.readouterr().err


@pytest.mark.slow
def test_calls_are_steps_of_a_gpu_run(tmp_path, monkeypatch):
    files = ["--json", tmp_path / "g.json", "--out", tmp_path / "g.md", "--kept", tmp_path / "kept"]
    words = ["--small", "--device", "cpu", "--only", "training from nothing", "--data", SAMPLES]
    for k in (1, 2):
        monkeypatch.setattr(sys, "argv", ["gpu_run.py", *map(str, [*words, *files])])
        assert gpu_run.main() == 0
        steps = json.loads((tmp_path / "g.json").read_text())["steps"]
        assert list(steps) == [f"training from nothing {n}" for n in range(1, k + 1)]
        assert all(step["outcome"] == "well" for step in steps.values())
