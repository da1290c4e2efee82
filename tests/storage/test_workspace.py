"""A folder that a run has to itself: who gets it, and what is left of it at the end."""

import subprocess
import sys

import pytest

from gdp.storage import files
from gdp.storage.workspace import Workspace

HOLD = """
import pathlib, sys, time
from gdp.storage.workspace import Workspace
with Workspace(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture(params=[False, True])
def windows(request, monkeypatch):
    """As the system is, and with the order in which Windows lets files go."""
    monkeypatch.setattr(files, "WINDOWS", request.param)


def test_one_run_at_a_time(tmp_path, windows):
    with Workspace(tmp_path / "o"):
        with pytest.raises(ValueError, match=r"another run is writing to .*o; wait"):
            Workspace(tmp_path / "o").__enter__()
        assert (tmp_path / "o" / ".gdp" / "lock").is_file()
    assert not list(tmp_path.iterdir())
    with Workspace(tmp_path / "o") as space, space.result() as folder:
        (folder / "a.png").write_text("a")
    assert [file.name for file in (tmp_path / "o").iterdir()] == ["a.png"]


def test_a_kill_frees_the_folder(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "o")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="another run"):
            Workspace(tmp_path / "o").__enter__()
        other.kill()
        other.wait()
    assert (tmp_path / "o" / ".gdp" / "lock").is_file()  # stale, and in nobody's way
    with Workspace(tmp_path / "o") as space:
        assert not space.resumed
    assert not (tmp_path / "o" / ".gdp").exists()
