"""Hydra's launchers and sweepers: what they start, and what comes of it."""

import csv
import json
import re

import pytest
import yaml

from tests.cluster.conftest import run
from tests.folder.test_folder import photos

pytest.importorskip("hydra_plugins.hydra_joblib_launcher")
WORDS = "task=denoise degrade=true sigma_y=0.1 noise=white quality=null".split()


@pytest.fixture
def words(tmp_path):
    return [f"input={photos(tmp_path / 'in', 2)}", f"output={tmp_path / 'out'}", *WORDS]


def rows(folder):
    with (folder / "summary.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_joblib_runs_jobs_in_processes_and_the_sheet_has_all(words, tmp_path):
    line = ["-m", *words, "sampler=ddnm", "steps=1,2", "hydra/launcher=joblib"]
    code, out, err = run(*line, "hydra.launcher.n_jobs=2")
    assert code == 0, err
    assert {"sheet.png", "index.html"} <= {file.name for file in (tmp_path / "out").iterdir()}
    assert not (tmp_path / "out" / ".jobs").exists()
    for steps in ("1", "2"):
        (folder,) = (tmp_path / "out").glob(f"*steps={steps}*")
        assert {row["steps"] for row in rows(folder) if row["size"]} == {steps}
    assert out.count("p00.png") == 2


def test_a_job_that_is_refused_elsewhere_gives_its_code(words):
    line = ["-m", *words, "sampler=ddnm", "steps=1,0", "hydra/launcher=joblib"]
    code, _, err = run(*line, "hydra.launcher.n_jobs=2")
    assert code == 2 and "steps=0" in err and "Traceback" not in err


def test_optuna_improves_a_score(words, tmp_path):
    """More noise than there is blurs; the best of three trials is the one with the most PSNR."""
    line = ["-m", *words, "hydra/sweeper=optuna", "hydra.sweeper.direction=maximize"]
    line += ["hydra.sweeper.n_trials=3", "hydra.sweeper.sampler.seed=1", "metric=psnr"]
    code, _, err = run(*line, "sampler=ddnm", "steps=range(1,6)")
    assert code == 0, err
    best = yaml.safe_load((tmp_path / "out" / "optimization_results.yaml").read_text())
    scores = {}
    for folder in (tmp_path / "out").glob("*steps=*"):
        own = [json.loads(file.read_text())["scores"]["psnr"] for file in folder.glob("p0?.json")]
        scores[int(re.search(r"steps=(\d+)", folder.name)[1])] = sum(own) / len(own)
    assert best["best_value"] == pytest.approx(max(scores.values()))
    assert scores[best["best_params"]["steps"]] == pytest.approx(max(scores.values()))


def test_submitit_runs_here_as_it_would_on_slurm(words, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    line = ["-m", *words, "sampler=ddnm", "steps=1", "hydra/launcher=submitit_local"]
    code, _, err = run(*line)
    assert code == 0, err
    assert (tmp_path / "out" / "p00.png").is_file() or list((tmp_path / "out").glob("*/p00.png"))


def test_slurm_is_composed():
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    line = ["hydra/launcher=submitit_slurm", "hydra.launcher.partition=gpu", "--cfg", "hydra"]
    code, out, err = run(*line, "hydra.launcher.gpus_per_node=1")
    assert code == 0, err
    found = yaml.safe_load(out)["hydra"]["launcher"]
    assert found["partition"] == "gpu" and found["gpus_per_node"] == 1
