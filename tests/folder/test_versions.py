"""A folder of results that an earlier version made is known again, whatever has moved since.

The bundled weights are others now; they are named as that version knew them.
"""

import shutil
from pathlib import Path

import pytest

from tests.test_cli import cli  # noqa: F401

MADE = Path(__file__).with_name("version_0_2")  # by version 0.2.0, with these words
THEN = "prior.sha256=adc2b8d4d039986f408f8b5c9ac4e54afe002e4a5ce466b45040fa45498d4f9f"
WORDS = {
    "denoise": "task=denoise steps=1 seed=3",
    "inpaint": "task=inpaint mask=mask.png steps=1",
    "deblur": (
        "task=jpeg operator=blur_motion operator.border=reflect guidance=quality steps=1 "
        "lowres=first tiling=windows"
    ),
}


@pytest.mark.parametrize("name", WORDS)
def test_results_of_version_0_2_are_finished(cli, tmp_path, name):  # noqa: F811
    shutil.copytree(MADE, tmp_path, dirs_exist_ok=True)
    before = {file: file.stat().st_mtime_ns for file in Path(name).iterdir()}
    words = ("input=cat.png", *WORDS[name].split(), "prior.dtype=float32", "report=false", THEN)
    code, out, err = cli(*words, f"output={name}")
    assert code == 0 and f"finished before, in {name}/cat.png" in err and not out
    assert {file: file.stat().st_mtime_ns for file in Path(name).iterdir()} == before

    code, _, err = cli(*words, f"output={name}", "seed=4")
    assert code == 2 and "exists, made otherwise" in err


@pytest.mark.parametrize("module", ["gdp.checkpoint", "gdp.prior.weights"])
def test_a_class_may_be_named_by_where_it_lies(cli, tmp_path, module):  # noqa: F811
    """A former name and today's mean the same settings."""
    shutil.copytree(MADE, tmp_path, dirs_exist_ok=True)
    words = (
        "input=cat.png",
        *WORDS["denoise"].split(),
        "prior.dtype=float32",
        "report=false",
        THEN,
    )
    code, _, err = cli(*words, f"prior._target_={module}.load_prior", "output=denoise")
    assert code == 0 and "finished before" in err
