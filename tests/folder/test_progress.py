"""What is seen while a restoration runs: a bar that counts what is counted, previews, and what
Ctrl-C leaves.
"""

import io
from pathlib import Path

import pytest
import torch

from gdp import cli as program
from gdp.folder.progress import Progress
from gdp.picture import read
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.tiling import TiledPrior
from operators.identity import Identity
from samplers.low_res_first import LowResFirst
from tests.conftest import sampler_of
from tests.test_cli import cli, files  # noqa: F401

A = Identity()


def bars(sampler, prior, y, tmp_path, monkeypatch, repeat=1):
    """Every (title, n, total) that the bar showed."""
    seen = []

    class Watched(Progress):
        def show(self, calls):
            super().show(calls)
            seen.append((self.bar.desc.strip(": "), self.bar.n, self.bar.total))

    monkeypatch.setattr("gdp.folder.progress.OFTEN", 0)
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with Watched(
        sampler.passes(prior.T, A, y), "photo", prior, A, y, tmp_path / "x.preview.png", None
    ) as progress:
        for _ in range(repeat):
            sampler(prior, A, y, on_step=progress.step)
    return seen


@pytest.mark.parametrize("name", ["auto", "daps", "gdp_x0_v1"])
def test_bars_count_calls(name, tmp_path, monkeypatch):
    y = torch.zeros(1, 3, 32, 32)
    sampler = LowResFirst(sampler_of(name, 8), factors=[4, 2])
    first, second, third = sampler.passes(1000, A, y)
    seen = bars(sampler, GaussianPrior(), y, tmp_path, monkeypatch, repeat=2)
    ends = [s for s in seen if s[1] == s[2]]
    assert ends == 2 * [
        ("photo 1/3", first, first),
        ("photo 2/3", second, second),
        ("photo 3/3", third, third),
    ]
    assert all(n <= total for _, n, total in seen) and not list(tmp_path.iterdir())


def test_parts_of_a_call_are_told(tmp_path, monkeypatch):
    prior = TiledPrior(GaussianPrior(), 16, 4)
    seen = bars(sampler_of("ddnm", 3), prior, torch.zeros(1, 3, 20, 40), tmp_path, monkeypatch)
    counts = [n for _, n, _ in seen]
    assert (
        counts == sorted(counts)
        and counts[-1] == 3
        and any(0 < n < 1 for n in counts)
        and prior.on_part is None
    )


def test_tiles_of_a_later_pass_begin_its_bar(tmp_path, monkeypatch):
    """At once, not after its first step; and a pass that ends early is followed by the next."""
    sampler = LowResFirst(sampler_of("ddnm", 4), factors=[2])
    seen = bars(
        sampler,
        TiledPrior(GaussianPrior(), 16, 4),
        torch.zeros(1, 3, 40, 40),
        tmp_path,
        monkeypatch,
    )
    second = [n for title, n, _ in seen if title == "photo 2/2"]
    assert 0 < second[0] < 1 and second == sorted(second) and second[-1] == 2
    monkeypatch.setattr(LowResFirst, "passes", lambda *_: [9, 2])
    titles = [
        title
        for title, *_ in bars(
            sampler, GaussianPrior(), torch.zeros(1, 3, 40, 40), tmp_path, monkeypatch
        )
    ]
    assert titles == 4 * ["photo 1/2"] + 2 * ["photo 2/2"]


def test_calls_of_an_earlier_run_say_nothing_of_the_speed(tmp_path):
    from gdp.storage.snapshot import Snapshot

    def restore(snapshot):
        prior, y, sampler = GaussianPrior(), torch.zeros(1, 3, 8, 8), sampler_of("ddnm", 6)
        with Progress([6], "photo", prior, A, y, tmp_path / "x.preview.png") as progress:
            sampler(prior, A, y, on_step=progress.step, keep=snapshot.slot())
            return progress.bar.initial, progress.calls - progress.before

    first = Snapshot(tmp_path / "s", "key", 1e-9)
    write, writes = first.write, []

    def four_times():
        if len(writes) < 4:
            writes.append(write())

    first.write = four_times
    assert restore(first) == (0, 6)
    second = Snapshot(tmp_path / "s", "key", None)
    second.minutes = 1.0
    assert second.load() and restore(second) == (4, 6)


def test_previews_come_and_go(cli, cat, monkeypatch):  # noqa: F811
    shown = []

    def save(self, x0):
        Progress.save(self, x0)
        shown.append(tuple(read(self.previews[0]).pixels.shape[-2:]))

    monkeypatch.setattr("gdp.folder.group.Progress", type("Kept", (Progress,), {"save": save}))
    words = ("report=false", f"input={cat}", "task=denoise", "steps=3")
    assert cli(*words, "output=o", "preview=1e-9")[0] == 0
    assert shown == [(20, 24)] * 3 and files("o") == ["cat.compare.png", "cat.json", "cat.png"]
    code, _, err = cli(*words, "output=p", "preview=0")
    assert code == 2 and "preview=0" in err and not Path("p").exists()


def test_ctrl_c_leaves_a_preview(cli, cat, monkeypatch):  # noqa: F811
    steps = []

    def step(self, t, x, x0):
        Progress.step(self, t, x, x0)
        steps.append(t)
        if len(steps) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr("gdp.folder.group.Progress", type("Stopped", (Progress,), {"step": step}))
    code, out, err = cli(f"input={cat}", "task=denoise", "steps=3", "output=o")
    assert code == program.INTERRUPTED == 130 and not out and "o/cat.preview.png" in err
    assert files("o") == ["cat.preview.png"] and read("o/cat.preview.png").pixels.shape == (
        1,
        3,
        20,
        24,
    )
    assert (
        cli(f"input={cat}", "task=denoise", "steps=3", "output=o")[0] == 0
        and Path("o/cat.png").exists()
    )
