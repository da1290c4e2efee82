"""The page's table and picture of detail=."""

from PIL import Image

from benchmarks.pages import detail
from tests.benchmarks.conftest import run_main


def test_the_table_goes_from_the_least_error_to_the_most_detail(monkeypatch, capsys):
    run_main(monkeypatch, detail, "--tasks", "denoise:sigma_y=0.2", "--limit", 1, "--size", 64)
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines()[2:]]
    assert [float(row[1]) for row in rows] == list(detail.DETAIL)
    dB, fine = ([float(row[k]) for row in rows] for k in (2, 4))
    assert dB[0] > dB[-1] and fine == sorted(fine)


def test_the_picture_has_a_line_for_each_photo(monkeypatch, tmp_path):
    monkeypatch.setattr(detail, "SHOWN", detail.SHOWN[:1])
    monkeypatch.setattr(detail, "LEVELS", (0.0,))
    run_main(monkeypatch, detail, "--picture", tmp_path / "detail.jpg")
    picture = Image.open(tmp_path / "detail.jpg")
    assert picture.width > 2 * detail.SIDE > picture.height
