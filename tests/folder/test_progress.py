"""What is seen while a restoration runs: one bar that moves on to its end, a line a minute where
there is no terminal, previews, and what Ctrl-C leaves.
"""

import io
import logging
import os
import re
from pathlib import Path

import pytest
import torch

from gdp import cli as program
from gdp.folder import bar as bars
from gdp.folder.bar import Bar, spoken
from gdp.folder.progress import Progress
from gdp.picture import read
from gdp.prior.gaussian import GaussianPrior
from gdp.prior.tiling import TiledPrior
from operators.identity import Identity
from operators.size.avgpool import AvgPool
from samplers.low_res_first import LowResFirst
from samplers.restorer import Run
from tests.conftest import sampler_of
from tests.test_cli import cli, files  # noqa: F401

A = Identity()


class Terminal(io.StringIO):
    """A terminal that keeps what was written."""

    def isatty(self):
        return True


def places(sampler, prior, y, tmp_path, monkeypatch, A=A, repeat=1):
    """Where the bar stood, from a photo's begin to its end."""
    seen = []

    class Watched(Bar):
        def show(self, at):
            super().show(at)
            seen.append(self.at)

    monkeypatch.setattr(bars, "OFTEN", -1)
    bar, expected = Watched(1), sampler.expected(prior.T, A, y) * repeat
    with (
        bar.running(),
        Progress(expected, prior, bar, tmp_path / "x.preview.png", None) as progress,
    ):
        bar.begin("photo")
        for _ in range(repeat):
            sampler.restore(
                prior, A, y, Run(on_step=progress.step, on_pass=progress.begin, seeds=[0])
            )
        share = progress.work.share()
        bar.end()
    assert seen == sorted(seen) and seen[0] == 0 and seen[-1] == 1 and prior.on_part is None
    assert share == pytest.approx(1) and progress.work.done == progress.work.total
    assert not list(tmp_path.iterdir())
    return seen


@pytest.mark.parametrize("name", ["auto", "daps", "gdp_x0_v1"])
def test_one_bar_for_scales_and_samples(name, tmp_path, monkeypatch):
    """Each call counts as its pixels: a pass at half the size is a quarter of one at full size."""
    sampler = LowResFirst(sampler_of(name, 8), factors=[4, 2])
    first, second, third = sampler.passes(1000, A, torch.zeros(1, 3, 32, 32))
    y = torch.zeros(1, 3, 32, 32)
    seen = places(sampler, GaussianPrior(), y, tmp_path, monkeypatch, repeat=2)
    whole = 2 * (first / 16 + second / 4 + third)
    ends = [first / 16, first / 16 + second / 4, first / 16 + second / 4 + third]
    for end in ends:
        assert any(at == pytest.approx(min(end / whole, 0.99), abs=1e-6) for at in seen)


def test_calls_that_are_fewer_than_expected_end_it_too(tmp_path, monkeypatch):
    """steps=auto: the number of calls is found when a pass begins, after it was announced."""
    y = AvgPool(2)(torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) - 0.5)
    for rate, draws in (("2.5", 1), ("1", 3)):
        words = (f"sampler.rate={rate}", f"sampler.draws={draws}")
        sampler = LowResFirst(sampler_of("anchored", "auto", *words), factors=[2])
        prior = GaussianPrior(0.0, 0.2)
        places(sampler, prior, y, tmp_path, monkeypatch, AvgPool(2))
        assert prior.calls != sum(sampler.passes(1000, AvgPool(2), y))


def test_parts_of_a_call_move_it(tmp_path, monkeypatch):
    prior = TiledPrior(GaussianPrior(), 16, 4)
    seen = places(sampler_of("ddnm", 3), prior, torch.zeros(1, 3, 20, 40), tmp_path, monkeypatch)
    assert any(0 < at < 1 / 3 for at in seen)
    sampler = LowResFirst(sampler_of("ddnm", 4), factors=[2])
    y = torch.zeros(1, 3, 40, 40)
    seen = places(sampler, TiledPrior(GaussianPrior(), 16, 4), y, tmp_path, monkeypatch)
    coarse = 1 / (1 + 2)  # four calls at a quarter of the pixels, before two at full size
    assert any(coarse < at < coarse + 1 / 3 - 0.01 for at in seen)


