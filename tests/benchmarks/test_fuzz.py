"""Broken and odd files: a result or one line, in bounded time and memory.

benchmarks/fuzz.py has the rules.
"""

import io
import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from benchmarks.fuzz import REFUSED, RESTORED, run_all, summary
from benchmarks.fuzz import run as run_case
from benchmarks.odd_files import EITHER, Case, corpus, sound
from gdp import cli as program
from gdp.picture.codec.read import read

SOUND = sound()

# What files of several kinds begin with
HEADS = [
    b"",
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
    b"\xff\xd8\xff\xe0",
    b"II*\0\x08\0\0\0",
    b"MM\0*",
    b"BM",
    b"GIF89a",
]


def test_the_corpus(tmp_path):
    cases = list(corpus())
    assert len(cases) >= 200 and len({case.name for case in cases}) == len(cases)
    figures = run_all(cases, tmp_path)
    assert {f.name: f.outcome for f in figures if f.outcome not in (RESTORED, REFUSED)} == {}
    facts = summary(figures)
    print(facts)
    assert facts[RESTORED] >= len(SOUND) and facts[REFUSED] > 100


def test_a_violation_is_seen(tmp_path, monkeypatch):
    case = Case("good.png", SOUND["rgb.png"], REFUSED)
    assert "not refused" in run_case(case, tmp_path / "a", "png").outcome

    errors = [
        (KeyError("x"), "KeyError"),
        (ValueError("two\nlines good.png"), "line"),
        (OSError("no name"), "line"),
    ]
    for k, (error, says) in enumerate(errors):

        def broken(file, target, error=error):
            raise error

        monkeypatch.setattr("benchmarks.fuzz.restore", broken)
        figure = run_case(case._replace(expected=EITHER), tmp_path / str(k), "png")
        assert says in figure.outcome

    def leaves(file, target):
        target.with_suffix(".part").touch()
        raise ValueError(case.name)

    monkeypatch.setattr("benchmarks.fuzz.restore", leaves)
    figure = run_case(case._replace(expected=EITHER), tmp_path / "left", "png")
    assert "left behind" in figure.outcome


@given(
    st.sampled_from(sorted(SOUND)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), max_size=6),
    st.floats(0.05, 1),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_damage(tmp_path_factory, name, patches, share):
    data = bytearray(SOUND[name])
    for place, patch in patches:
        at = int(place * len(data))
        data[at : at + len(patch)] = patch
    check(tmp_path_factory, name, bytes(data[: int(share * len(data))]))


@given(st.sampled_from(HEADS), st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes(tmp_path_factory, head, tail):
    check(tmp_path_factory, "x.png", head + tail)


def check(tmp_path_factory, name, data):
    """A photo in [0, 1], or one line that names the file."""
    file = tmp_path_factory.getbasetemp() / f"any_{name}"
    file.write_bytes(data)
    try:
        photo = read(file)
    except ValueError as error:
        assert "\n" not in str(error) and file.name in str(error)
        return
    assert photo.pixels.shape[:2] == (1, 3)
    assert 0 <= float(photo.pixels.min()) <= float(photo.pixels.max()) <= 1
    assert photo.alpha is None or photo.alpha.shape[2:] == photo.pixels.shape[2:]


def test_a_folder_of_them_on_the_command_line(tmp_path, monkeypatch, capfd):
    (tmp_path / "in" / "below").mkdir(parents=True)
    left_out = ("portable.ppm", "row", "column", "flood")
    cases = [case for case in corpus() if not case.name.startswith(left_out)]
    chosen = [case for case in cases if case.expected == RESTORED][::9]
    chosen += [case for case in cases if case.expected == REFUSED][::5]
    for i, case in enumerate(chosen):
        (tmp_path / "in" / ("below" if i % 2 else "") / case.name).write_bytes(case.data)

    monkeypatch.chdir(tmp_path)
    words = ["input=in", "output=out", "task=denoise", "sigma_y=0.1", "steps=1"]
    words += ["recursive=true", "format=same"]
    monkeypatch.setattr(sys, "argv", ["run.py", *words])
    assert program.main() == 1
    err = capfd.readouterr().err
    assert "Traceback" not in err

    # A report for each that can be restored, a line for the others
    left = [Path(folder) / file for folder, _, files in os.walk(tmp_path / "out") for file in files]
    assert not [file for file in left if file.suffix == ".part"]
    for i, case in enumerate(chosen):
        folder = tmp_path / "out" / ("below" if i % 2 else "")
        reports = list(folder.glob(f"{Path(case.name).stem}*.json"))
        assert bool(reports) == (case.expected == RESTORED), case.name
        assert reports or case.name in err, case.name
    for file in left:
        if file.suffix not in (".json", ".html", ".csv"):
            read(file)


def test_programs_are_never_run_by_a_picture(tmp_path):
    """PIL would hand PostScript to Ghostscript."""
    stream = io.BytesIO()
    Image.new("RGB", (4, 4)).save(stream, "EPS")
    (tmp_path / "x.png").write_bytes(stream.getvalue())
    with pytest.raises(ValueError, match="not a picture"):
        read(tmp_path / "x.png")
