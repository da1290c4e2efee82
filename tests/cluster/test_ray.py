"""engine=ray on two nodes: what engine=local makes, whatever dies meanwhile."""

import contextlib
import json
import signal
import urllib.request

import pytest

from tests.cluster.conftest import begin, run, wait_for
from tests.folder.test_folder import photos, pictures

pytest.importorskip("ray.data")
WORDS = "report=false task=denoise sigma_y=0.1 noise=white steps=2 batch=3".split()
SLOW = ["operator=custom", "operator._target_=tests.cluster.parts.Slow", "+operator.seconds=0.7"]
POISON = ["operator=custom", "operator._target_=tests.cluster.parts.Poison"]
COUNT = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return photos(tmp_path_factory.mktemp("photos") / "in", COUNT)


@pytest.fixture(scope="module")
def local(folder, tmp_path_factory):
    """What engine=local makes of them."""
    out = tmp_path_factory.mktemp("local") / "out"
    assert run(f"input={folder}", f"output={out}", *WORDS)[0] == 0
    return out


@pytest.fixture
def on_ray(cluster):
    return ["engine=ray", f"address={cluster.address}", "actors=2"]


def same(folder, other):
    """Whether two folders hold the same, and nothing besides."""
    assert not (folder / ".gdp").exists()
    return pictures(folder) == pictures(other)


def test_the_same_as_local_and_once(folder, local, on_ray, tmp_path):
    code, out, err = run(f"input={folder}", f"output={tmp_path / 'out'}", *on_ray, *WORDS)
    assert code == 0, err
    assert same(tmp_path / "out", local)
    wanted = [str(tmp_path / "out" / f"p{k:02}.png") for k in range(COUNT)]
    assert sorted(out.split()) == wanted
    assert f"{COUNT} of {COUNT} pictures restored" in err and "Traceback" not in err

    code, out, err = run(f"input={folder}", f"output={tmp_path / 'out'}", *on_ray, *WORDS)
    assert code == 0 and not out and err.count(": finished before, in") == COUNT


def test_a_node_is_killed(folder, cluster, on_ray, tmp_path):
    """Nothing is lost, and nothing is told twice."""
    assert run(f"input={folder}", f"output={tmp_path / 'local'}", *WORDS, *SLOW)[0] == 0
    node = cluster.add_node(num_cpus=1, object_store_memory=80 * 2**20)
    words = [*WORDS, *SLOW, on_ray[0], on_ray[1], "actors=3"]
    process = begin(f"input={folder}", f"output={tmp_path / 'out'}", *words)
    wait_for(lambda: len(list((tmp_path / "out").glob("*.json"))) >= 2)
    cluster.remove_node(node, allow_graceful=False)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert same(tmp_path / "out", tmp_path / "local")
    assert len(out.split()) == len(set(out.split())) == COUNT


def test_the_driver_is_killed_and_the_same_line_goes_on(folder, on_ray, tmp_path):
    assert run(f"input={folder}", f"output={tmp_path / 'local'}", *WORDS, *SLOW)[0] == 0
    line = [f"input={folder}", f"output={tmp_path / 'out'}", *on_ray, *WORDS, *SLOW]
    process = begin(*line)
    wait_for(lambda: len(list((tmp_path / "out").glob("*.json"))) >= 2)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").glob("*.json")}
    assert (tmp_path / "out" / ".gdp" / "manifest.json").is_file()
    code, _, err = run(*line)
    assert code == 0, err
    assert same(tmp_path / "out", tmp_path / "local")
    assert all(file.stat().st_mtime_ns == made for file, made in before.items())
    assert err.count("finished before") >= len(before)


def test_photos_that_kill_are_told_and_the_others_done(folder, on_ray, tmp_path):
    mixed = tmp_path / "in"
    mixed.mkdir()
    names = sorted(file.name for file in folder.iterdir())[:6]
    for k, name in enumerate(names):
        (mixed / name).write_bytes((folder / name).read_bytes())
        if k < 3:
            (mixed / f"poison{k}.png").write_bytes((folder / name).read_bytes())
    words = [word for word in WORDS if not word.startswith("batch")]
    line = [f"input={mixed}", f"output={tmp_path / 'out'}", *on_ray, *words, *POISON]
    code, _, err = run(*line, "batch=2", "log=json")
    assert code == 1, err
    lines = [json.loads(text) for text in err.splitlines() if text.startswith("{")]
    for k in range(3):
        assert any(f"error: poison{k}.png: it has killed" in one["message"] for one in lines)
    assert "6 of 9 pictures restored" in err
    assert {one["name"] for one in lines if one.get("state") == "done"} == {n[:-4] for n in names}
    assert sorted(file.name for file in (tmp_path / "out").glob("p??.png")) == names


def test_prometheus_sees_photos_and_calls(folder, cluster, on_ray, tmp_path):
    pytest.importorskip("opentelemetry.exporter.prometheus")
    nodes = [cluster.head_node, *cluster.worker_nodes]

    def seen():
        text = ""
        for node in nodes:
            with contextlib.suppress(OSError):
                url = f"http://{node.node_ip_address}:{node.metrics_export_port}/metrics"
                text += urllib.request.urlopen(url, timeout=5).read().decode()
        return text

    process = begin(f"input={folder}", f"output={tmp_path / 'out'}", *on_ray, *WORDS, *SLOW)
    names = ("gdp_photos_total", "gdp_calls_total", "gdp_photo_seconds_bucket", "gdp_photos_left")
    wait_for(lambda: process.poll() is not None or all(f"ray_{name}" in seen() for name in names))
    running = process.poll() is None
    process.communicate()
    assert running, "it ended before all of them were seen"


def test_a_worker_on_each_device(folder, tmp_path):
    """device=[cpu,cpu] starts a Ray of its own, and stops it."""
    assert run(f"input={folder}", f"output={tmp_path / 'local'}", "device=cpu", *WORDS)[0] == 0
    code, _, err = run(f"input={folder}", f"output={tmp_path / 'out'}", "device=[cpu,cpu]", *WORDS)
    assert code == 0, err
    assert same(tmp_path / "out", tmp_path / "local")


def test_no_cluster_is_told_in_a_line(folder, tmp_path):
    line = [f"input={folder}", f"output={tmp_path / 'out'}", "engine=ray", *WORDS]
    code, _, err = run(*line, "address=127.0.0.1:1")
    assert code == 2 and "no Ray cluster answers there" in err and "Traceback" not in err
