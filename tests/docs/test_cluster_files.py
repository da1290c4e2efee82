"""The Dockerfile and the Kubernetes job of docs/cluster: well formed, and of this program."""

import re
import shlex
from configparser import ConfigParser

import yaml

from gdp.cli.words import read_line
from tests.docs.documentation import ROOT

FOLDER = ROOT / "docs" / "cluster"
INSTRUCTIONS = {
    *("FROM", "RUN", "CMD", "LABEL", "EXPOSE", "ENV", "ADD", "COPY", "ENTRYPOINT", "VOLUME"),
    *("USER", "WORKDIR", "ARG", "ONBUILD", "STOPSIGNAL", "HEALTHCHECK", "SHELL"),
}


def instructions():
    """The Dockerfile's instructions with their words; lines that go on are one."""
    text = (FOLDER / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [line.split(None, 1) for line in whole.splitlines() if line.strip()]


def test_the_dockerfile_is_one():
    found = instructions()
    assert {name for name, _ in found} <= INSTRUCTIONS
    assert [name for name, _ in found[:2]] == ["ARG", "FROM"]
    stages = []
    for name, rest in found:
        if name == "FROM":
            image, word, stage = rest.split()
            assert word == "AS" and (image in stages or ":" in image)
            stages.append(stage)
        if name == "COPY":
            assert all((ROOT / source).exists() for source in rest.split()[:-1])
        if name == "RUN":
            shlex.split(rest)  # quotes are closed
    assert stages == ["base", "cuda", "cpu"]
    assert [rest for name, rest in found if name == "ENTRYPOINT"] == ['["gdp"]'] * 2
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    extras = next(rest for name, rest in found if name == "ARG").partition("=")[2].split(",")
    assert set(extras) <= set(config["options.extras_require"])


def test_the_job_is_one_of_this_program():
    job = yaml.safe_load((FOLDER / "kuberay.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    words = shlex.split(job["spec"]["entrypoint"])
    assert words[0] == "gdp" and "engine=ray" in read_line(words[1:]).words
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    for group in groups:
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        for container in group["template"]["spec"]["containers"]:
            assert container["image"] in ("gdp:cpu", "gdp:cuda")
            assert (
                container["resources"]["requests"].keys() == container["resources"]["limits"].keys()
            )
    worker = cluster["workerGroupSpecs"][0]
    assert worker["minReplicas"] <= worker["replicas"] <= worker["maxReplicas"]
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    least = re.search(r"ray\[[\w,]+\]>=([\d.]+)", config["options.extras_require"]["cluster"])[1]
    assert cluster["rayVersion"].startswith(least)
