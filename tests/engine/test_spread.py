"""Photos from and to any storage, by this process: the same results as on a disk, and whole."""

import csv
import json
import tarfile
import uuid

import fsspec
import pytest
from PIL import Image

from gdp.engine import in_store
from gdp.engine.entries import Entry, packed, unpacked
from gdp.engine.planning import plan
from gdp.engine.sources import entries_of
from gdp.engine.worker import Seen
from gdp.folder.plan import plan as local_plan
from gdp.remote.store import Store
from tests.folder.test_folder import photos
from tests.test_cli import EXTRA, cli  # noqa: F401

WORDS = "report=false task=denoise sigma_y=0.1 noise=white steps=2 batch=3".split()
MEMORY = fsspec.filesystem("memory")


@pytest.fixture
def bucket():
    """A folder of memory with nothing in it."""
    name = uuid.uuid4().hex
    MEMORY.makedirs(f"/{name}")
    return f"memory://{name}"


def root(url):
    return f"/{url.partition('://')[2]}"


def upload(folder, url):
    for file in sorted(folder.iterdir()):
        MEMORY.pipe_file(f"{root(url)}/{file.name}", file.read_bytes())


def objects(url):
    """Every object below a URL, by name."""
    top = root(url)
    return {path[len(top) + 1 :]: MEMORY.cat_file(path) for path in MEMORY.find(top)}


def same_pictures(url, folder):
    found = {name: one for name, one in objects(url).items() if name.endswith(".png")}
    there = {file.name: file.read_bytes() for file in folder.glob("*.png")}
    assert found == there and found


@pytest.fixture
def both(tmp_path, cli, bucket):  # noqa: F811
    """Photos on a disk with their results there, and the same photos in a storage."""
    folder = photos(tmp_path / "in", 5)
    assert cli(f"input={folder}", f"output={tmp_path / 'here'}", *WORDS)[0] == 0
    upload(folder, f"{bucket}/in")
    return folder, tmp_path / "here", bucket


def test_from_a_storage_to_it_and_again(both, cli, tmp_path):  # noqa: F811
    _, here, bucket = both
    words = [f"input={bucket}/in", f"output={bucket}/out", *WORDS]
    code, out, _ = cli(*words)
    assert code == 0 and f"{bucket}/out/p00.png" in out
    same_pictures(f"{bucket}/out", here)
    assert not [name for name in objects(f"{bucket}/out") if name.startswith(".gdp")]
    report = json.loads(objects(f"{bucket}/out")["p00.json"])
    assert report["input"] == f"{bucket}/in/p00.png"
    assert report["output"] == f"{bucket}/out/p00.png"

    # Once more: nothing is left to do; other settings are in the way, unless they may replace.
    code, _, err = cli(*words)
    assert code == 0 and err.count("finished before") >= 5
    code, _, err = cli(*words, "steps=3")
    assert code == 2 and "p00.png exists, made otherwise or of another photo" in err
    before = objects(f"{bucket}/out")["p00.json"]
    assert cli(*words, "steps=3", "overwrite=true")[0] == 0
    assert objects(f"{bucket}/out")["p00.json"] != before


def test_what_was_broken_off_goes_on_and_nothing_is_there_in_part(both, cli, monkeypatch):  # noqa: F811
    _, here, bucket = both
    words = [f"input={bucket}/in", f"output={bucket}/out", *WORDS]
    put, calls = Store.put, []

    def dies(self, file, name):
        calls.append(name)
        if len(calls) == 8:  # between two files of the second photo
            raise KeyboardInterrupt
        put(self, file, name)

    monkeypatch.setattr(Store, "put", dies)
    assert cli(*words)[0] == 130
    left = objects(f"{bucket}/out")
    assert "p00.json" in left and ".gdp/manifest.json" in left
    half = [name for name in left if name.startswith(".gdp/begun/")]
    assert len(half) == 1 and "p02.json" not in left

    monkeypatch.setattr(Store, "put", put)
    assert cli(*words)[0] == 0
    same_pictures(f"{bucket}/out", here)
    assert not [name for name in objects(f"{bucket}/out") if name.startswith(".gdp")]


def test_one_that_cannot_be_read_is_told_and_the_others_done(both, cli):  # noqa: F811
    _, here, bucket = both
    MEMORY.pipe_file(f"{root(bucket)}/in/bad.png", b"no picture")
    code, _, err = cli(f"input={bucket}/in", f"output={bucket}/out", *WORDS)
    assert code == 1 and "error: bad.png" in err and "5 of 6 pictures restored" in err
    same_pictures(f"{bucket}/out", here)


