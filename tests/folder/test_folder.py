"""A folder of photos: shared network calls, bad files, what is finished, kills at any moment,
full disks, two runs at once.
"""

import errno
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data

from gdp import cli as program
from gdp.compose.configuration import build, compose
from gdp.folder import film as film_module
from gdp.folder.folder import Folder
from gdp.folder.items import DONE, FINISHED, Item
from gdp.folder.progress import Progress
from gdp.picture import panels, read
from gdp.picture.size import size_of
from gdp.prior.prior import Prior
from gdp.storage.manifest import Manifest, plan_batches, read_manifest
from gdp.storage.snapshot import Snapshot
from gdp.storage.workspace import Workspace
from tests.conftest import TASKS
from tests.test_cli import EXTRA, cli, files, given  # noqa: F401

WORDS = "report=false task=denoise sigma_y=0.1 noise=white steps=3 batch=3 checkpoint=1e-9".split()


def photos(folder, count=6, sizes=((24, 20), (20, 24), (24, 20))):
    """Different photos of few sizes, by cycle."""
    Path(folder).mkdir()
    for i in range(count):
        w, h = sizes[i % len(sizes)]
        left = 16 * i
        Image.fromarray(data.astronaut()[60 : 60 + h, left : left + w]).save(
            Path(folder, f"p{i:02}.png")
        )
    return Path(folder)


def pictures(folder):
    """Every file of a folder but the reports, and what these hold but times and memory."""
    found = {
        name: Path(folder, name).read_bytes()
        for name in files(folder)
        if not name.endswith(".json")
    }
    for name in files(folder):
        if name.endswith(".json"):
            report = json.loads(Path(folder, name).read_text())
            for key in ("seconds", "seconds_per_nfe", "peak_memory_mb", "output", "config"):
                del report[key]
            found[name] = report
    return found


def forked(words, said):
    """The command line in a process of its own that has everything imported: its id."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(out, 1)
            os.dup2(out, 2)
            sys.stdout = sys.stderr = open(said, "a")  # noqa: SIM115
            sys.argv = ["run.py", *map(str, words)]
            code = program.main()
            sys.stdout.flush()
        finally:
            os._exit(code)
    return child


def ended(child):
    """The exit code of a process, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def killed_at(words, said, delay):
    """Whether the run was still on when it was killed after so many seconds."""
    child = forked(words, said)
    time.sleep(delay)
    os.kill(child, signal.SIGKILL)
    code = ended(child)
    assert code in (0, -signal.SIGKILL), said.read_text()
    return code != 0


def kill_often(tmp_path, count, kills, seed):
    """Runs over `count` photos, killed `kills` times in all, until each has come to its end:
    (runs begun, runs that went on).
    """
    photos(tmp_path / "in", count)
    words = (*WORDS, f"input={tmp_path / 'in'}")
    said = tmp_path / "said"
    began = time.monotonic()
    assert ended(forked((*words, f"output={tmp_path / 'calm'}"), said)) == 0, said.read_text()
    length = time.monotonic() - began
    calm, chance = pictures(tmp_path / "calm"), random.Random(seed)
    assert len(calm) == 3 * count
    done = folders = went_on = 0
    while done < kills:
        output = tmp_path / f"o{folders}"
        folders += 1
        while done < kills and killed_at(
            (*words, f"output={output}"), said, chance.uniform(0, length)
        ):
            done += 1
            went_on += (output / ".gdp").exists()
        assert ended(forked((*words, f"output={output}"), said)) == 0, said.read_text()
        assert pictures(output) == calm
    return (
        folders,
        went_on,
        length,
        said.read_text().count("goes on where it was"),
        said.read_text().count("finished before, in"),
    )


def test_three_kills(tmp_path):
    assert kill_often(tmp_path, 4, 3, seed=1)[0] >= 1


@pytest.mark.slow
def test_fifty_kills(tmp_path):
    folders, notes, length, gone_on, finished = kill_often(tmp_path, 20, 50, seed=0)
    print(
        f"\n50 kills in {folders} folders, runs of {length:.1f} s; {notes} left notes; "
        f"{gone_on} went on in a photo, {finished} skips"
    )
    assert notes > 10 and gone_on > 5 and finished > 50


