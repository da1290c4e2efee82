"""The formats of results: what each can hold."""

from pathlib import Path

import pytest

from gdp.picture import check_output, check_result, suffix_for, write
from tests.picture.codec.files import RGB


def test_refusals(tmp_path):
    for settings_, says in (
        (("gif", 95, None), "format=gif"),
        ((None, 0, None), "image_quality=0"),
        ((None, True, None), "image_quality"),
        (("jpg", 95, 16), "choose format=png"),
        (("png", 95, 32), "choose format=tiff"),
        ((None, 95, 12), "depth=12"),
    ):
        with pytest.raises(ValueError, match=says):
            check_output(*settings_)
    for fine in ((None, 95, None), ("same", 1, 32), ("tiff", 100, 32), ("png", 50, 16)):
        check_output(*fine)
    with pytest.raises(ValueError, match="16383 pixels"):
        check_result(".webp", None, 10, 20000)
    with pytest.raises(ValueError, match="written as"):
        write(RGB, tmp_path / "x.gif")
    with pytest.raises(ValueError, match="depth=16"):
        write(RGB, tmp_path / "x.jpg", depth=16)
    assert not list(tmp_path.iterdir())


def test_the_suffix_of_a_result():
    for name, format_, want in (
        ("a.JPG", None, ".png"),
        ("a.JPG", "same", ".jpg"),
        ("a.gif", "same", ".png"),
        ("a.heic", "same", ".png"),
        ("a.tiff", "same", ".tiff"),
        ("a.png", "tiff", ".tiff"),
        ("a", "webp", ".webp"),
    ):
        assert suffix_for(Path(name), format_) == want
    assert suffix_for(Path("a.tiff"), "same", scene=True) == ".tif"
    assert suffix_for(Path("a.png"), "tiff", scene=True) == ".tif"
