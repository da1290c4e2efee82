"""The C library of the CPU's kernels: compiled on this machine once, loaded, compared with torch.

cpu.c is compiled in about two seconds by the machine's C compiler, and the result lies in the cache
folder. On another system than Linux, without a compiler, or where the library does not compute what
torch does, `library` is None and the network runs on torch's own operations. GDP_KERNELS=0 asks for
that too.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gdp.network.kernels.library_store import check_hope, give_up, own_folder, store, stored
from gdp.network.kernels.winograd import panels

log = logging.getLogger(__name__)
SOURCE = Path(__file__).with_name("cpu.c")
SECONDS = 30  # that the compiler may take
FLAGS = "-O3 -std=gnu11 -ffp-contract=fast -fno-math-errno -fPIC -w -c".split()


@functools.cache
def library() -> Any:
    """The compiled kernels, or None where they cannot be had."""
    if os.environ.get("GDP_KERNELS") == "0" or not sys.platform.startswith("linux"):
        return None

    try:
        lib = ctypes.CDLL(str(compile_library()))
        declare(lib)
    except (OSError, RuntimeError, subprocess.SubprocessError, AttributeError) as error:
        log.debug("no kernels of our own, torch's instead: %s", error)
        return None

    if not matches_torch(lib):
        log.debug("the kernels' results are not torch's; torch's are taken")
        return None
    return lib


def compile_library() -> Path:
    """The file of the compiled kernels, of this source, compiler and processor.

    Raises:
        OSError: there is no compiler, or no place for the file.
        subprocess.SubprocessError: the compiler fails, or takes too long.
    """
    wanted = shutil.which(os.environ.get("CC", ""))
    compiler = wanted or shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise OSError("there is no C compiler")
    native = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"

    # All that the machine code depends on names the file.
    source, changed = SOURCE.read_bytes(), os.stat(compiler).st_mtime_ns
    parts = (source, compiler, changed, FLAGS, native, processor(), torch.__version__)
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
    folder, name = own_folder(), f"kernels-{digest}"
    kept = stored(folder, name)
    if kept is not None:
        return kept
    check_hope(folder, name)

    # Linked without OpenMP's library: its functions are found in torch's own, so that there is one
    # pool of threads and not two.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".kernels-") as work:
        machine_code, shared = Path(work) / "kernels.o", Path(work) / "kernels.so"
        for command in (
            [*FLAGS, native, "-fopenmp", str(SOURCE), "-o", str(machine_code)],
            ["-shared", str(machine_code), "-o", str(shared)],
        ):
            try:
                run_compiler([compiler, *command])
            except subprocess.SubprocessError:
                give_up(folder, name)
                raise
        return store(shared, folder, name)


def run_compiler(command: Sequence[str]) -> None:
    """Run the compiler, and what it starts, for SECONDS at most.

    Raises:
        subprocess.SubprocessError: it fails, or takes longer.
    """
    quiet = subprocess.DEVNULL
    with subprocess.Popen(
        command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    ) as process:
        try:
            code = process.wait(SECONDS)
        except BaseException:
            with suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    if code:
        raise subprocess.CalledProcessError(code, command)


def processor() -> str:
    """What the processor can do, as far as Linux says."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")


def declare(lib: Any) -> None:
    """Tell ctypes the types of the library's functions."""
    p, n, i = ctypes.c_void_p, ctypes.c_long, ctypes.c_int

    lib.conv3x3_scratch.restype = n
    lib.conv3x3_scratch.argtypes = [n] * 5
    lib.conv3x3.argtypes = [p] * 9 + [n] * 6 + [i] * 2
    lib.conv1x1.argtypes = [p] * 5 + [n] * 4 + [i]
    lib.norms.argtypes = [p] * 7 + [n] * 5 + [ctypes.c_double, i]
    lib.activate.argtypes = [p] * 4 + [n] * 3 + [i]
    lib.spread.argtypes = [p] * 8 + [n] * 7 + [i] * 2
    lib.pull.argtypes = [p] * 7 + [n] * 5 + [ctypes.c_double, i]

    for function in (lib.conv3x3, lib.conv1x1, lib.activate, lib.spread):
        function.restype = None


def matches_torch(lib: Any) -> bool:
    """Whether a convolution of odd size is torch's, to the accuracy of float32."""
    with torch.no_grad(), torch.autocast("cpu", enabled=False):  # the first use may lie within
        return convolves(lib)


def convolves(lib: Any) -> bool:
    """See `matches_torch`."""
    columns, H, W = 2 * lib.lanes(), 9, 7
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        conv = nn.Conv2d(columns, columns, 3, padding=1)
        x = torch.randn(1, columns, H, W).contiguous(memory_format=torch.channels_last)

    y, U = torch.empty_like(x), panels(conv.weight, columns)
    scratch = torch.empty(lib.conv3x3_scratch(H, W, columns, 0, columns), dtype=torch.uint8)
    arrays = map(pointer, (x, None, None, None, U, conv.bias, None, y, scratch))
    lib.conv3x3(*arrays, 1, H, W, columns, 0, columns, 0, 1)
    return torch.allclose(y, F.conv2d(x, conv.weight, conv.bias, padding=1), atol=1e-3)


def pointer(x: Tensor | None) -> int | None:
    """Where the numbers of a tensor lie; null for None."""
    return None if x is None else x.data_ptr()