def test_what_may_share_calls(mask_file):
    """Not what is found, estimated or read for each photo: such operators and schedules are the
    first photo's.
    """
    may = {task for task in TASKS if build(compose(f"task={task}", f"mask={mask_file}")).shareable}
    assert may == {*SHARING}
    assert not build(compose("task=denoise", "sigma_y=auto")).shareable
    assert not build(compose("poisson=9")).shareable


SHARING = {
    "colorize",
    "compressed_sensing",
    "deblur",
    "demosaic",
    "denoise",
    "inpaint",
    "inpaint_box",
    "inpaint_random",
    "outpaint",
    "sr4",
    "sr4_bicubic",
}


@pytest.mark.parametrize(
    "task", [*sorted(SHARING - {"sr4_bicubic", "inpaint_box", "inpaint_random"}), "jpeg"]
)
def test_photos_that_share_calls_are_what_they_are_alone(cli, cat, mask_file, task):  # noqa: F811
    file = given(task, cat)
    os.mkdir("in")
    for i, turn in enumerate((Image.Transpose.ROTATE_180, Image.Transpose.FLIP_LEFT_RIGHT)):
        with Image.open(file) as picture:
            picture.convert("RGB").transpose(turn).save(Path("in", f"{i}{file.suffix}"), quality=30)
    words = (f"task={task}", "input=in", f"mask={mask_file}", "steps=2", *EXTRA.get(task, []))
    assert cli(*words, "output=one", "batch=1")[0] == 0 and cli(*words, "output=all")[0] == 0
    for i in range(2):
        a, b = (read(f"{folder}/{i}.png").pixels for folder in ("one", "all"))
        assert (a - b).abs().max() <= 1.01 / 255
        assert json.loads(Path(f"all/{i}.json").read_text())["batch"] == (
            1 if task == "jpeg" else 2
        )


def test_calls_are_shared(cli):  # noqa: F811
    photos("in")
    assert (
        cli("input=in", "task=denoise", "sigma_y=0.1", "noise=white", "steps=2", "output=o")[0] == 0
    )
    reports = [json.loads(Path(f"o/p{i:02}.json").read_text()) for i in range(6)]
    assert [r["batch"] for r in reports] == [4, 2, 4, 4, 2, 4] and all(
        r["nfe"] == 2 for r in reports
    )
    words = (
        "input=in",
        "task=denoise",
        "sigma_y=0.1",
        "noise=white",
        "steps=2",
        "samples=2",
        "batch=4",
        "output=two",
    )
    assert cli(*words)[0] == 0
    assert [json.loads(Path(f"two/p{i:02}.json").read_text())["batch"] for i in range(6)] == [2] * 6
    assert (
        cli(
            "input=in/p00.png",
            "task=denoise",
            "sigma_y=0.1",
            "noise=white",
            "steps=2",
            "samples=2",
            "output=alone",
        )[0]
        == 0
    )
    for name in ("p00", "p00.sample2", "p00.mean"):
        a, b = (read(f"{folder}/{name}.png").pixels for folder in ("two", "alone"))
        assert (a - b).abs().max() <= 1.01 / 255
    for wrong in ("batch=0", "batch=many", "checkpoint=0", "checkpoint=soon"):
        code, _, err = cli("input=in", wrong, "output=p")
        assert code == 2 and wrong in err and not Path("p").exists()


def test_plans():
    sizes = {"a": (2, 3), "b": (3, 2), "c": (2, 3), "d": None, "e": (2, 3), "f": (3, 2), "g": None}
    assert plan_batches(sizes, lambda size: 2) == [["a", "c"], ["b", "f"], ["d"], ["e"], ["g"]]
    assert plan_batches(sizes, lambda size: 1) == [[name] for name in sizes]


