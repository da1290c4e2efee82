"""The page of the benchmark of reality."""

from PIL import Image

from benchmarks.pages import real, real_pictures
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
        ["x --pairs /home/a/b"],
    )

    text = (tmp_path / "real.md").read_text()
    assert "![](real.jpg)" in text and "| white_0.05 |" in text and "    x --pairs b" in text
    with Image.open(tmp_path / "real.jpg") as sheet:
        assert sheet.height == 8 * (32 + real_pictures.BAR) and sheet.width >= 3 * 32
