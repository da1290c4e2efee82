"""Jobs on the disk belong to one session, and to no other path."""

import json
import time

import pytest

from gdp.studio.jobs.store import BATCH, DONE, RUNNING, Store, key_of, safe_name

ME, YOU = "m" * 43, "y" * 43


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("cat.png", "cat.png"),
        ("my cat (1).JPG", "my cat (1).JPG"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/abs/olute.png", "olute.png"),
        (".hidden", "hidden"),
        ("..", "photo"),
        ("", "photo"),
        ("a\x00b\n.png", "a_b_.png"),
        ("CON.png", "photo_CON.png"),
        ("猫.png", "猫.png"),
        ("a<script>.png", "a_script_.png"),
        ("x" * 300 + ".png", "x" * 88 + ".png"),
    ],
)
def test_safe_name(given, name):
    assert safe_name(given) == name


def test_names_that_are_taken():
    assert safe_name("cat.png", ["cat.png", "CAT-2.PNG"]) == "cat-3.png"


def test_a_job_is_its_sessions(tmp_path):
    store = Store(tmp_path)
    job = store.new(ME)
    assert store.get(job.id, ME) == job
    assert store.get(job.id, YOU) is None
    assert store.latest(YOU) is None
    assert ME not in str(store.folder(job))


@pytest.mark.parametrize("id", ["", "..", "../x", "a" * 31, "A" * 32, "a" * 32 + "/..", None])
def test_no_path_is_made_of_an_id(tmp_path, id):
    assert Store(tmp_path).get(id, ME) is None


def test_survives(tmp_path):
    store = Store(tmp_path)
    job = store.new(ME, BATCH)
    job.state, job.files, job.photos = RUNNING, ["a.png"], {"a": {"name": "a", "state": "done"}}
    store.save(job)
    assert list(Store(tmp_path).all()) == [job]


def test_the_newest(tmp_path):
    store = Store(tmp_path)
    first, second = store.new(ME), store.new(ME)
    second.created = first.created + 1
    store.save(second)
    assert store.latest(ME) == second


def test_what_is_old_goes(tmp_path):
    store = Store(tmp_path)
    old, running, new = store.new(ME), store.new(ME), store.new(YOU)
    for job, state in ((old, DONE), (running, RUNNING)):
        job.created, job.state = time.time() - 100, state
        store.save(job)
    store.expire(50)
    assert {job.id for job in store.all()} == {running.id, new.id}

    store.delete(new)
    store.save(new)  # by a thread that does not know
    store.expire(50)
    assert [job.id for job in store.all()] == [running.id]


def test_a_broken_note_is_no_job(tmp_path):
    store = Store(tmp_path)
    job = store.new(ME)
    note = store.folder(job) / "job.json"
    note.write_text("{")
    assert store.get(job.id, ME) is None
    note.write_text(json.dumps({"id": "x", "session": "y"}))
    assert store.get(job.id, ME) is None


def test_keys(tmp_path):
    mask = tmp_path / "mask.png"
    without = key_of(["task=auto"], mask)
    mask.write_bytes(b"1")
    assert key_of(["task=auto"], mask) != without
    assert key_of(["task=sr4"]) != key_of(["task=auto"]) == key_of(["task=auto"])