def test_size_by_the_header(tmp_path):
    picture = Image.new("RGB", (30, 20))
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(tmp_path / "turned.jpg", exif=exif)
    picture.save(tmp_path / "plain.png")
    (tmp_path / "bad.png").write_bytes(b"broken")
    assert (
        size_of(tmp_path / "turned.jpg")
        == (30, 20)
        == tuple(read(tmp_path / "turned.jpg").pixels.shape[-2:])
    )
    assert size_of(tmp_path / "plain.png") == (20, 30) and size_of(tmp_path / "bad.png") is None


def test_a_photo_that_fails_leaves_its_batch_alone(cli, monkeypatch):  # noqa: F811
    photos("in")
    Path("in", "p02.png").write_bytes(b"broken")
    forward, observe, third = Prior.forward, film_module.observe_last, read("in/p03.png").pixels

    def picky(self, x, t):
        if x.abs().amax() > 1e3:
            raise ValueError("too bright")
        return forward(self, x, t)

    def observed(photo, *rest):
        measurement = observe(photo, *rest)
        y = measurement.y + 1e5 * torch.equal(photo.pixels, third)
        return measurement._replace(y=y)

    monkeypatch.setattr(Prior, "forward", picky)
    monkeypatch.setattr(film_module, "observe_last", observed)
    code, out, err = cli(
        "input=in", "task=denoise", "sigma_y=0.1", "steps=3", "output=o", "report=false"
    )
    assert (
        code == 1
        and "p02.png: in/p02.png is not a picture" in err
        and "p03.png: too bright" in err
        and "4 of 6" in err
    )
    assert len(out.split()) == 12 and not Path("o/.gdp").exists()
    table = [line for line in err.splitlines() if re.match(r"p\d\d +(done|failed)", line)]
    assert (
        len(table) == 6
        and all("o/p" in line for line in table if " done " in line)
        and "too bright" in table[3]
    )


def test_finished_photos_are_passed_over(cli):  # noqa: F811
    photos("in", 3)
    words = ("report=false", "input=in", "task=denoise", "sigma_y=0.1", "steps=2", "output=o")
    assert cli(*words)[0] == 0
    before = {name: Path("o", name).stat().st_mtime_ns for name in files("o")}
    code, out, err = cli(*words, "verbose=true", "batch=1", "preview=100", "checkpoint=null")
    assert code == 0 and not out and err.count("finished before") >= 3 and "3 of 3" in err
    os.utime("in/p00.png")  # another time, the same picture
    photos("more", 4)
    shutil.copy("more/p03.png", "in")
    code, out, err = cli(*words)
    assert code == 0 and out.split() == ["o/p03.png", "o/p03.compare.png", "o/p03.json"]
    assert {name: Path("o", name).stat().st_mtime_ns for name in before} == before
    code, out, err = cli(*words, "seed=1")
    assert code == 2 and "exists" in err and "overwrite=true" in err and not out
    shutil.copy("more/p03.png", "in/p00.png")
    code, _, err = cli(*words)
    assert code == 2 and "o/p00.png exists" in err
    assert {name: Path("o", name).stat().st_mtime_ns for name in before} == before
    assert cli(*words, "overwrite=true")[0] == 0
    assert all(Path("o", name).stat().st_mtime_ns > before[name] for name in before)
    assert Path("o/p00.png").read_bytes() == Path("o/p03.png").read_bytes()


def test_killed_at_its_very_end(cli):  # noqa: F811
    """Notes of a run whose photos are all finished go; a photo that is new does not take finished
    ones along.
    """
    photos("in", 3, sizes=((24, 20),))
    assert cli(*WORDS, "input=in", "output=o")[0] == 0
    Path("o/.gdp").mkdir()
    Manifest("s", ["auto", "cpu"], {"p00": []}, [["p00"]]).write(Path("o/.gdp/manifest.json"))
    assert cli(*WORDS, "input=in", "output=o")[0] == 0 and not Path("o/.gdp").exists()
    shutil.copy("in/p00.png", "in/p03.png")
    assert cli(*WORDS, "input=in", "output=o")[0] == 0
    assert [json.loads(Path(f"o/p{i:02}.json").read_text())["batch"] for i in range(4)] == [
        3,
        3,
        3,
        1,
    ]


