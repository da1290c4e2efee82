"""Which photos are found, what their results are called, and where they may lie."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.picture.find import find_all, find_photos, namesake
from gdp.picture.names import path_inside, result_names


def make(folder, *names):
    """Empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(path, **settings):
    return [str(f.file.relative_to(path)) for f in find_all(path, **settings)]


def test_a_folder_and_what_is_below_it(tmp_path):
    make(
        tmp_path,
        "b.JPG",
        "a.heic",
        "notes.txt",
        "._a.jpg",
        "trip/c.png",
        "trip/day/d.avif",
        ".trash/e.png",
        "out/f.png",
    )
    assert found(tmp_path) == ["a.heic", "b.JPG"]
    assert found(tmp_path, recursive=True) == [
        "a.heic",
        "b.JPG",
        "out/f.png",
        "trip/c.png",
        "trip/day/d.avif",
    ]
    names = [f.name for f in find_all(tmp_path, recursive=True, skip=tmp_path / "out")]
    assert names == ["a", "b", "trip/c", "trip/day/d"]
    (tmp_path / "only").mkdir()
    make(tmp_path, "only/below/x.png")
    with pytest.raises(FileNotFoundError, match="recursive=true"):
        find_photos(tmp_path / "only")


def test_globs(tmp_path, monkeypatch):
    make(
        tmp_path,
        "a1.jpg",
        "a2.png",
        "b.jpg",
        "a3.txt",
        "deep/a4.jpg",
        "deep/er/a5.jpg",
        "x[1].png",
        "x1.png",
        "2020 [may]/y.jpg",
    )
    assert [p.name for p in find_photos(tmp_path / "a*")] == ["a1.jpg", "a2.png"]
    assert [p.name for p in find_photos(f"{tmp_path}/**/a?.jpg")] == ["a1.jpg", "a4.jpg", "a5.jpg"]
    assert [f.name for f in find_all(f"{tmp_path}/**/a*.jpg")] == ["a1", "deep/a4", "deep/er/a5"]
    assert [f.name for f in find_all(tmp_path / "x[1].png")] == ["x[1]"]
    assert [f.name for f in find_all(tmp_path / "x[12].png")] == ["x1"]
    assert [f.name for f in find_all(f"{tmp_path}/2020 [may]/*.jpg")] == ["y"]
    assert [f.name for f in find_all(f"{tmp_path}/deep/*/../*.jpg")] == ["a4"]
    for pattern, says in (
        ("q*.jpg", "no picture matches"),
        ("a3.*", "no picture matches"),
        ("missing.jpg", "no such file"),
    ):
        with pytest.raises(FileNotFoundError, match=says):
            find_photos(tmp_path / pattern)
    with pytest.raises(FileNotFoundError, match="empty list"):
        find_all([])
    monkeypatch.chdir(tmp_path / "deep")
    assert [str(p) for p in find_photos("*.jpg")] == ["a4.jpg"] and [
        str(p) for p in find_photos("../b*.jpg")
    ] == ["../b.jpg"]


def test_links_are_not_walked_in_circles(tmp_path):
    make(tmp_path, "in/a.png", "elsewhere/b.png")
    os.symlink(tmp_path / "in", tmp_path / "in" / "again")
    os.symlink("..", tmp_path / "in" / "up")
    os.symlink(tmp_path / "elsewhere", tmp_path / "in" / "linked")
    os.symlink(tmp_path / "elsewhere" / "b.png", tmp_path / "in" / "b.png")
    os.symlink("nowhere", tmp_path / "in" / "dangling.png")
    os.symlink("loop.png", tmp_path / "in" / "loop.png")
    os.mkfifo(tmp_path / "in" / "pipe.png")
    for path in (tmp_path / "in", f"{tmp_path}/in/**/*.png"):
        assert [f.name for f in find_all(path, recursive=True)] == ["a", "b"]
    with pytest.raises(FileNotFoundError, match="no ordinary file"):
        find_photos(tmp_path / "in" / "pipe.png")
    with pytest.raises((FileNotFoundError, OSError)):
        find_photos(tmp_path / "in" / "loop.png")


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


names = st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=90).filter(
    lambda n: n not in (".", "..")
)


@given(st.lists(st.tuples(names, st.lists(names, max_size=2)), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_names_are_plain_and_inside(tmp_path_factory, photos):
    folder = tmp_path_factory.getbasetemp()
    given = result_names([(folder / file, tuple(folders)) for file, folders in photos])
    assert len({name.casefold() for name in given}) == len(given)
    for name in given:
        assert (
            path_inside(folder, name) == folder / name
            and name.isprintable()
            and ".." not in name.split("/")
        )
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


def test_namesakes(tmp_path, cat):
    make(tmp_path, "inits/cat.webp", "inits/dog.png")
    assert namesake(tmp_path / "inits", cat).name == "cat.webp" and namesake(cat, cat) == cat
    with pytest.raises(FileNotFoundError, match="named mouse"):
        namesake(tmp_path / "inits", tmp_path / "mouse.png")
