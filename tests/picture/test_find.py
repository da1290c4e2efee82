"""Which files are meant by input=."""

import os

import pytest

from gdp.picture.find import find_all, find_photos, namesake


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


def test_folders(tmp_path, cat):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no pictures"):
        find_photos(tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match="no such file"):
        find_photos(tmp_path / "nowhere")
    (tmp_path / "b.JPG").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("")
    assert [p.name for p in find_photos(tmp_path)] == ["b.JPG", "cat.png"]
    assert find_photos(cat) == [cat]


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
    assert [str(p) for p in find_photos("*.jpg")] == ["a4.jpg"]
    assert [str(p) for p in find_photos("../b*.jpg")] == ["../b.jpg"]


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


def test_namesakes(tmp_path, cat):
    make(tmp_path, "inits/cat.webp", "inits/dog.png")
    assert namesake(tmp_path / "inits", cat).name == "cat.webp" and namesake(cat, cat) == cat
    with pytest.raises(FileNotFoundError, match="named mouse"):
        namesake(tmp_path / "inits", tmp_path / "mouse.png")