def test_two_photos_of_one_name(cli):  # noqa: F811
    photos("in", 2)
    photos("more", 2)
    assert cli("input=[in/p00.png,more/p00.png]", "task=denoise", "output=o", "steps=2")[0] == 0
    reports = [json.loads(file.read_text()) for file in sorted(Path("o").glob("*.json"))]
    assert (
        sorted(r["input"] for r in reports) == ["in/p00.png", "more/p00.png"]
        and len({r["output"] for r in reports}) == 2
    )


def test_masks_count_by_what_they_hold(cli, cat):  # noqa: F811
    for left in (2, 9):
        mask = np.zeros((20, 24), np.uint8)
        mask[4:9, left : left + 6] = 255
        Image.fromarray(mask).save("m.png")
        code, _, err = cli("task=inpaint", f"input={cat}", "mask=m.png", "steps=2", "output=o")
        assert code == (0 if left == 2 else 2), err
    Path("o/cat.compare.png").unlink()
    code, _, err = cli("task=inpaint", f"input={cat}", "mask=m.png", "steps=2", "output=o")
    assert code == 2 and "exists" in err


def test_ctrl_c_in_a_folder_goes_on(cli, monkeypatch):  # noqa: F811
    photos("in", 4)
    words = (*WORDS[:-1], "input=in", "batch=2")
    assert cli(*words, "output=calm")[0] == 0

    class Stopped(Progress):
        count = 0

        def step(self, t, x, x0):
            super().step(t, x, x0)
            Stopped.count += 1
            if Stopped.count == 5:
                raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("gdp.folder.group.Progress", Stopped)
        assert cli(*words, "output=o")[0] == 130
    assert read_manifest(Path("o/.gdp/manifest.json")).batches == [["p00", "p02"], ["p01"], ["p03"]]
    assert {f for f in files("o") if f.endswith(".png")} == {
        f"p0{n}.png" for n in ("0", "0.compare", "2", "2.compare", "1.preview")
    }
    assert cli(*words, "output=o")[0] == 0 and pictures("o") == pictures("calm")


def test_a_restoration_of_other_settings_is_not_thrown_away(cli, cat, tmp_path, monkeypatch):  # noqa: F811
    words = (
        "report=false",
        "task=denoise",
        "sigma_y=0.1",
        f"input={cat}",
        "output=o",
        "checkpoint=1e-9",
    )
    write = Snapshot.write

    def once(self):
        write(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Snapshot, "write", once)
        assert cli(*words, "steps=3")[0] == 130
    left = files("o")
    assert left == [".gdp/checkpoint.safetensors", ".gdp/manifest.json", "cat.preview.png"]
    code, _, err = cli(*words, "steps=4")
    assert code == 2 and "interrupted" in err and len(err.splitlines()) == 1 and files("o") == left
    code, _, err = cli(*words, "steps=3")
    assert (
        code == 0
        and "goes on where it was" in err
        and files("o") == ["cat.compare.png", "cat.json", "cat.png"]
    )
    assert json.loads(Path("o/cat.json").read_text())["nfe"] == 3
    assert cli(*words, "steps=3", "overwrite=true")[0] == 0


def test_two_runs_on_one_folder(cli, cat, tmp_path):  # noqa: F811
    ready = tmp_path / "ready"
    child = os.fork()
    if child == 0:
        with Workspace(tmp_path / "o"):
            ready.touch()
            time.sleep(60)
        os._exit(0)
    while not ready.exists():
        time.sleep(0.01)
    words = ("report=false", f"input={cat}", "task=denoise", "steps=1", "output=o")
    code, out, err = cli(*words)
    assert (
        code == 2
        and "another run" in err
        and len(err.splitlines()) == 1
        and not out
        and files("o") == [".gdp/lock"]
    )
    os.kill(child, signal.SIGKILL)
    ended(child)
    assert cli(*words)[0] == 0 and files("o") == ["cat.compare.png", "cat.json", "cat.png"]


