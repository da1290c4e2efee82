"""Contact sheets: labels, empty places, bounded size."""

from PIL import Image

from gdp.report import sheet, sweep


def test_sheets_of_one_axis_none_and_many_photos(tmp_path, monkeypatch):
    picture = sheet.Cell(Image.new("RGB", (30, 20), "red"), "text")
    one = sheet.draw({"seed": ["1", "2", "3"]}, {"a": {("1",): picture, ("3",): picture}})
    none = sheet.draw({}, {"a": {(): picture}})
    assert one.width > 2.5 * sheet.LARGEST and none.width < 1.5 * sheet.LARGEST
    monkeypatch.setattr(sheet, "PIXELS", 4_000_000)
    axis = {"seed": [str(k) for k in range(12)]}
    many = sheet.draw(
        axis, {f"photo{k}": {(str(s),): picture for s in range(12)} for k in range(60)}
    )
    assert many.width * many.height < 1.1 * sheet.PIXELS
    (tmp_path / "sheet.png").write_bytes(b"a picture of mine")
    assert sweep.write_sheet(tmp_path / "sheet.png", none, False) is None
    assert sweep.write_sheet(tmp_path / "sheet.png", none, True)
    assert sweep.write_sheet(tmp_path / "sheet.png", one, False) == tmp_path / "sheet.png"
