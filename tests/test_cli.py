"""The command line, end to end: real files in, real files out, errors in a line."""

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gdp import cli as program
from gdp.picture import read
from tests.conftest import TASKS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Runs run.py in this process, in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["run.py", *map(str, words)])
        try:
            code = program.main()
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, said.out, said.err

    yield call

    # What it logs to is closed after the test.
    root = logging.getLogger()
    for handler in [one for one in root.handlers if type(one) is logging.StreamHandler]:
        root.removeHandler(handler)


def files(folder):
    """All files below a folder, relative."""
    return sorted(str(p.relative_to(folder)) for p in Path(folder).rglob("*") if p.is_file())


EXTRA = {
    "denoise": ["noise=white"],  # else what the test's clean photo shows
    "outpaint": ["operator.margins=4"],
    "deblur_blind": ["operator.size=5"],
    "smallphoto": ["sigma_y=0.01"],
}  # the test's photo is small
PAGES = ["index.html", "summary.csv"]
FOUND = {
    "lowlight": [".mask.png"],
    "dehaze": [".transmission.png"],
    "hdr": [".tiff"],
    "deblur_blind": [".kernel.png"],
}


def given(task, cat):
    """What a task takes: a picture, JPEG's own, or exposures."""
    with Image.open(cat) as picture:
        if task == "jpeg":
            picture.save(cat.with_suffix(".jpg"), quality=30)
            return cat.with_suffix(".jpg")
        if task == "hdr":
            picture.point(lambda v: v // 3).save(cat.with_name("dark.png"))
            return f"[{cat},{cat.with_name('dark.png')}]"
    return cat


@pytest.mark.parametrize("task", TASKS)
def test_every_task_on_a_photo(cli, cat, mask_file, task):
    code, out, err = cli(
        f"task={task}",
        f"input={given(task, cat)}",
        f"mask={mask_file}",
        "output=o",
        "steps=3",
        *EXTRA.get(task, []),
    )
    assert code == 0, err
    made = [f"cat{suffix}" for suffix in (".png", ".compare.png", ".json", *FOUND.get(task, []))]
    assert (
        files("o")
        == sorted([*made, *PAGES])
        == sorted(line.removeprefix("o/") for line in out.split())
    )
    report = json.loads(Path("o/cat.json").read_text())
    scale = 4 if task.startswith("sr4") or task == "smallphoto" else 1
    margin = 8 if task == "outpaint" else 0
    assert (
        report["size"]
        == [24 * scale + margin, 20 * scale + margin]
        == list(Image.open("o/cat.png").size)
    )
    assert (
        report["nfe"] == (0 if task in ("deblur_blind", "dehaze") else 3)  # it has neither
        and report["seed"] == 0
        and report["scores"] is None
        and Path(report["input"]).stem == cat.stem
    )
    assert len(report["prior"]["sha256"]) == 64 and torch.__version__.startswith(
        report["versions"]["torch"]
    )
    for key in (
        "seconds",
        "seconds_per_nfe",
        "peak_memory_mb",
        "consistency",
        "consistency_saved",
        "sigma_y",
    ):
        assert np.isfinite(report[key]) and report[key] >= 0
    assert not (Path("o") / ".hydra").exists() and not list(Path(".").glob("*.log"))


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("sampler", ["ddnm", "gdp_linesearch"])
def test_every_task_degraded_and_scored(cli, cat, mask_file, task, sampler):
    words = (
        f"task={task}",
        f"sampler={sampler}",
        f"input={cat}",
        f"mask={mask_file}",
        "output=o",
        "degrade=true",
        "steps=4",
    )
    code, _, err = cli(*words, *EXTRA.get(task, []))
    if task == "jpeg" and sampler == "ddnm":
        assert code == 2 and "DDNM needs operator.pinv, which JPEG does not have" in err
        return
    report = json.loads(Path("o/cat.json").read_text())
    assert code == 0 and report["size"] == [24, 20]
    assert (
        report["scores"]["psnr"] > 8
        and report["scores"]["lpips"] is None
        and "weights" in report["scores"]["lpips_why_not"]
    )
    if (
        report["sigma_y"] == 0
        and "blur" not in task
        and not (sampler == "gdp_linesearch" and task == "sr4_bicubic")
    ):
        assert report["consistency"] < 1e-4


def test_samples_their_mean_and_where_they_differ(cli, cat):
    words = (f"input={cat}", "task=inpaint_box", "degrade=true", "steps=4", "seed=7")
    assert cli(*words, "samples=3", "output=many")[0] == 0 and cli(*words, "output=one")[0] == 0
    names = ["compare.png", "json", "mean.png", "png", "sample2.png", "sample3.png", "std.png"]
    assert files("many") == [*(f"cat.{name}" for name in names), *PAGES]
    assert Path("many/cat.png").read_bytes() == Path("one/cat.png").read_bytes()
    pictures = [np.asarray(Image.open(f"many/cat.{n}.png"), float) for n in ("sample2", "sample3")]
    pictures.append(np.asarray(Image.open("many/cat.png"), float))
    mean, std = (np.asarray(Image.open(f"many/cat.{n}.png"), float) for n in ("mean", "std"))
    hole = std[..., 0] > 0
    assert (
        np.abs(np.mean(pictures, 0) - mean).max() <= 2
        and 0.02 < hole.mean() < 0.4
        and std.max() == 255
    )
    report = json.loads(Path("many/cat.json").read_text())
    assert (
        report["nfe"] == 4
        and report["samples"]["count"] == 3
        and report["samples"]["scores_of_mean"]["psnr"] > 8
    )
    code, _, err = cli(*words, "samples=2", "output=many")
    assert code == 2 and "exists" in err
    for wrong in ("samples=0", "samples=1.5", "quality=superb"):
        code, _, err = cli(*words, wrong, "output=none")
        assert code == 2 and wrong.split("=")[0] in err and not Path("none").exists()


def test_a_first_picture_to_start_from(cli, cat, tmp_path):
    Path("first").mkdir()
    Image.new("RGB", (24, 20), (250, 20, 20)).save("first/cat.png")
    told = ("sigma_y=0.3", "noise=white")
    words = (f"input={cat}", "task=denoise", *told, "steps=3", "sampler=ddnm")
    assert cli(*words, "output=a", "init=first/cat.png", "sampler.schedule.start=0.02")[0] == 0
    assert cli(*words, "output=b", "init=first", "sampler.schedule.start=0.02")[0] == 0
    assert cli(*words, "output=c", "init=first")[0] == 0
    assert Path("a/cat.png").read_bytes() == Path("b/cat.png").read_bytes()
    assert (
        json.loads(Path("c/cat.json").read_text())["config"]["sampler"]["schedule"]["start"]
        == "auto"
    )
    red = np.asarray(Image.open("a/cat.png"), float)
    assert red[..., 0].mean() > red[..., 1].mean() + 60
    Image.new("RGB", (10, 20)).save("first/small.png")
    for wrong, says in (
        ("init=first/small.png", "24x20"),
        ("init=first/none.png", "no such file"),
        (f"init={cat.parent}/none", "no such file"),
    ):
        code, _, err = cli(*words, "output=d", wrong)
        assert code == 2 and says in err and not Path("d").exists()


def test_quality_chooses_the_steps(cli, cat):
    for words, steps in (
        (("quality=fast",), 1),
        (("quality=best",), 4),
        (("quality=fast", "sampler=ddnm"), 10),
        (("quality=best", "steps=3"), 3),
    ):
        told = ("task=denoise", "noise=white", f"output=o{steps}")
        code, _, _ = cli(f"input={cat}", *told, *words)
        assert code == 0 and json.loads(Path(f"o{steps}/cat.json").read_text())["nfe"] == steps


def test_same_seed_same_picture(cli, cat):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert cli(f"input={cat}", f"output={name}", "steps=3", f"seed={seed}")[0] == 0
    a, b, c = (Path(n, "cat.png").read_bytes() for n in "abc")
    assert a == b != c


def test_known_pixels_stay(cli, cat, mask_file):
    assert cli("task=inpaint", f"input={cat}", f"mask={mask_file}", "output=o", "steps=4")[0] == 0
    before, after = read(cat).pixels, read("o/cat.png").pixels
    keep = torch.nn.functional.interpolate(
        (torch.from_numpy(np.array(Image.open(mask_file))) == 0)[None, None].float(),
        (20, 24),
        mode="nearest-exact",
    )
    torch.testing.assert_close(before * keep, after * keep)
    assert not torch.allclose(before, after)


@pytest.mark.parametrize(
    "name",
    ["a b.png", "a=b.png", "photo (1).png", "[x] {y}.png", "ünï, c'd.png", "$x.png", "a\\b.png"],
)
def test_paths_need_no_quoting(cli, cat, mask_file, name):
    shutil.copy(cat, name)
    shutil.copy(mask_file, f"m {name}")
    assert (
        cli("task=inpaint", f"input={name}", f"mask=m {name}", f"output=out {name}", "steps=1")[0]
        == 0
    )
    assert (Path(f"out {name}") / name).is_file()


def test_photos_by_name_alone(cli, cat, tmp_path):
    """`gdp photo.jpg` makes it good; a task that is named stays."""
    Image.new("RGB", (40, 32), (200, 120, 40)).save(tmp_path / "a b.png")
    code, _, err = cli("a b.png", "output=o")
    assert code == 0 and "left as it is" in err and Path("o/a b.png").is_file()
    assert json.loads(Path("o/a b.json").read_text())["nfe"] == 0

    code, *_ = cli(f"{cat}", "a b.png", "task=denoise", "steps=1", "output=both")
    assert code == 0 and Path("both/a b.png").is_file() and Path("both/cat.png").is_file()

    code, _, err = cli("a b.png", f"input={cat}", "output=x")
    assert code == 2 and "both name photos" in err and not Path("x").exists()


def test_kernel_file(cli, cat):
    np.save("k (1).npy", np.ones((3, 5)))
    assert (
        cli("task=deblur", f"input={cat}", "operator.kernel=k (1).npy", "output=o", "steps=2")[0]
        == 0
    )
    assert json.loads(Path("o/cat.json").read_text())["config"]["operator"]["kernel"] == "k (1).npy"


def test_folder_with_a_bad_picture(cli, cat):
    os.mkdir("in")
    for name in ("a.png", "b.png", "b.jpg"):
        Image.open(cat).convert("RGB").save(Path("in", name))
    Path("in", "a.png").write_bytes(b"broken")
    code, _, err = cli("input=in", "output=o", "steps=1")
    assert code == 1 and "a.png" in err and "2 of 3" in err
    assert [f for f in files("o") if f.endswith(".json")] == ["b.jpg.json", "b.png.json"]


def test_multirun(cli, cat):
    code, _, _ = cli(
        "-m",
        f"input={cat}",
        "output=o",
        "task=sr4,denoise",
        "sampler=ddnm,gdp_linesearch",
        "steps=1",
    )
    assert code == 0
    names = {
        f"sampler={s},steps=1,task={t}"
        for s in ("ddnm", "gdp_linesearch")
        for t in ("sr4", "denoise")
    }
    assert {p.name for p in Path("o").iterdir() if p.is_dir()} == names
    assert all((Path("o") / name / "cat.png").is_file() for name in names)


def test_users_operator(cli, cat):
    Path("mine_for_test.py").write_text(
        "from operators.base import Operator\n"
        "class Fog(Operator):\n"
        "    def __init__(self, density):\n"
        "        super().__init__()\n        self.density = density\n"
        "    def forward(self, x):\n        return (1 - self.density) * x + self.density\n"
    )
    words = (
        "operator=custom",
        "operator._target_=mine_for_test.Fog",
        "+operator.density=0.3",
        f"input={cat}",
        "output=o",
        "steps=2",
    )
    code, _, err = cli(*words, "sampler=ddnm")
    assert (
        code == 2
        and "DDNM needs operator.pinv, which Fog does not have; try sampler=auto" in err
        and not files("o")
    )
    assert cli(*words, "degrade=true")[0] == 0


BAD = {
    "no such file": (["input=none.png"], "no such file"),
    "not an image": (["input=text.png"], "not a picture"),
    "truncated": (["input=short.png"], "damaged"),
    "empty folder": (["input=empty"], "no pictures"),
    "no mask": (["task=inpaint", "input={cat}"], "mask=FILE"),
    "black mask": (["task=inpaint", "input={cat}", "mask=black.png"], "no white"),
    "no such mask": (["task=inpaint", "input={cat}", "mask=none.png"], "no such file"),
    "negative noise": (["input={cat}", "sigma_y=-0.1"], "sigma_y"),
    "loud noise": (["input={cat}", "sigma_y=1.5"], "sigma_y"),
    "wordy noise": (["input={cat}", "sigma_y=much"], "sigma_y"),
    "no photons": (["input={cat}", "poisson=0"], "photons"),
    "all impulses": (["input={cat}", "impulse=1"], "share"),
    "no steps": (["input={cat}", "steps=0"], "steps"),
    "too many steps": (["input={cat}", "steps=1001"], "1 to 1000"),
    "wrong hash": (["input={cat}", f"prior.sha256={'0' * 64}"], "sha256"),
    "missing keys": (["input={cat}", "prior.path=few.pt", "prior.sha256=null"], "missing"),
    "malicious": (["input={cat}", "prior.path=evil.pt", "prior.sha256=null"], "not executed"),
    "no path": (["input={cat}", "prior=custom"], "prior.path"),
    "no label": (["input={cat}", "prior=imagenet512"], "prior.label"),
    "NaN kernel": (["task=deblur", "input={cat}", "operator.kernel=nan.npy"], "NaN"),
    "zero kernel": (["task=deblur", "input={cat}", "operator.kernel=zero.npy"], "zero"),
    "no kernel": (["task=deblur", "input={cat}", "operator.kernel=none.npy"], "no kernel file"),
    "unwritable": (["input={cat}", "output=text.png/o"], "cannot write"),
    "would overwrite": (["input={cat}", "output={folder}"], "exists"),
    "strange argument": (["input={cat}", "+sampler.magic=1"], "magic"),
    "no such class": (
        ["input={cat}", "operator=custom", "operator._target_=nowhere.Fog"],
        "nowhere",
    ),
    "not an operator": (
        ["input={cat}", "operator=custom", "operator._target_=torch.nn.ReLU"],
        "no operator",
    ),
    "no device": (["input={cat}", "device=nonsense"], "not at hand"),
    "no symmetry": (["input={cat}", "prior.symmetry=round"], "choose none, mirror"),
    "no such photo": (["foo bar"], "foo bar"),
    "too small": (["input=dot.png", "degrade=true"], "too small"),
}
REFUSED = {
    "task": (["task=sr5"], "did you mean sr4"),
    "sampler": (["sampler=ddmn"], "ddnm"),
    "prior": (["prior=foto64"], "did you mean photo64"),
    "setting": (["stepz=3"], "did you mean steps"),
    "inner setting": (["sampler.etta=1"], "sampler.etta"),
    "grammar": (["foo=[bar"], "[bar"),
}


@pytest.mark.parametrize("case", [*BAD, *REFUSED])
def test_bad_input(cli, cat, case):
    words, hint = {**BAD, **REFUSED}[case]
    Path("text.png").write_text("hello")
    Path("short.png").write_bytes(cat.read_bytes()[:300])
    Path("empty").mkdir()
    Image.new("L", (8, 8)).save("black.png")
    Image.new("RGB", (3, 3)).save("dot.png")
    np.save("nan.npy", np.full((3, 3), np.nan))
    np.save("zero.npy", np.zeros((3, 3)))
    torch.save({"time_embed.0.weight": torch.zeros(256, 64)}, "few.pt")
    torch.save({"x": Evil()}, "evil.pt")
    before = files(".")
    output = [] if any(w.startswith("output=") for w in words) else ["output=o"]
    code, out, err = cli(*(w.format(cat=cat, folder=cat.parent) for w in words), *output)
    assert code == (1 if case in REFUSED else 2)
    lines = [line for line in err.splitlines() if line.strip()]
    assert hint in err and len(lines) <= 2 and all(len(line) < 400 for line in lines)
    assert not out and files(".") == before and not Path("ran").exists() and not Path("o").exists()


class Evil:
    """Makes a folder when unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("ran",))


def test_verbose_tells_where(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py", "input=none.png", "verbose=true"])
    assert program.main() == 2 and "Traceback" in capsys.readouterr().err


def test_interruption(cli, cat, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("gdp.folder.folder.Folder.restore", stop)
    assert cli(f"input={cat}", "output=o")[0] == 130 and not Path("o").exists()


def test_divergence_saves_nothing(cli, cat, monkeypatch):
    monkeypatch.setattr("gdp.prior.prior.Prior.ddim", lambda self, x0, *_: x0 * float("nan"))
    code, _, err = cli(f"input={cat}", "output=o", "sampler=ddnm", "steps=2", "degrade=true")
    assert code == 2 and "NaN" in err and not Path("o").exists()


def test_help_lists_the_choices(tmp_path):
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    for word in (
        "sr4",
        "inpaint",
        "ddnm",
        "gdp_linesearch",
        "photo64",
        "imagenet256",
        "blur_motion",
        "Experimental: operator=jpeg",
    ):
        assert word in done.stdout
    assert not os.listdir(tmp_path)


def test_a_process_of_its_own(tmp_path, cat):
    """As a user starts it, with the bundled sample and the default output folder."""
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "steps=1"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    paths = done.stdout.split()
    assert len(paths) == 5 and all(
        (tmp_path / p).is_file() and p.startswith("outputs/") for p in paths
    )
    assert len(files(tmp_path)) == 6  # and the photo that the fixture made
