"""Messages as lines for people, and as objects for programs."""

import json
import logging
import os
import subprocess
import sys

from tests.test_cli import ROOT, cli  # noqa: F401


def test_every_message_is_an_object(cli):  # noqa: F811
    words = ("task=denoise", "degrade=true", "sampler=ddnm", "steps=2", "output=o", "verbose=true")
    code, _, err = cli(*words, "log=json", "scores=none")
    assert code == 0
    lines = [line[line.index("{") :] for line in err.splitlines() if "{" in line]
    steps = [one for one in map(json.loads, lines) if "t" in one]  # beside the bar of this process
    assert [one["calls"] for one in steps] == [1, 2] and steps[0]["t"] > steps[1]["t"]
    assert all(one["level"] == "info" and one["consistency"] > 0 for one in steps)
    assert steps[0]["photo"] == "cat.png" and steps[0]["time"].endswith("Z")

    # A wrong word is told of in the same way.
    code, _, err = cli("log=json", "stesp=2")
    (error,) = map(json.loads, err.splitlines())
    assert code == 1 and error["level"] == "error" and "steps" in error["message"]


def test_a_line_a_step(cli):  # noqa: F811
    words = ("task=denoise", "degrade=true", "sampler=ddnm", "steps=2", "scores=none")
    assert ", call 2, " in cli(*words, "output=o", "verbose=true")[2]
    assert ", call 2, " not in cli(*words, "output=p")[2]


def test_tracebacks_are_in_the_object():
    from gdp.cli.logs import JsonLines

    try:
        raise ValueError("why")
    except ValueError:
        record = logging.LogRecord("gdp", 40, "f", 1, "a %s", ("b",), sys.exc_info())
    values = json.loads(JsonLines().format(record))
    assert values["message"] == "a b" and "ValueError: why" in values["traceback"]


def test_no_bar_where_there_is_no_terminal():
    env = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    code = "from gdp.cli.logs import begin; {}; from tqdm import tqdm; [*tqdm(range(3))]"
    for call, shown in (("begin([])", False), ("pass", True)):
        line = [sys.executable, "-c", code.format(call)]
        done = subprocess.run(line, capture_output=True, text=True, cwd=ROOT, env=env, check=True)
        assert ("3/3" in done.stderr) == shown
