"""Another library's samplers, in the same table."""

import pytest

from benchmarks import quality
from tests.benchmarks.conftest import run_main


def test_baselines_of_deepinv(monkeypatch, cat, capsys):
    pytest.importorskip("deepinv")
    words = ["--images", cat.parent, "--tasks", "denoise,sr4", "--size", 16, "--limit", 1]
    words += ["--nfe", "5", "--samplers", "deepinv_ddrm,deepinv_diffpir,deepinv_dps"]
    run_main(monkeypatch, quality, *words)

    out, err = capsys.readouterr()
    counts = [out.count(f"| deepinv_{name} ") for name in ("ddrm", "diffpir", "dps")]
    assert counts == [1, 2, 2] and "SVD" in err
