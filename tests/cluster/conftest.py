"""A Ray cluster of two nodes on this machine, and a bucket on loopback."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONG = 240  # seconds that a command may take on a machine that is busy


def environment(**more):
    """What commands and workers find their modules by."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "GDP_DTYPE": "float32",
        **more,
    }


def begin(*words, **more):
    """Start a command line."""
    line = [sys.executable, str(ROOT / "run.py"), *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True, env=environment(**more))


def run(*words, **more):
    """Run a command line: its exit code, stdout and stderr."""
    process = begin(*words, **more)
    try:
        out, err = process.communicate(timeout=LONG)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(process.communicate()) from None
    return process.returncode, out, err


def wait_for(happened, seconds=LONG):
    """Wait until something is so."""
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until, "it has not happened"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def cluster():
    """Two nodes of a core each; the head is the first."""
    pytest.importorskip("ray.data")
    from ray.cluster_utils import Cluster

    before = dict(os.environ)
    os.environ.update(environment())
    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=node)
    node.pop("include_dashboard")
    found.add_node(**node)
    yield found
    found.shutdown()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def s3():
    """The settings by which commands find an S3 server that moto runs on loopback."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "secretofthetest"}
    yield {**keys, "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    server.stop()
