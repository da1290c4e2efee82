"""The tests of the GPU's kernels that need no GPU, in Triton's interpreter."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def test_in_the_interpreter():
    """In a process whose Triton knows of it before it begins."""
    pytest.importorskip("triton")
    files = sorted(str(file) for file in HERE.glob("test_cuda*.py"))
    options = "--noconftest -p no:cacheprovider -p no:xdist".split()
    env = {**os.environ, "TRITON_INTERPRET": "1", "OMP_NUM_THREADS": "1"}
    env.pop("GDP_KERNELS", None)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *files, *options, "-m", "not gpu"],
        env=env,
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    output = done.stdout[-4000:] + done.stderr[-2000:]
    assert files and done.returncode == 0 and "passed" in done.stdout, output
