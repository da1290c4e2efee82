"""Ctrl-C from start to end, and output that nobody reads: results do not depend on it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.stops import heed, photos_in, stop_at, words
from gdp.stops import Unread, importing

ROOT = Path(__file__).parents[1]
ENV = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
posix = pytest.mark.skipif(os.name == "nt", reason="signals and descriptors of POSIX")


def run(line, cwd, **changes):
    return subprocess.run(
        ["bash", "-c", line], cwd=cwd, env=ENV | changes, capture_output=True, check=False
    )


@posix
@pytest.mark.parametrize("moment", [0.4, 0.8, 1.6])
def test_ctrl_c_while_it_starts(moment, tmp_path):
    """Also while libraries are being imported, which swallow it half-way."""
    outcome = stop_at(moment, photos_in(tmp_path / "photos"), tmp_path / "out", signals=2)
    assert not outcome.fault and outcome.code == 130


@posix
@pytest.mark.parametrize("end", ["| head -1", ">/dev/full", "2>&-", ">&- 2>&-"])
def test_streams_that_nobody_reads(end, tmp_path):
    photos, output = photos_in(tmp_path / "photos"), tmp_path / "out"
    line = " ".join(f"'{word}'" for word in words(photos, output)).replace("steps=12", "steps=1")
    done = run(f"set -o pipefail; {line} {end}", tmp_path)
    assert done.returncode == 0 and b"rror" not in done.stderr
    assert sum(file.stem.isdecimal() for file in output.glob("*.png")) == 3


@posix
@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_names_that_the_console_cannot_print(encoding, tmp_path):
    photos, output = photos_in(tmp_path / "photos"), tmp_path / "out"
    (photos / "0.png").rename(photos / "\u4e2d\u6587\u00fc.png")
    line = " ".join(f"'{word}'" for word in words(photos, output)).replace("steps=12", "steps=1")
    done = run(line, tmp_path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0 and b"\\u4e2d" in done.stdout
    assert (output / "\u4e2d\u6587\u00fc.png").is_file() and (output / "summary.csv").is_file()


def test_what_a_stream_lacks_is_escaped(tmp_path):
    with (tmp_path / "out").open("w", encoding="ascii") as stream:
        Unread(stream).write("a\u4e2d\n")
    assert (tmp_path / "out").read_text() == "a\\u4e2d\n"
    Unread(stream).write("it is closed")
    Unread(stream).flush()


def test_imports_are_seen(tmp_path, monkeypatch):
    (tmp_path / "seen_in_import.py").write_text(
        "import sys\nfrom gdp.stops import importing\nresult = importing(sys._getframe())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    import seen_in_import

    assert seen_in_import.result and not importing(sys._getframe())


@posix
def test_what_stands_in_the_way(tmp_path):
    """Links that lead nowhere or to themselves, pipes and folders where our files are to be."""
    photos = photos_in(tmp_path / "photos")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "piped").mkdir()
    os.mkfifo(tmp_path / "piped" / "0.json")
    (tmp_path / "folder" / "0.png").mkdir(parents=True)
    for name, word in (("link", ""), ("loop", ""), ("piped", "0.json"), ("folder", "0.png")):
        line = words(photos, tmp_path / name)
        done = subprocess.run(
            [*line, "overwrite=true"], env=ENV, capture_output=True, check=False, timeout=60
        )
        lines = [one for one in done.stderr.decode().splitlines() if one.strip()]
        assert done.returncode == 2 and len(lines) == 1 and word in lines[0], lines


@posix
@pytest.mark.parametrize(
    "work",
    [
        "try:\n        time.sleep(9)\n    except KeyboardInterrupt:\n        raise AttributeError",
        "Slow().__del__()\n    x = Slow()\n    del x\n    time.sleep(9)",
    ],
)
def test_ctrl_c_that_a_library_turns_into_something_else(work, tmp_path):
    """Into an error of its own, or into nothing, as destructors do: it ends all the same."""
    (tmp_path / "slow.py").write_text(
        "import time\n\n\nclass Slow:\n    at = 0\n\n    def __del__(self):\n"
        "        Slow.at += 1\n        if Slow.at == 2:\n"
        "            print('ready', flush=True)\n            time.sleep(3)\n\n\n"
        f"def main():\n    print('ready' * {'try' in work}, flush=True)\n    {work}\n"
    )
    code = "import sys; from gdp.stops import guarded; sys.exit(guarded('slow')())"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=ENV | {"PYTHONPATH": f"{ROOT}:{tmp_path}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heed,
    )
    assert process.stdout is not None
    while process.stdout.readline() != b"ready\n":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and err == b"stopped\n"
