"""A bucket that moto serves on loopback: from it, to it, killed in mid-write, in pages."""

import contextlib
import json
import signal

import pytest

from tests.cluster.conftest import begin, run, wait_for
from tests.cluster.test_ray import SLOW
from tests.folder.test_folder import photos

pytest.importorskip("s3fs")
boto3 = pytest.importorskip("boto3")
WORDS = "task=denoise sigma_y=0.1 noise=white steps=2 batch=3 log=json".split()
COUNT = 9


@pytest.fixture
def client(s3):
    return boto3.client(
        "s3",
        endpoint_url=s3["AWS_ENDPOINT_URL"],
        aws_access_key_id=s3["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=s3["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
    )


@pytest.fixture
def bucket(client, tmp_path):
    """A new bucket with photos, which are on the disk too."""
    name = "b" + str(abs(hash(str(tmp_path))))[:12]
    client.create_bucket(Bucket=name)
    folder = photos(tmp_path / "in", COUNT)
    for file in folder.iterdir():
        client.upload_file(str(file), name, f"in/{file.name}")
    return name


def objects(client, bucket, prefix="out/"):
    """Every object below a prefix, by name."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    keys = [one["Key"] for page in pages for one in page.get("Contents", [])]
    found = {}
    for key in keys:
        with contextlib.suppress(client.exceptions.NoSuchKey):  # a note that has gone meanwhile
            found[key[len(prefix) :]] = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    return found


def whole(found, local):
    """The names of results, each of which is as on the disk, byte for byte."""
    names = [name for name in found if name.endswith(".png")]
    assert all(found[name] == (local / name).read_bytes() for name in names)
    for name in (name for name in found if name.endswith(".json") and "/" not in name):
        assert f"{name[:-5]}.png" in names and f"{name[:-5]}.compare.png" in names
    return sorted(names)


def test_ray_from_and_to_a_bucket_killed_in_mid_write(s3, client, bucket, tmp_path):
    """No object is there in part, the same line goes on, and no report shows a credential."""
    local = tmp_path / "local"
    assert run(f"input={tmp_path / 'in'}", f"output={local}", *WORDS, *SLOW)[0] == 0
    line = [f"input=s3://{bucket}/in", f"output=s3://{bucket}/out", *WORDS, *SLOW]
    line += ["engine=ray", "actors=2"]
    process = begin(*line, **s3)
    wait_for(lambda: len([n for n in objects(client, bucket) if n.endswith(".json")]) >= 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    found = objects(client, bucket)
    assert len(whole(found, local)) < 2 * COUNT and ".gdp/manifest.json" in found

    code, out, err = run(*line, **s3)
    assert code == 0, err
    found = objects(client, bucket)
    assert len(whole(found, local)) == 2 * COUNT
    assert not [name for name in found if name.startswith(".gdp")] and "summary.csv" in found
    told = "".join(text.decode(errors="replace") for text in found.values())
    for secret in (s3["AWS_ACCESS_KEY_ID"], s3["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in told + out + err
    report = json.loads(found["p00.json"])
    assert report["input"] == f"s3://{bucket}/in/p00.png"


def test_what_the_server_refuses_is_told_in_a_line(s3, tmp_path):
    words = [f"output={tmp_path / 'out'}", *WORDS]
    code, _, err = run("input=s3://nosuchbucket/in", *words, **s3)
    assert code == 2 and "nosuchbucket" in err and "Traceback" not in err


def test_listing_takes_pages(s3, client, monkeypatch):
    """More names than a page of S3 has (1000), in the order of their names."""
    from gdp.engine.sources import entries_of

    client.create_bucket(Bucket="many")
    for k in range(1203):
        client.put_object(Bucket="many", Key=f"in/{k:05}.png", Body=b"x")
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    entries = entries_of("s3://many/in")
    assert [entry.name for entry in entries] == [f"{k:05}" for k in range(1203)]
    assert entries[7].bytes == 1 and entries[7].modified > 0
