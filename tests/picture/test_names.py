"""What results are called, and that they lie where they should."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.picture.find import find_all
from gdp.picture.names import path_inside, result_names
from tests.picture.test_find import make

names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=90).filter(
    lambda n: n not in (".", "..")
)


def test_every_result_has_its_own_name(tmp_path):
    make(
        tmp_path,
        "cat.png",
        "cat.jpg",
        "Dog.png",
        "dog.webp",
        "cat2.png",
        "bird.png",
        "bird.compare.png",
        "x/y.png",
        "z/y.png",
    )
    names = {f.file.name: f.name for f in find_all(tmp_path)}
    assert names == {
        "cat.png": "cat.png",
        "cat.jpg": "cat.jpg",
        "Dog.png": "Dog.png",
        "dog.webp": "dog.webp",
        "cat2.png": "cat2",
        "bird.png": "bird",
        "bird.compare.png": "bird_compare",
    }
    assert [f.name for f in find_all([tmp_path / "x" / "y.png", tmp_path / "z" / "y.png"])] == [
        "y",
        "y-2",
    ]
    assert [f.name for f in find_all([tmp_path / "x", tmp_path / "bird.png"])] == ["y", "bird"]


@given(st.lists(st.tuples(names, st.lists(names, max_size=2)), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_names_are_plain_and_inside(tmp_path_factory, photos):
    folder = tmp_path_factory.getbasetemp()
    given = result_names([(folder / file, tuple(folders)) for file, folders in photos])
    assert len({name.casefold() for name in given}) == len(given)
    for name in given:
        assert path_inside(folder, name) == folder / name
        assert name.isprintable()
        assert ".." not in name.split("/")
        assert all(0 < len(part.encode()) <= 200 for part in name.split("/"))


def test_results_stay_in_their_folder(tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir()
    other.mkdir()
    os.symlink(other, out / "trip")
    os.symlink("ring", out / "ring")
    (out / "real").mkdir()
    os.symlink(out / "real", out / "within")
    os.symlink(out, tmp_path / "alias")
    for name in ("trip/a", "trip/deep/a", "../a", "real/../../a", str(other / "a"), "ring/a", ".."):
        with pytest.raises(ValueError, match="outside"):
            path_inside(out, name)
    for name in ("a", "new/b", "within/c", "real/d"):
        assert path_inside(out, name) == out / name
        assert path_inside(tmp_path / "alias", name) == tmp_path / "alias" / name
