"""summary.csv and index.html of a run: whole, safe, of bounded size; other people's stay."""

import csv
import json
import re
from pathlib import Path

from PIL import Image

from gdp.report import gallery, page
from tests.report.pages import safe, save_result
from tests.test_cli import cli, files  # noqa: F401


def test_a_folder_is_told_whole(cli, cat):  # noqa: F811
    Path("in").mkdir()
    for name in ("photo10.png", "photo2.png", "<b>&x'\".png"):
        Image.open(cat).save(Path("in", name))
    Path("in", "broken.png").write_bytes(b"broken")
    words = ("input=in", "task=dehaze", "steps=1", "output=o")
    code, out, _ = cli(*words)
    assert code == 1 and out.split("\n")[-3:-1] == ["o/summary.csv", "o/index.html"]
    with Path("o/summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["<b>&x'\"", "broken", "photo2", "photo10"]
    assert [row["state"] for row in rows] == ["done", "failed", "done", "done"]
    assert "not a picture" in rows[1]["error"]
    assert rows[2]["size"] == "24x20"
    assert rows[2]["task"] == "dehaze"
    assert rows[2]["steps"] == "1"
    assert float(rows[2]["seconds"]) > 0
    read = safe(Path("o/index.html").read_text())
    assert len(read.of("input")) == 3
    assert "<b>&x'\"" in "".join(read.words)
    assert "airlight" in "".join(read.words)
    assert {"./photo2.png", "./%3Cb%3E%26x%27%22.png"} <= {a["href"] for a in read.of("a")}
    assert not re.search(r"<b>", Path("o/index.html").read_text())
    # the rest of a resumed run: the page is whole again, though this run made nothing of it
    Path("in", "broken.png").unlink()
    Path("o/index.html").unlink()
    assert cli(*words)[0] == 0 and len(safe(Path("o/index.html").read_text()).of("input")) == 3
    assert cli(*words, "output=none", "report=false")[0] == 0
    assert "none/index.html" not in files(".")


def test_somebody_elses_pages_stay(cli, cat):  # noqa: F811
    Path("o").mkdir()
    for name in ("index.html", "summary.csv"):
        Path("o", name).write_text("mine")
    words = (f"input={cat}", "task=denoise", "steps=1", "output=o")
    code, _, err = cli(*words)
    assert code == 0
    assert Path("o/index.html").read_text() == Path("o/summary.csv").read_text() == "mine"
    assert err.count("is not this program's") == 2 and (Path("o") / "cat.png").is_file()
    assert cli(*words, "overwrite=true")[0] == 0 and page.MARK in Path("o/index.html").read_text()


def test_what_is_missing_is_left_out(tmp_path):
    for name in ("a", "b", "c", "d"):
        save_result(tmp_path, name)
    (tmp_path / "a.compare.png").write_bytes(b"broken")
    (tmp_path / "b.compare.png").unlink()
    (tmp_path / "b.png").unlink()
    (tmp_path / "c.kernel.png").unlink()
    nonsense = {"choices": None, "scores": None, "pictures": [3], "overrides": None}
    nonsense["panels"] = {"input": [0, 0, 9999, 9], "restored": "here"}
    save_result(tmp_path, "d", **nonsense)
    for name, text in (
        ("other.json", "[1, 2]"),
        ("more.json", "{}"),
        ("broken.json", "{"),
        ("deep.json", "[" * 100000),
    ):
        (tmp_path / name).write_text(text)
    written = gallery.write_gallery(
        tmp_path, {"e": "</script><script>alert(1)</script>", "\udcff": "a name that is no text"}
    )
    assert written == [tmp_path / "summary.csv", tmp_path / "index.html"]
    read = safe((tmp_path / "index.html").read_text())
    assert len(read.of("article")) == 6 and len(read.of("input")) == 1
    assert "</script><script>alert(1)</script>" in "".join(read.words)


def test_a_thousand_photos(tmp_path, monkeypatch):
    """Noise, which compresses worst: the page stays bounded; after PICTURED no pictures."""
    report = save_result(tmp_path, "a", 300)
    texts = {
        name: json.dumps({**report, "output": f"{name}.png"})
        for name in (f"photo{k}" for k in range(30))
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_text(text)
        for part in (".png", ".compare.png", ".kernel.png"):
            (tmp_path / f"{name}{part}").hardlink_to(tmp_path / f"a{part}")
    monkeypatch.setattr(gallery, "PICTURED", 20)
    monkeypatch.setattr(gallery, "BUDGET", 600_000)
    gallery.write_gallery(tmp_path)
    written = (tmp_path / "index.html").read_text()
    assert 100_000 < len(written) < 1_000_000 and len(safe(written).of("article")) == 20
    rows = (tmp_path / "summary.csv").read_text().splitlines()
    assert len(rows) == 33 and rows[-1].startswith("mean,of 31,")
    assert gallery.BUDGET <= 16_000_000 and gallery.LEAST * 2 * 2000 <= 16_000_000


def test_folders_below(tmp_path):
    for name in ("a", "below/a", ".hidden/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_result((tmp_path / name).parent, "a")
    gallery.write_gallery(tmp_path, recursive=True)
    read = safe((tmp_path / "index.html").read_text())
    links = {"#photo0", "#photo1", "./a.png", "./below/a.png"}
    assert {a["href"] for a in read.of("a")} == links and len(read.of("input")) == 2
    gallery.write_gallery(tmp_path)
    assert len(safe((tmp_path / "index.html").read_text()).of("input")) == 1


def test_the_viewer_finds_the_comparison_at_full_size_and_plain_words_come_first(tmp_path):
    save_result(tmp_path, "cat", side=48)
    save_result(tmp_path, "far", side=48, consistency=0.5)
    gallery.write_gallery(tmp_path)
    read = safe((tmp_path / "index.html").read_text())
    pairs = read.of("photo-pair")
    assert [pair["data-full"] for pair in pairs] == ["./cat.compare.png", "./far.compare.png"]
    assert json.loads(pairs[0]["data-boxes"]) == {
        "input": [0, 10, 48, 58],
        "restored": [52, 10, 100, 58],
    }
    assert (pairs[0]["data-width"], pairs[0]["data-height"]) == ("48", "48")
    text = " ".join(read.words)
    assert "It agrees with the photo within its noise. 1.25 seconds." in text
    assert "It differs from the photo by more than its noise; look closely." in text
