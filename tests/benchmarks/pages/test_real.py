"""The page of the benchmark of reality."""

from PIL import Image

from benchmarks.pages import real, real_pictures
from benchmarks.pages.carried import BEFORE, commands_of, merged, tables_of
from benchmarks.reality.ours import Restored


def test_the_page_has_its_pictures_and_tables(monkeypatch, tmp_path):
    monkeypatch.setattr(real_pictures, "SIDE", 32)
    monkeypatch.setattr(
        real_pictures, "restore", lambda task, pair, *_: Restored(pair.photo, None, 6, 0.05)
    )
    found = {"table": "noise", "case": "white_0.05", "images": 1, "true": 0.05, "found": 0.05}
    real.write(
        [{**found, "ratio": 1.0, "least": 1.0, "most": 1.0}],
        tmp_path / "real.md",
        [{"command": "x --pairs /home/a/b", "commit": "v2"}],
    )

    text = (tmp_path / "real.md").read_text()
    assert "![](real.jpg)" in text and "| white_0.05 |" in text and "    x --pairs b  # v2" in text
    with Image.open(tmp_path / "real.jpg") as sheet:
        assert sheet.height == 8 * (32 + real_pictures.BAR) and sheet.width >= 3 * 32


def test_rows_that_were_not_made_anew_stay(monkeypatch, tmp_path):
    monkeypatch.setattr(real_pictures, "draw", lambda file: ["NLM", "ours"])
    page = tmp_path / "real.md"
    row = {"table": "pairs", "set": "s", "half": "even", "kind": "other"}

    def scores(method, psnr, name="s", **more):
        return {**row, "set": name, "method": method, "psnr": psnr, **more}

    # A page, and a later version's rows of a method of each set
    first = [scores("input", 20.0), scores("auto", 25.0, kind="ours"), scores("input", 30.0, "t")]
    real.write(first, page, [{"command": "x first", "commit": "v1"}])
    again = [scores("auto", 26.0, kind="ours"), scores("nlm", 24.0)]
    real.write(again, page, [{"command": "x again", "commit": "v2"}])

    tables = tables_of(page.read_text())
    assert [(r["method"], r["psnr"], r["of"]) for r in tables["s"]] == [
        ("input", "20", "v1"),
        ("**auto**", "26", "v2"),
        ("nlm", "24", "v2"),
    ]
    assert [(r["method"], r["of"]) for r in tables["t"]] == [("input", "v1")]
    assert commands_of(page.read_text(), real.MADE) == ["x again  # v2", "x first  # v1"]

    # Other photos: none of the rows before is beside them; a page without versions says so.
    more = [scores("auto", 27.0, kind="ours"), scores("auto", 29.0, kind="ours")]
    real.write(more, page, [{"command": "x more", "commit": "v3"}])
    assert [r["of"] for r in tables_of(page.read_text())["s"]] == ["v3"]
    bare = [{"method": "input", "images": "2"}]
    assert merged([], bare, "method") == [{"method": "input", "images": "2", "of": BEFORE}]
