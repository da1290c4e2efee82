"""Every snippet of the page on Python, run as it stands."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
SNIPPETS = re.findall(
    r"^```python\n(.*?)^```$", (ROOT / "docs" / "python.md").read_text(), re.M | re.S
)
README = re.findall(
    r"^```python\n(import gdp.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S
)


@pytest.fixture
def beside(tmp_path, monkeypatch):
    """A folder with the files that snippets name."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    for name in ("photo.jpg", "other.png", "folder/a.png", "folder/b.png"):
        Image.fromarray(noise).resize((16, 12)).save(name)
    return tmp_path


@pytest.mark.parametrize("k", range(len(SNIPPETS)))
def test_snippet(beside, k, capsys):
    scope: dict = {"__name__": "__main__"}
    exec(compile(SNIPPETS[k], f"python.md, snippet {k + 1}", "exec"), scope)
    if "result.save" in SNIPPETS[k]:
        assert Image.open("larger.png").size == (64, 48)
    if "watch" in scope:
        assert capsys.readouterr().out.splitlines() == [f"{n} of 5 calls" for n in range(1, 6)]
    if "results" in scope:
        assert len(scope["results"]) == 2
    if "samples=3" in SNIPPETS[k]:
        assert scope["result"].std.shape == (48, 64) and len(scope["result"].samples) == 3


def test_readme(beside):
    assert len(README) == 1 and len(README[0].splitlines()) <= 5
    exec(compile(README[0], "README.md", "exec"), {})
    assert len(SNIPPETS) == 6
