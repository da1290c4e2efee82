"""The CPU's kernels are compiled once and checked; torch takes their place where they cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gdp.network.kernels import cpu_library, library_store, winograd
from gdp.network.kernels.cpu_library import library
from gdp.storage import places
from tests.network.kernels.pictures import needed, picture
from tests.networks import small_unet


@pytest.fixture
def anew():
    """The library is looked for again, before and after."""
    library.cache_clear()
    yield
    library.cache_clear()


@torch.no_grad()
def test_without_a_compiler(anew, monkeypatch, tmp_path):
    net, x, t = small_unet(), picture(1, 3, 16, 16), torch.tensor([500.0])
    expected = net(x, t)
    broken, empty = tmp_path / "cc", tmp_path / "empty"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    for key, value in (
        ("CC", str(broken)),
        ("PATH", str(empty)),
        ("GDP_CACHE", "/proc/none"),
        ("GDP_KERNELS", "0"),
    ):
        with monkeypatch.context() as m:
            m.setenv(key, value)
            library.cache_clear()
            assert library() is None
            assert (net(x, t) - expected).abs().max() < 1e-4 * expected.abs().max()


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_on_another_system(system, anew, monkeypatch):
    """Torch's own operations, and nothing of Linux is asked for."""
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(cpu_library, "compile_library", None)  # calling it raises
    assert library() is None


def test_imports_without_what_only_posix_has():
    """Every module that needs no Triton, on a Python that lacks POSIX's modules."""
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(('fcntl', 'resource', 'pwd', 'grp', 'termios')))\n"
        "from gdp.network import convert, graphs, net2net, unet\n"
        "from gdp.network.kernels import cpu, cuda\n"
    )
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True, timeout=120)


@needed
def test_wrong_results_are_not_taken(anew, monkeypatch):
    monkeypatch.setattr(winograd, "G", winograd.G + 0.1)
    assert library() is None


@needed
def test_the_first_use_may_lie_within_autocast(anew):
    with torch.autocast("cpu", torch.bfloat16):
        assert library() is not None


@needed
def test_built_once(anew, monkeypatch, tmp_path):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path))
    assert library() is not None
    (file,) = tmp_path.glob("*.so")
    assert sorted(f.suffix for f in tmp_path.iterdir()) == [".sha256", ".so"]
    when = file.stat().st_mtime_ns
    library.cache_clear()
    assert library() is not None and file.stat().st_mtime_ns == when


@needed
def test_a_damaged_library_is_built_anew(anew, monkeypatch, tmp_path):
    """Also a second half of zeros, which would crash the process where it is called."""
    monkeypatch.setenv("GDP_CACHE", str(tmp_path))
    assert library() is not None
    (file,) = tmp_path.glob("*.so")
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[: len(whole) // 2] + bytes(len(whole) // 2)):
        file.unlink()  # the file that is loaded stays as it is
        file.write_bytes(damaged)
        file.chmod(0o644)
        assert cpu_library.compile_library() == file and len(file.read_bytes()) == len(whole)


@needed
def test_nothing_is_loaded_from_where_others_write(anew, monkeypatch, tmp_path):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path))
    file = cpu_library.compile_library()
    file.chmod(0o666)
    assert library_store.stored(tmp_path, file.stem) is None
    tmp_path.chmod(0o1777)
    with pytest.raises(OSError, match="others"):
        cpu_library.compile_library()
    assert library() is None


def test_a_compiler_that_hangs_is_remembered(anew, monkeypatch, tmp_path):
    slow, cache = tmp_path / "cc", tmp_path / "cache"
    slow.write_text(f"#!/bin/sh\necho >> {tmp_path}/asked\nsleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("GDP_CACHE", str(cache))
    monkeypatch.setenv("CC", str(slow))
    monkeypatch.setattr(cpu_library, "SECONDS", 0.5)
    for _ in range(2):
        library.cache_clear()
        assert library() is None
    assert (tmp_path / "asked").read_text() == "\n"
    assert [f.suffix for f in cache.iterdir()] == [".failed"]


def test_without_a_home(anew, monkeypatch, tmp_path):
    """As for a user that the system does not know: the system's place for temporary files."""
    monkeypatch.delenv("GDP_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    assert places.cache_folder() == tmp_path / f"gdp-{os.getuid()}"
