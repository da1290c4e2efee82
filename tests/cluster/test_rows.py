"""Sets of photos in rows, and manifests in Parquet: the pictures of the files, by their names."""

import pytest

from gdp.engine.entries import size_at_rest, stage
from gdp.engine.sources import entries_of
from gdp.picture import size_of
from tests.cluster.conftest import run
from tests.folder.test_folder import photos

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
WORDS = "report=false task=denoise sigma_y=0.1 noise=white steps=2 batch=2".split()


@pytest.fixture
def folder(tmp_path):
    return photos(tmp_path / "in", 5)


def table(folder, paths=True):
    """The photos as the Hugging Face hub has them."""
    files = sorted(folder.iterdir())
    path = (lambda file: file.name) if paths else (lambda _: None)
    rows = [{"bytes": file.read_bytes(), "path": path(file)} for file in files]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {"image": pa.array(rows, kind), "label": pa.array(range(len(rows)))}
    return pa.table(columns)


def test_parquet_gives_the_files(folder, tmp_path):
    pq.write_table(table(folder), tmp_path / "train.parquet", row_group_size=2)
    entries = entries_of(str(tmp_path / "train.parquet"))
    assert [entry.name for entry in entries] == [f"p{k:02}" for k in range(5)]
    for entry, file in zip(entries, sorted(folder.iterdir()), strict=True):
        assert size_at_rest(entry) == size_of(file)
        copy = stage(entry, tmp_path)
        assert copy.read_bytes() == file.read_bytes() and copy.name == file.name


def test_rows_without_paths_have_numbers(folder, tmp_path):
    pq.write_table(table(folder, paths=False), tmp_path / "train.parquet", row_group_size=3)
    names = [entry.name for entry in entries_of(str(tmp_path / "train.parquet"))]
    assert names == [f"{g:05}_{r:06}" for g, r in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))]


def test_a_folder_as_datasets_saves_it(folder, tmp_path):
    datasets = pytest.importorskip("datasets")
    files = [str(file) for file in sorted(folder.iterdir())]
    made = datasets.Dataset.from_dict({"image": files}).cast_column("image", datasets.Image())
    embedded = made.map(lambda row: row, batched=False)
    embedded.save_to_disk(tmp_path / "saved")
    code, out, err = run(f"input={tmp_path / 'saved'}", f"output={tmp_path / 'out'}", *WORDS)
    assert code == 0, err
    assert run(f"input={folder}", f"output={tmp_path / 'here'}", *WORDS)[0] == 0
    assert len(out.split()) == 5


def test_a_manifest_in_parquet(folder, tmp_path):
    rows = {"input": ["p00.png", "p01.png"], "sigma_y": [0.2, None], "name": ["loud", None]}
    pq.write_table(pa.table(rows), folder / "list.parquet")
    first, second = entries_of(str(folder / "list.parquet"))
    assert (first.name, first.settings) == ("loud", {"sigma_y": "0.2"})
    assert (second.name, second.settings) == ("p01", {})
    assert second.file == str(folder / "p01.png")


def test_a_table_that_is_none(tmp_path):
    pq.write_table(pa.table({"path": ["a.png"]}), tmp_path / "list.parquet")
    with pytest.raises(ValueError, match="a manifest has one called input"):
        entries_of(str(tmp_path / "list.parquet"))