def test_calls_of_an_earlier_run_say_nothing_of_the_speed(tmp_path):
    from gdp.storage.snapshot import Snapshot

    def restore(snapshot):
        prior, y, sampler, bar = (
            GaussianPrior(),
            torch.zeros(1, 3, 8, 8),
            sampler_of("ddnm", 6),
            Bar(1),
        )
        with (
            bar.running(),
            Progress(sampler.expected(1000, A, y), prior, bar, tmp_path / "x.png") as progress,
        ):
            run = Run([0], None, progress.step, snapshot.slot(), progress.begin)
            sampler.restore(prior, A, y, run)
            return bar.skipped, progress.work.done

    first = Snapshot(tmp_path / "s", "key", 1e-9)
    write, writes = first.write, []

    def four_times():
        if len(writes) < 4:
            writes.append(write())

    first.write = four_times
    assert restore(first) == (0, 6)
    second = Snapshot(tmp_path / "s", "key", None)
    second.minutes = 1.0
    assert second.load()
    skipped, done = restore(second)
    assert skipped == pytest.approx(4 / 6) and done == 6


def folder_of(count):
    from PIL import Image

    Path("in").mkdir()
    for k in range(count):
        Image.new("RGB", (16, 16), (90 + k, 120, 60)).save(f"in/p{k}.png")


def test_a_terminal_sees_one_bar_for_a_folder(cli, monkeypatch):  # noqa: F811
    """It says which photo of how many, ends at 100 %, and lines do not run into it."""
    folder_of(3)
    Path("in/p1.png").write_bytes(b"no picture")
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(bars, "OFTEN", -1)
    monkeypatch.setattr(
        "sys.argv", ["run.py", "input=in", "output=o", "task=denoise", "steps=2", "batch=1"]
    )
    assert program.main() == 1
    shown = terminal.getvalue()
    percents = [int(p) for p in re.findall(r"(\d+)%\|", shown)]
    assert percents == sorted(percents) and percents[-1] == 100
    assert "1 of 3, p0.png" in shown and "3 of 3, p2.png" in shown and " left" in shown
    assert "call" not in shown and "Ax" not in shown and "done in" in shown
    lines = [line.rpartition("\r")[2] for line in shown.splitlines()]
    assert any(line.strip("\x1b[A ").startswith("error: p1.png") for line in lines)


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
@pytest.mark.parametrize("size", [(0, 0), (24, 60)])
def test_a_terminal_of_any_size(size, monkeypatch):
    """Some tell none, such as those that programs make for others; it is drawn all the same."""
    import fcntl
    import pty
    import select
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    with open(theirs, "w", encoding="utf-8", closefd=False) as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        bar = Bar(2)
        with bar.running():
            for name in ("a.png", "b.png"):
                bar.begin(name)
                bar.end()
        terminal.flush()
    written = b""
    while select.select([ours], [], [], 0.2)[0]:
        written += os.read(ours, 10**5)
    shown = written.decode()
    lines = [line for line in re.split(r"[\r\n]+", shown) if line.strip()]
    assert "100%|" in lines[-1] and "2 of 2, b.png" in lines[-1]
    assert all(len(line) <= (size[1] or 80) for line in lines) and lines[-1].rstrip()[-1] == "s"
    os.close(ours)
    os.close(theirs)


def test_a_line_a_minute_without_a_terminal(caplog, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(bars, "monotonic", lambda: now[0])
    bar = Bar(2)
    with caplog.at_level(logging.INFO, "gdp"), bar.running():
        for name in ("a.png", "b.png"):
            bar.begin(name)
            for k in range(1, 90):
                now[0] += 1
                bar.move(k / 90)
            bar.end()
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 2, a.png: 33 %, 2 min left",
        "2 of 2, b.png: 67 %, 59 s left",
        "2 of 2, b.png: 100 %, done in 3 min",
    ]
    assert [spoken(s) for s in (3.2, 99, 600, 7800)] == ["3 s", "99 s", "10 min", "2 h 10 min"]


@pytest.mark.parametrize(
    ("fine", "last"),
    [(1, "2 of 2, b.png: 100 %, done in 0 s, 1 failed"), (0, "2 of 2, b.png: failed after 0 s")],
)
def test_what_failed_is_not_done(fine, last, caplog):
    bar = Bar(2)
    with caplog.at_level(logging.INFO, "gdp"), bar.running():
        for k, name in enumerate(("a.png", "b.png")):
            bar.begin(name)
            bar.end(failed=k >= fine)
    assert caplog.records[-1].getMessage() == last


def test_a_photo_that_fails_is_not_done(cli, cat):  # noqa: F811
    code, _, err = cli("task=denoise", f"input={cat}", "sigma_y=auto", "noise=jpeg", "output=o")
    assert code == 2 and "100 %" not in err and "cat.png: failed after" in err


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