def test_many_runs_at_one_folder(tmp_path):
    """Only one has it at any time, though each removes the notes and their folder as it leaves."""

    def visits():
        begun = 0
        for _ in range(60):
            try:
                with Workspace(tmp_path / "o") as space:
                    os.close(os.open(tmp_path / "mine", os.O_CREAT | os.O_EXCL))
                    begun += space.notes.is_dir()
                    (tmp_path / "mine").unlink()
            except ValueError as error:
                assert "another run" in str(error)
                time.sleep(0.01)  # its turn comes: no run is refused for ever
        return begun

    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            code = 99
            try:
                code = 0 if visits() else 1
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    assert [ended(child) for child in children] == [0] * 4 and not files(tmp_path)


def test_links_and_strange_notes(tmp_path):
    (tmp_path / "else").mkdir()
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / ".gdp").symlink_to(tmp_path / "else")
    with pytest.raises(ValueError, match="link"), Workspace(tmp_path / "o"):
        pass
    assert not list((tmp_path / "else").iterdir())
    good = Manifest("s", ["auto", "cpu"], {"a": []}, [["a"]])
    good.write(tmp_path / "m")
    assert read_manifest(tmp_path / "m") == good
    Manifest("s", ["auto", "cpu"], {"../a": []}, [["../a"]]).write(tmp_path / "m")
    assert read_manifest(tmp_path / "m") is None is read_manifest(tmp_path / "none")
    (tmp_path / "m").write_text("[1]")
    assert read_manifest(tmp_path / "m") is None


def test_what_a_kill_left_half_way(tmp_path):
    """Results come together or not at all; those that were whole come in; files of others stay."""
    folder = tmp_path / "o"
    with Workspace(folder) as space:
        with pytest.raises(RuntimeError), space.result() as made:
            (made / "a.png").write_text("half")
            raise RuntimeError
        with space.result() as made:
            (made / "a.png").write_text("a")
            (made / "a.json").write_text("report")
            (made / "sub").mkdir()
            (made / "sub" / "b.png").write_text("b")
        with pytest.raises(ValueError, match="has come to exist"), space.result() as made:
            (made / "a.png").write_text("other")
        space.keep = True
    assert (folder / "a.png").read_text() == "a" and files(folder) == [
        "a.json",
        "a.png",
        "sub/b.png",
    ]
    shutil.rmtree(folder / "sub")
    for name in ("whole", "writing"):
        (folder / ".gdp" / name).mkdir(parents=True)
        (folder / ".gdp" / name / f"{name}.png").write_text(name)
    (folder / ".gdp" / ".manifest.json.abc.part").touch()
    (folder / ".mine.part").touch()
    with Workspace(folder):
        assert files(folder) == [".gdp/lock", ".mine.part", "a.json", "a.png", "whole.png"]
    assert (
        files(folder) == [".mine.part", "a.json", "a.png", "whole.png"]
        and not (folder / ".gdp").exists()
    )
    (folder / ".gdp" / "whole").mkdir(parents=True)
    (folder / ".gdp" / "whole" / "a.png").write_text("new")
    with pytest.raises(ValueError, match="overwrite=true"), Workspace(folder):
        pass
    assert (folder / "a.png").read_text() == "a" and (folder / ".gdp" / "whole" / "a.png").exists()
    with Workspace(folder, overwrite=True):
        pass
    assert (folder / "a.png").read_text() == "new" and not (folder / ".gdp").exists()


