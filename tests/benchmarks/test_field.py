"""The table of the field by one command."""

import pytest

from benchmarks import field


def test_the_table_by_one_command(tmp_path, capsys):
    words = ["--out", tmp_path / "field", "--limit", 1, "--size", 16, "--samplers", "auto@2,ddnm@2"]
    words = [str(word) for word in [*words, "--tasks", "sr4", "--page", tmp_path / "page.md"]]
    field.main(words)
    page = (tmp_path / "page.md").read_text()
    assert "### sr4" in page and "| ddnm " in page and "| bicubic" in page
    assert "field.py" in page and (tmp_path / "field" / "rows.jsonl").is_file()
    assert "page.md" in capsys.readouterr().out

    # Its comparison beside that of a run on other photos
    field.main([*words, "--only-kept", "--beside", str(tmp_path / "field")])
    both = (tmp_path / "page.md").read_text()
    assert "## On other photos" in both and "--beside" not in both
    assert both.count("| sr4 ") == 2 * page.count("| sr4 ") == 2


def test_what_it_cannot_do_is_told(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        field.main(["--out", str(tmp_path), "--skip", "9"])
    assert stop.value.code == 2 and "--skip 9 leaves none of 4" in capsys.readouterr().err