def test_a_shard_and_a_mask_for_each_photo(tmp_path, cli, bucket):  # noqa: F811
    folder = photos(tmp_path / "in", 3)
    masks = tmp_path / "masks"
    masks.mkdir()
    for k, file in enumerate(sorted(folder.iterdir())):
        with Image.open(file) as picture:
            mask = Image.new("L", picture.size)
        mask.paste(255, (2 + k, 2, 8, 8))
        mask.save(masks / file.name)
    words = ["task=inpaint", "steps=2", "report=false"]
    line = [f"input={folder}", f"output={tmp_path / 'here'}", f"mask={masks}", *words]
    assert cli(*line)[0] == 0

    with tarfile.open(tmp_path / "shard-000.tar", "w") as shard:
        for file in sorted(folder.iterdir()):
            shard.add(file, arcname=file.name)
    (tmp_path / "up").mkdir()
    (tmp_path / "shard-000.tar").rename(tmp_path / "up" / "shard-000.tar")
    upload(tmp_path / "up", f"{bucket}/shards")
    upload(masks, f"{bucket}/masks")
    line = [f"input={bucket}/shards/shard-*.tar", f"output={bucket}/out", f"mask={bucket}/masks"]
    assert cli(*line, *words)[0] == 0
    same_pictures(f"{bucket}/out", tmp_path / "here")
    report = json.loads(objects(f"{bucket}/out")["p01.json"])
    assert report["input"] == f"{bucket}/shards/shard-000.tar#p01.png"


def test_a_manifest_gives_each_photo_its_settings(tmp_path, cli):  # noqa: F811
    folder = photos(tmp_path / "in", 3)
    with (folder / "list.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(
            [
                ["input", "task", "sigma_y", "name"],
                ["p00.png", "denoise", "0.2", "loud"],
                ["p01.png", "", "", ""],
                ["p02.png", "sr4", "0", ""],
            ]
        )
    words = ["task=denoise", "sigma_y=0.1", "noise=white", "steps=2", "report=false"]
    assert cli(f"input={folder / 'list.csv'}", f"output={tmp_path / 'out'}", *words)[0] == 0
    for name, own in (("loud", ["sigma_y=0.2"]), ("p01", []), ("p02", ["task=sr4", "sigma_y=0"])):
        photo = folder / ("p00.png" if name == "loud" else f"{name}.png")
        line = [f"input={photo}", f"output={tmp_path / name}", *words, *own]
        assert cli(*line)[0] == 0
        alone = (tmp_path / name / f"{photo.stem}.png").read_bytes()
        assert (tmp_path / "out" / f"{name}.png").read_bytes() == alone
    assert not (tmp_path / "out" / ".gdp").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("path\na.png\n", "a manifest has one called input"),
        ("input,sigma\na.png,1\n", "the column sigma is no setting; did you mean sigma_y"),
        ("input,output\na.png,b\n", "the column output is the same for all photos"),
        ("input,sigma_y\n,1\n", "a row without input"),
        ("input\n", "no pictures at"),
    ],
)
def test_a_manifest_that_is_none(tmp_path, text, said):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        entries_of(str(tmp_path / "list.csv"))


def test_a_shard_that_is_none(tmp_path):
    (tmp_path / "a.tar").write_bytes(b"no archive" * 100)
    with pytest.raises(ValueError, match="no archive that can be read"):
        entries_of(str(tmp_path / "a.tar"))
    with pytest.raises(ValueError, match=r"compressed, .* give a \.tar"):
        entries_of("a.tar.gz")


def test_settings_of_a_storage_and_none_of_a_disk(cli, bucket, tmp_path):  # noqa: F811
    code, _, err = cli(f"input={bucket}/nothing", f"output={tmp_path / 'o'}", *WORDS)
    assert code == 2 and "nothing" in err and "Traceback" not in err
    code, _, err = cli("input=nosuch://a/b.png", *WORDS)
    assert code == 2 and "no storage is known by nosuch://" in err
    code, _, err = cli("task=sample", f"output={bucket}")
    assert code == 2 and "writes to disks alone" in err
    code, _, err = cli("device=[cpu,cuda]", *WORDS)
    assert code == 2 and "a list is of GPUs" in err


def test_entries_travel_as_text():
    entries = [
        Entry("a/b", "s3://x/y.tar", "b.png", ("bytes", 512, 7), {"task": "sr4"}, "t.png", 7, 9),
        Entry("c", "c.png", "c.png"),
    ]
    assert unpacked(packed(entries)) == entries


def test_the_plan_is_the_local_one(tmp_path):
    """Photos of one size go together; those with settings of their own with their like."""
    from gdp.compose.configuration import build, compose
    from gdp.folder.items import Item
    from gdp.picture import read, size_of

    folder = photos(tmp_path / "in", 9)
    setup = build(compose("task=sr4", "batch=3", "device=cpu"))
    files = sorted(folder.iterdir())
    seen = [Seen(file.stem, size_of(file), [[1, 2]], "") for file in files]
    mine = plan(seen, setup, "x", "cpu", None)
    items = {file.stem: Item(file.stem, (file,), lambda: read(files[0])) for file in files}
    import torch

    theirs = local_plan(items, list(items), setup, "x", torch.device("cpu"), None)
    assert mine.batches == theirs.batches and len(mine.batches) == 3
    apart = [one if k else Seen(one.name, one.size, one.stamp, "own") for k, one in enumerate(seen)]
    assert ["p00"] in plan(apart, setup, "x", "cpu", None).batches


def test_notes_and_reports_that_are_none():
    assert in_store.content(None) is None and in_store.content(b"[1]") is None
    assert in_store.content(b'{"a": 1}') == {"a": 1}