def test_folders_made_for_nothing_go(tmp_path):
    with Workspace(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b" / ".gdp" / "lock").exists()
    assert not list(tmp_path.iterdir())


def test_names_with_sub_folders(tmp_path, cat, photo64):
    setup, reader = build(compose("task=denoise", "sigma_y=0.1", "steps=2")), partial(read, cat)
    items = [Item(name, (cat,), reader) for name in ("a", "x/a", "x/y/b")]
    shown = []
    for state in (DONE, FINISHED):
        with Workspace(tmp_path / "o") as space:
            folder = Folder(items, setup, space, lambda error, name: str(error), shown.extend)
            if folder.settle():
                folder.restore(photo64)
        assert [entry.state for entry in folder.outcomes()] == [state] * 3, folder.outcome()
    made = [
        f"{name}{suffix}"
        for name in ("a", "x/a", "x/y/b")
        for suffix in (".compare.png", ".json", ".png")
    ]
    assert (
        files(tmp_path / "o")
        == sorted(made)
        == sorted(str(file.relative_to(tmp_path / "o")) for file in shown)
    )


def test_left_overs_of_a_killed_run_go(cli):  # noqa: F811
    photos("in", 2)
    words = (*WORDS, "input=in", "output=o")
    child = forked(words, Path("said"))
    while not Path("o/.gdp/manifest.json").exists():
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    assert ended(child) == -signal.SIGKILL
    for name in (".p00.preview.png.abcd.part", ".theirs.part"):
        Path("o", name).touch()
    assert cli(*words)[0] == 0
    assert [name for name in files("o") if name.startswith(".")] == [".theirs.part"]


def test_old_results_stay_until_the_new_are_whole(cli, cat, monkeypatch):  # noqa: F811
    words = ("report=false", f"input={cat}", "task=denoise", "steps=2", "output=o")
    assert cli(*words)[0] == 0
    old = {name: Path("o", name).read_bytes() for name in files("o")}

    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("gdp.folder.saving.write_json", fails)
        code, _, err = cli(*words, "seed=1", "overwrite=true")
    assert (
        code == 2
        and "Input/output" in err
        and {name: Path("o", name).read_bytes() for name in files("o")} == old
    )


def test_a_full_disk_ends_the_run(cli, monkeypatch):  # noqa: F811
    photos("in", 4)
    save, saved = panels.save, []

    def full(picture, path):
        saved.append(path)
        if len(saved) > 1:  # the second photo's sheet
            raise OSError(errno.ENOSPC, "No space left on device")
        save(picture, path)

    monkeypatch.setattr("gdp.picture.panels.save", full)
    code, _, err = cli(*WORDS, "input=in", "output=o", "batch=1")
    assert (
        code == 1
        and err.count("No space left on device at o") == 1
        and "1 of 4" in err
        and err.count("not begun") == 3
    )
    assert [f for f in files("o") if not f.startswith(".gdp")] == [
        "p00.compare.png",
        "p00.json",
        "p00.png",
    ]
    monkeypatch.setattr("gdp.picture.panels.save", save)
    code, _, err = cli(*WORDS, "input=in", "output=o", "batch=1")
    assert (
        code == 0
        and "finished before" in err
        and "goes on where it was" in err
        and len(files("o")) == 12
    )


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 160 KB in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", disk], capture_output=True
        ).returncode
    ):
        pytest.skip("file systems cannot be mounted here")
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_small_disk(cli, small_disk):  # noqa: F811
    photos("in", 8, sizes=((64, 64),))
    words = (
        "report=false",
        "task=denoise",
        "sigma_y=0.1",
        "steps=2",
        "checkpoint=1e-9",
        "batch=1",
        "input=in",
        f"output={small_disk}/o",
    )
    code, _, err = cli(*words)
    assert code == 1 and "No space left on device" in err and "not begun" in err
    made = [f for f in files(small_disk / "o") if not f.startswith(".gdp")]
    assert made and len(made) % 3 == 0
    for name in made:
        if name.endswith(".png"):
            read(small_disk / "o" / name)  # whole
    subprocess.run(["mount", "-o", "remount,size=4m", small_disk], check=True)
    assert cli(*words)[0] == 0 and len(files(small_disk / "o")) == 24
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for line in (words, (*words[:-1], f"output={small_disk}/p")):
        code, _, err = cli(*line)
        assert (
            code == 2
            and "cannot write to" in err
            and "Read-only" in err
            and len(err.splitlines()) == 1
        )
