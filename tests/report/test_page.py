"""Pages: no text breaks one."""

import csv
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from gdp.report import gallery, summary
from tests.report.pages import safe


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4, unique=True),
    st.text(max_size=60),
)
def test_no_text_breaks_the_page(names, text):
    report = {
        "output": text,
        "size": [3, 4],
        "nfe": 1,
        "config": {},
        "operator": {text: [text, 1.5]},
        "overrides": [text],
        "prior": {text: text},
    }
    listed = [summary.Entry(name, report) for name in names] + [summary.Entry(text, {}, text)]
    written = gallery.gallery(Path("/nowhere"), listed)
    read = safe(written)
    assert len(read.of("article")) == len(listed) and len(read.of("script")) == 1
    rows = [summary.row_of(entry) for entry in listed]
    back = list(
        csv.DictReader(summary.as_csv(rows, summary.columns(rows)).splitlines(keepends=True))
    )
    if not any(c in "".join([*names, text]) for c in "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        assert [row["name"] for row in back] == [summary.plain(name) for name in [*names, text]]


def test_spreadsheets_run_no_cell():
    rows = [{"name": name} for name in ("=cmd|calc!A0", "+1", "@x", "-x", "plain")]
    lines = summary.as_csv(rows, ["name"]).splitlines()[1:]
    assert lines == ["'=cmd|calc!A0", "'+1", "'@x", "'-x", "plain"]
