"""Words of the command line: what is understood, and what is refused in a line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gdp.cli.words import read_line
from gdp.version import __version__
from tests.test_cli import cli, files  # noqa: F401

ROOT = Path(__file__).parents[2]
REFUSED = {  # words -> what the line says
    "+sigmay=0.2": "did you mean sigma_y",
    "+note=a=b": "no setting named 'note'",
    "++tracker=wandb": "no setting named 'tracker'",
    "+experimnt=mine": "did you mean experiment",
    "+experiment=mine": "no experiment named 'mine'",
    "--input x.png": "without dashes, input=x.png",
    "--steps=3": "without dashes, steps=3",
    "-x": "-x is no flag",
    "~sampler": "sampler=...",
    "~seed": "seed=...",
    "seed": "seed has no value",
    "denoise": "task=denoise",
    "=3": "name=value",
    "task=null": "task=null; it is one of auto",
    "sampler=": "sampler=(nothing); it is one of",
    "operator=3": "operator=3; it is one of",
    "task=[sr4,denoise]": "it is one of",
}
VALUES = {  # a word -> what the line says, of a command line that is read as a whole
    "sampler.etta=1": "did you mean sampler.eta",
    "operator.rr=2": "operator.rr",
    "sampler.eta=0.9": "sampler=anchored, ddnm, ddrm",
    "seed=1,2": "-m",
    "seed==3": "seed==3; it is a whole number",
    "seed=(3": "seed=(3; it is a whole number",
    "seed=18446744073709551616": "whole number of 64 bits",
    "prior.sha256=12": "prior.sha256=12; it is text",
    "sampler.schedule.travel=abc": "it is a whole number",
    "+sampler.foo=3": "Auto takes no foo",
    "+operator.psf=a=b.npy": "operator.psf is no setting",
    "device=meta": "not at hand",
    "input=": "input=; it is a picture",
    "input=[5,6]": "input= takes a picture",
    "input=~nobody-of-this-name/x.png": "no home folder",
    "output=null": "output=None; it is the folder",
    "output=[x]": "it is the folder",
    "mask_invert=true": "give mask=FILE",
}


@pytest.mark.parametrize("words", REFUSED)
def test_what_is_no_word(cli, words):  # noqa: F811
    code, out, err = cli("output=o", *words.split())
    assert code in (1, 2) and REFUSED[words] in err and len(err.splitlines()) == 1
    assert not out and not Path("o").exists()


@pytest.mark.parametrize("word", VALUES)
def test_what_is_no_value(cli, cat, word):  # noqa: F811
    given = [] if word.startswith("input") else [f"input={cat}"]
    out = [] if word.startswith("output") else ["output=o"]
    code, _, err = cli("task=denoise", "steps=1", *given, *out, word)
    assert code in (1, 2) and VALUES[word] in err and len(err.splitlines()) == 1
    assert not Path("o").exists()


def test_values_are_taken_literally():
    words = read_line(["input=a=b.png", "+operator.k=x=y", "init=ü (1).png"]).words
    assert words == ["input='a=b.png'", "+operator.k='x=y'", "init='ü (1).png'"]
    line = read_line(["input=a.png,ü.png", "seed=1,2", "-m"])
    assert line.words == ["-m", "input='a.png','ü.png'", "seed=1,2"]
    assert line.sweep and line.swept == {"input", "seed"}
    long = f"input=[{','.join(f'picture_{k}.png' for k in range(90))}]"
    assert read_line([long]).words[0].count("'") == 180


def test_a_sweep_over_pictures_has_a_folder_for_each(cli, cat):  # noqa: F811
    for name, left in (("m.png", 4), ("m2.png", 12)):
        mask = np.zeros((20, 24), np.uint8)
        mask[4:9, left : left + 5] = 255
        Image.fromarray(mask).save(name)
    words = ("task=inpaint", "steps=1", f"input={cat}", "mask=m.png,m2.png", "output=o")
    assert cli(words[0], "-m", *words[1:])[0] == 0
    folders = sorted(p for p in Path("o").iterdir() if p.is_dir())
    assert [p.name for p in folders] == [
        "steps=1,task=inpaint,mask=m.png",
        "steps=1,task=inpaint,mask=m2.png",
    ]
    assert len({(p / "cat.png").read_bytes() for p in folders}) == 2


def test_version(cli):  # noqa: F811
    assert cli("--version") == (0, f"gdp {__version__}\n", "")


def test_an_output_that_looks_like_a_picture_is_told(cli, cat):  # noqa: F811
    code, _, err = cli(f"input={cat}", "task=denoise", "steps=1", "output=result.png")
    assert code == 0 and "taken for a folder" in err and Path("result.png/cat.png").is_file()


def test_what_takes_hours_or_gigabytes_is_told_first(cli, cat):  # noqa: F811
    words = (f"input={cat}", "output=o", "task=sr4")
    code, _, err = cli(*words, "operator.r=10000")
    assert code == 2 and "240000x200000" in err and "GB" in err and "force=true" in err
    code, _, err = cli(*words, "sampler=ddnm", "steps=1000", "samples=9999", "batch=1")
    assert code == 2 and "hours" in err and "force=true" in err and not files("o")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_names_that_a_console_cannot_show(tmp_path, cat, encoding):
    (tmp_path / "in").mkdir()
    for name in ("plain.png", "写真.png"):
        (tmp_path / "in" / name).write_bytes(cat.read_bytes())
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "task=denoise", "steps=1", "input=in", "output=o"],
        capture_output=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONIOENCODING": encoding, "LC_ALL": "C"}
        | {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "HOME": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "o").glob("*.json"))) == 2


def test_memory_that_the_library_lacks_is_told_in_our_words(caplog):
    """C++ says std::bad_alloc, Python MemoryError."""
    from gdp.cli.messages import report_error

    for error in (RuntimeError("std::bad_alloc"), MemoryError()):
        assert "memory is too little" in report_error(error, verbose=False)
    assert "bad_alloc" not in caplog.text and "smaller tiles" in caplog.text


@pytest.mark.parametrize("group", ["paper", "experiment"])
def test_a_line_has_one_paper(group):
    with pytest.raises(ValueError, match=rf"^\+{group}=a and {group}=b are both of this line"):
        read_line([f"+{group}=a", "task=sr4", f"{group}=b"])
