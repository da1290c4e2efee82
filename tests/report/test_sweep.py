"""A sweep as a whole: axes, tables and the sheet over its jobs."""

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from gdp.report import sheet, sweep
from tests.report.pages import safe, save_result
from tests.test_cli import cli  # noqa: F401


def jobs_of(folder, *overrides):
    """Jobs of a sweep with a photo each; those that fail leave nothing."""
    jobs = []
    for k, settings_ in enumerate(overrides):
        place = folder / str(k)
        place.mkdir()
        if "error" not in settings_:
            save_result(place, "cat", 20 + k)
        jobs.append(
            sweep.Job(
                {a: b for a, b in settings_.items() if a != "error"},
                place,
                settings_.get("error", ""),
            )
        )
    return jobs


def test_axes_and_places(tmp_path):
    values = [
        {"task": t, "sampler": s, "sigma_y": n, "steps": "3"}
        for t in "ab"
        for s in "xyz"
        for n in "12"
    ]
    values[4]["error"] = "DDNM needs operator.pinv"
    jobs = jobs_of(tmp_path, *values)
    assert sweep.axes_of(jobs) == {
        "sampler": ["x", "y", "z"],
        "task": ["a", "b"],
        "sigma_y": ["1", "2"],
    }
    written = sweep.write_sweep(tmp_path, jobs)
    assert [file.name for file in written] == ["summary.csv", "sheet.png", "index.html"]
    read = safe((tmp_path / "index.html").read_text())
    assert len(read.of("tr")) == 13
    assert "./0/index.html" not in {a.get("href") for a in read.of("a")}
    with (tmp_path / "summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 12
    assert rows[4]["error"] == "DDNM needs operator.pinv"
    assert rows[4]["sampler"] == "z"
    assert rows[5]["psnr"] == "23.5"
    with Image.open(tmp_path / "sheet.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
        assert picture.info["Software"] == sweep.MARK
    layout = sheet.lay_out(sweep.axes_of(jobs), 1)
    assert layout.across[0] == "sampler"
    assert layout.down[0] == "task"
    assert layout.rest == ["sigma_y"]
    assert len(layout.groups) == 2
    grey = (pixels == sheet.EMPTY).all(-1).mean() * pixels.shape[0] * pixels.shape[1]
    assert 0.8 * layout.side**2 < grey <= layout.side**2  # one cell failed


def test_a_sweep_of_which_a_job_fails(cli, cat):  # noqa: F811
    code, out, err = cli(
        "-m",
        f"input={cat}",
        "output=o",
        "task=denoise,jpeg",
        "sampler=ddnm,auto",
        "steps=1",
        "degrade=true",
    )
    assert code == 2
    assert "DDNM needs operator.pinv" in err
    assert out.split("\n")[-4:-1] == ["o/summary.csv", "o/sheet.png", "o/index.html"]
    read = safe(Path("o/index.html").read_text())
    assert len(read.of("tr")) == 5
    assert "DDNM needs operator.pinv, which JPEG does not have" in "".join(read.words)
    assert sum(a["href"].endswith("/index.html") for a in read.of("a")) == 3
    assert all(
        (Path("o") / a["href"].replace("%3D", "=").replace("%2C", ",")).is_file()
        for a in read.of("a")
    )
