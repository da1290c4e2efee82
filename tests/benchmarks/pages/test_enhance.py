"""docs/enhancement.md: cases restored as a user would, sections that stay."""

import json

from benchmarks.pages import enhance
from benchmarks.pages.spoilt import CASES
from tests.benchmarks.conftest import run_main


def test_the_page(monkeypatch, tmp_path):
    by_task = {case.task: case for case in CASES}
    monkeypatch.setattr(enhance, "CASES", [by_task["jpeg"], by_task["whitebalance"]])
    (tmp_path / "enhancement.md").write_text(
        "# Old\n\n## Noise\n\nstale rows\n\n## Mine\n\nstays\n"
    )
    rows = {"rows": [{"sigma": 0.1}], "meta": {"command": "python x.py"}}
    (tmp_path / "noise.json").write_text(json.dumps(rows))
    run_main(monkeypatch, enhance, "--docs", tmp_path, "--noise", tmp_path / "noise.json")

    page = (tmp_path / "enhancement.md").read_text()
    assert "stale rows" not in page and "`python x.py`" in page and "## Mine\n\nstays\n" in page
    assert "| whitebalance |" in page and "gains = [" in page
    assert (tmp_path / "enhancement.jpg").stat().st_size > 5000
