"""The notebooks of docs/, run as Jupyter runs them."""

import os
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOKS = sorted(DOCS.glob("*.ipynb"))


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.name)
def test_a_notebook_runs(file, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    paths = filter(None, (str(DOCS.parent), os.environ.get("PYTHONPATH")))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))

    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.get("outputs") for cell in notebook.cells)  # the repository keeps none
    resources = {"metadata": {"path": str(DOCS)}}
    client.NotebookClient(notebook, timeout=300, resources=resources).execute()

    # Its results show themselves, and say what the text around them does.
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    pictures = [one for one in outputs if "image/png" in one.get("data", {})]
    said = "".join(one.get("text", "") for one in outputs)
    assert len(pictures) == 3 and "100%" in said
    before, after = said.rpartition("\n")[0].splitlines()[-1].split(" dB before, ")
    assert float(after.split()[0]) > float(before) + 10
