"""The page of the field, and its plot."""

import pytest

from benchmarks.pages import field as field_page
from benchmarks.pages.pareto import plot


def rows_of_a_field():
    """Our default, another sampler, and a baseline."""
    scores = {"psnr": 25.0, "ssim": 0.7, "haarpsi": 0.8, "null_energy": 0.7}
    scores |= {"psnr_of_mean": 1.0, "consistency": 0.0, "seconds_per_image": 1.0}
    row = {"task": "sr4", "sampler": "auto", "nfe": 20, **scores}
    other = {**row, "sampler": "ddnm", "nfe": 100, "psnr": 24.5, "ssim": 0.75}
    return [row, other, {**row, "sampler": "tv_best", "nfe": 0, "psnr": 30.0}]


def test_page_of_the_field_says_who_is_ahead():
    rows = rows_of_a_field()
    found = field_page.verdict("sr4", rows)
    assert found["psnr_gain"] == "+0.5" and found["ssim_gain"] == "-0.05"
    assert found["psnr_by"] == "ddnm 100"

    meta = {"command": "python x", "commit": "abc", "hardware": "CPU", "versions": {}}
    page = field_page.page(rows, meta)
    assert "python x" in page and "| tv_best " in page
    assert page.index("| tv_best ") < page.index("| auto ")

    # Where photos are known one by one, the gain has an interval; what the truth chose is no rival
    mine = {"each": {"psnr": [[25.5], [24.5]], "ssim": [[0.7]], "haarpsi": [[0.8]]}}
    theirs = {"each": {"psnr": [[24.9], [24.1]], "ssim": [[0.75]], "haarpsi": [[0.8]]}}
    known = [rows[0] | mine, rows[1] | theirs, {**rows[1], "sampler": "tv_best", "psnr": 40.0}]
    assert field_page.verdict("sr4", known)["psnr_gain"] == "+0.5 (0.4 to 0.6)"
    assert "24.5 |" in field_page.page(known, meta)

    long = field_page.against_many_calls({"rows": rows, "meta": {"command": "python y"}})
    assert "python y" in long
    assert field_page.compare(rows) in long and field_page.compare(rows) in page

    changed = {"rows": rows[:1], "meta": {"command": "python x --override eta=1"}}
    assert "| eta=1 " in field_page.ablation({"eta=1": changed})


def test_pareto_plot(tmp_path):
    pytest.importorskip("matplotlib")
    assert plot(rows_of_a_field(), tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 5000
