"""Records of runs: CSV for real, the others against stand-ins of their packages."""

import csv
import sys
from types import ModuleType, SimpleNamespace

from gdp.storage import trackers
from tests.test_cli import cli  # noqa: F401

ROWS = [
    {"name": "a", "state": "done", "psnr": 20.0, "steps": 5, "seconds": 1.0, "task": "sr4"},
    {"name": "b", "state": "done", "psnr": 30.0, "steps": 5, "seconds": 3.0, "ssim": 0.5},
    {"name": "c", "state": "failed", "error": "why"},
]
MEANS = {"photos": 2, "psnr": 25.0, "seconds": 2.0, "ssim": 0.5}


class Recorder:
    """Takes any call, and notes it."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            return self

        return call


def stand_in(monkeypatch, name, **content):
    """A package of this name that holds this alone."""
    module = ModuleType(name)
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, name, module)


def test_a_line_a_job(tmp_path):
    trackers.track("csv", "one", {"sampler": "ddnm"}, tmp_path / "runs", ROWS)
    trackers.track("csv", "two", {"sampler": "ddrm", "eta": "1"}, tmp_path / "runs", ROWS[:1])
    with (tmp_path / "runs" / "runs.csv").open(newline="") as stream:
        first, second = csv.DictReader(stream)
    assert first["job"] == "one" and first["eta"] == "" and float(first["psnr"]) == 25
    assert second["sampler"] == "ddrm" and second["photos"] == "1" and second["ssim"] == ""


def test_tensorboard(tmp_path, monkeypatch):
    writer = Recorder()
    make = lambda folder, purge_step: writer  # noqa: E731
    stand_in(monkeypatch, "torch.utils.tensorboard", SummaryWriter=make)
    trackers.track("tensorboard", "job", {"steps": 5}, tmp_path, ROWS)
    scalars = [args for name, args, _ in writer.calls if name == "add_scalar"]
    assert ("psnr", 20.0, 0) in scalars and ("psnr", 30.0, 1) in scalars
    (means,) = (args[1] for name, args, _ in writer.calls if name == "add_hparams")
    assert means == {f"mean/{k}": v for k, v in MEANS.items()} and writer.calls[-1][0] == "close"


def test_tensorboard_goes_on_behind_a_step(tmp_path, monkeypatch):
    asked = []
    writer = lambda folder, purge_step: asked.append((folder, purge_step)) or Recorder()  # noqa: E731
    stand_in(monkeypatch, "torch.utils.tensorboard", SummaryWriter=writer)
    trackers.TensorBoard("job", {}, tmp_path)
    trackers.TensorBoard("job", {}, tmp_path, step=40)
    assert asked == [(str(tmp_path / "job"), None), (str(tmp_path / "job"), 41)]


def test_wandb(tmp_path, monkeypatch):
    run, asked = Recorder(), {}
    run.summary, run.id = {}, "abc"
    stand_in(monkeypatch, "wandb", init=lambda **kwargs: asked.update(kwargs) or run)
    trackers.track("wandb", "job", {"steps": 5}, tmp_path, ROWS)
    assert asked["project"] == "gdp" and asked["config"] == {"steps": 5} and "id" not in asked
    assert run.calls[0] == ("log", ({"psnr": 20.0, "seconds": 1.0},), {"step": 0})
    assert run.summary["mean/psnr"] == 25.0 and run.calls[-1][0] == "finish"

    record = trackers.Wandb("job", {}, tmp_path, step=7, key=trackers.Wandb("j", {}, tmp_path).key)
    assert asked["id"] == record.key == "abc" and asked["resume"] == "allow"


def test_mlflow(tmp_path, monkeypatch):
    package = Recorder()
    package.info = SimpleNamespace(run_id="f00")
    names = ("set_experiment", "start_run", "log_params", "log_metrics", "end_run")
    stand_in(monkeypatch, "mlflow", **{name: getattr(package, name) for name in names})
    trackers.track("mlflow", "job", {"steps": 5}, tmp_path, ROWS)
    assert [name for name, _, _ in package.calls] == [*names[:3], *names[3:4] * 3, "end_run"]
    assert package.calls[-2][1][0]["mean_psnr"] == 25.0

    package.calls.clear()
    trackers.MLflow("job", {"steps": 6}, tmp_path, step=7, key="f00").finish({"mse": 1}, "last")
    assert package.calls[1] == ("start_run", (), {"run_id": "f00"})
    assert package.calls[2] == ("log_metrics", ({"last_mse": 1},), {})


def test_what_is_not_installed_is_refused_before_anything(cli, monkeypatch):  # noqa: F811
    monkeypatch.setattr(trackers, "find_spec", lambda name: None)
    code, _, err = cli("logger=wandb", "output=o")
    assert code == 2 and "pip install wandb" in err and "logger=csv needs none" in err
    monkeypatch.setattr(trackers, "find_spec", lambda name: SimpleNamespace())
    trackers.check("wandb")


def test_jobs_of_a_sweep(cli, tmp_path):  # noqa: F811
    words = ("task=denoise", "degrade=true", "steps=1", "sampler=ddnm,ddrm", "output=o")
    code, _, _ = cli("-m", *words, "logger=csv", "scores=none", "report=false")
    assert code == 0
    with (tmp_path / "runs" / "runs.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["sampler"] for row in rows} == {"ddnm", "ddrm"}
    assert all(float(row["nfe"]) == 1 and row["photos"] == "1" for row in rows)
