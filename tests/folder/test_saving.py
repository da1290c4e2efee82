"""What save= and compare= write beside a result."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.fid import pictures
from gdp.picture import to_image, write
from tests.photos import astronaut
from tests.test_cli import cli  # noqa: F401


@pytest.fixture
def photo_folder(tmp_path):
    """Two photos of 48 x 48."""
    (tmp_path / "photos").mkdir()
    for k, name in enumerate(("a", "b")):
        write(to_image(astronaut(48)).roll(k, 3), tmp_path / "photos" / f"{name}.png")


def names(folder):
    return {
        file.relative_to(folder).as_posix() for file in Path(folder).rglob("*") if file.is_file()
    }


def test_folders_of_y_truth_and_results(cli, photo_folder):  # noqa: F811
    words = ("input=photos", "task=sr4", "operator.r=2", "degrade=true", "steps=1", "report=false")
    code, _, _ = cli(*words, "output=o", "save=[y,reference,restored]", "samples=2")
    assert code == 0
    stems = sorted(file.stem for file in Path("photos").iterdir())
    expected = {f"{k}{end}" for k in stems for end in (".png", ".json")}
    folders = ("y", "reference", "restored")
    assert names("o") == expected | {f"{f}/{k}.png" for k in stems for f in folders}

    # Each is what it says, in 8 bits; the report tells of them.
    report = json.loads(Path("o", f"{stems[0]}.json").read_text())
    assert report["folders"] == list(folders) and report["panels"] == {}
    result, twin, truth, y = (
        np.asarray(Image.open(Path("o", where, f"{stems[0]}.png")))
        for where in ("", "restored", "reference", "y")
    )
    assert (result == twin).all() and y.shape[0] * 2 == truth.shape[0] == result.shape[0]
    assert [f.name for f in pictures(Path("o/restored"))] == [f"{k}.png" for k in stems]
    assert pictures(Path("o")) == [Path("o", f"{k}.png") for k in stems]

    # What is there is not replaced, and a finished folder is known.
    assert cli(*words, "output=o", "save=[y,reference,restored]", "samples=2")[0] == 0
    Path("o", f"{stems[0]}.json").unlink()
    Path("o", f"{stems[0]}.png").unlink()
    code, _, err = cli(*words, "output=o", "save=[y]", "samples=2")
    assert code == 2 and f"y/{stems[0]}.png exists" in err


def test_without_the_comparison(cli, photo_folder):  # noqa: F811
    code, _, _ = cli("input=photos", "task=denoise", "steps=1", "output=o", "compare=false")
    assert code == 0 and not list(Path("o").glob("*.compare.png"))
    page = Path("o", "index.html").read_text()
    assert "data:image" in page  # the result itself


def test_a_word_that_is_no_part(cli):  # noqa: F811
    code, _, err = cli("save=[x]", "output=o")
    assert code == 2 and "it is a list of y, reference, restored, compare, samples" in err
