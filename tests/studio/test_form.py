"""From the page to the command line, and back."""

import shlex

import pytest

from gdp.cli.words import read_line
from gdp.studio.words.form import FORM, command, parse, words_of

CHOSEN = {
    "task": "sr4",
    "strength": 0.5,
    "detail": 0.25,
    "noise": "camera",
    "sigma_y": "0.05",
    "quality": "fast",
    "seed": 3,
    "samples": 4,
    "prior": "imagenet256",
    "format": "tif",
    "depth": "16",
    "keep_exif": True,
}


def test_what_is_usual_is_left_out():
    assert words_of(FORM) == ["task=auto"]


def test_words():
    assert words_of(CHOSEN, "operator.r=2") == [
        *("task=sr4", "strength=0.5", "detail=0.25", "noise=camera", "sigma_y=0.05"),
        *("quality=fast", "seed=3", "samples=4", "prior=imagenet256", "format=tif", "depth=16"),
        *("keep_exif=true", "operator.r=2"),
    ]


def test_what_is_typed_goes_before_the_form():
    assert words_of(CHOSEN | {"task": "auto"}, "task=denoise seed=9")[-2:] == [
        "task=denoise",
        "seed=9",
    ]
    assert "seed=3" not in words_of(CHOSEN, "seed=9")


def test_there_and_back():
    line = parse(command(words_of(CHOSEN, "operator.r=2"), ["my photo.png"], {"mask": "m.png"}))
    assert line.form == CHOSEN | {"sigma_y": "0.05", "depth": "16"}
    assert line.more == "operator.r=2"
    assert line.left_out == ["my photo.png", "mask=m.png"]
    assert words_of(line.form, line.more) == words_of(CHOSEN, "operator.r=2")


def test_the_line_is_one_of_the_command_line():
    text = command(words_of(CHOSEN), ["my photo.png"], {})
    words = read_line(shlex.split(text)[1:]).words
    assert "input='my photo.png'" in words
    assert "task=sr4" in words


@pytest.mark.parametrize("start", ["gdp", "python run.py", "run.py", ""])
def test_any_way_to_call_it(start):
    assert parse(f"{start} photo.jpg task=denoise \\\n seed=2").form["seed"] == 2


def test_a_value_that_is_none():
    with pytest.raises(ValueError, match="seed=x; it is a number"):
        parse("gdp seed=x")
    with pytest.raises(ValueError):
        parse("gdp 'open")
