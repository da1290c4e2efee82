"""What the tests of benchmarks share."""

import sys

import torch


def run_main(monkeypatch, module, *words):
    """Call a benchmark as its command line does."""
    monkeypatch.setattr(sys, "argv", ["x", *map(str, words)])
    with torch.no_grad():
        module.main()
