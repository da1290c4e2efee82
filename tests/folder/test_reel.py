"""A film that is one file: frames out, results in, with the sound, at the same rate."""

import json
import subprocess

import numpy as np
import pytest
import torch

from gdp import cli
from gdp.folder import reel as reel_module
from gdp.folder.reel import is_film, open_reel, take_apart

pytest.importorskip("skimage", reason="extra video")
ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="extra video")


@pytest.fixture
def film(tmp_path):
    """Three frames of 33 x 24 pixels at 29.97 a second, with a tone."""
    file = tmp_path / "50% pan.mov"
    z = torch.randn(1, 3, 6, 12, generator=torch.Generator().manual_seed(3))
    whole = torch.nn.functional.interpolate(0.5 + 0.1 * z, (24, 48), mode="bicubic")[0]
    pixels = (whole.clamp(0, 1).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    frames = b"".join(np.ascontiguousarray(pixels[:, k : k + 33]).tobytes() for k in range(3))
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "33x24", "-r", "30000/1001", "-i", "-"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=0.1"]
    kind = ["-c:v", "libx264", "-crf", "1", "-pix_fmt", "yuv444p", "-c:a", "pcm_s16le"]
    exe = ffmpeg.get_ffmpeg_exe()
    subprocess.run([exe, "-v", "error", *raw, *tone, *kind, str(file)], input=frames, check=True)
    return file, pixels


def about(file):
    reader = ffmpeg.read_frames(file)
    told = next(reader)
    frames = [np.frombuffer(one, np.uint8).reshape(*told["size"][::-1], 3) for one in reader]
    return told, frames


def run(monkeypatch, *words):
    line = ["run.py", "task=denoise", "sigma_y=0.02", "video=true", "device=cpu", *words]
    monkeypatch.setattr("sys.argv", line)
    return cli.main()


def test_a_film_in_and_a_film_out(film, tmp_path, monkeypatch):
    file, pixels = film
    words = (f"input='{file}'", f"output={tmp_path / 'out'}", "compare=false", "report=false")
    assert run(monkeypatch, *words) == 0
    made = tmp_path / "out" / "50% pan.mp4"
    told, frames = about(made)
    assert told["fps"] == pytest.approx(29.97)
    assert told["audio_codec"] == "aac"
    assert told["size"] == (34, 24)  # players take even sides
    assert len(frames) == 3
    for k, frame in enumerate(frames):
        assert np.abs(frame[:, :33].astype(float) - pixels[:, k : k + 33]).mean() < 6
    assert not (tmp_path / "out" / ".gdp").exists()

    # A run that goes on reads no frame again, and comes to the same film
    (tmp_path / "out" / "50% pan" / "f00002.json").unlink()
    (tmp_path / "out" / "50% pan" / "f00002.png").unlink()
    before = (tmp_path / "out" / "50% pan.frames" / "f00001.png").stat().st_mtime_ns
    assert run(monkeypatch, *words) == 0
    assert (tmp_path / "out" / "50% pan.frames" / "f00001.png").stat().st_mtime_ns == before
    again = about(made)[1]
    assert all(np.array_equal(a, b) for a, b in zip(again, frames, strict=True))


def test_a_changed_film_is_taken_apart_again(film, tmp_path):
    file, _ = film
    reel = open_reel(file, tmp_path, False)
    assert (reel.rate, reel.size) == ("30000/1001", (33, 24))
    frames = take_apart(reel, tmp_path / "work")
    assert [frame.name for frame in frames] == [f"50% pan/f0000{k}" for k in (1, 2, 3)]
    assert not (tmp_path / "work").exists()
    frames[0].file.unlink()
    assert len(take_apart(reel, tmp_path / "work")) == 2  # taken as they are

    file.write_bytes(file.read_bytes() + b"\0")
    assert len(take_apart(reel, tmp_path / "work")) == 3


def test_beside_the_film_itself(film, tmp_path):
    file, _ = film
    file = file.rename(tmp_path / "pan.mp4")
    assert open_reel(file, tmp_path, False).file.name == "pan.restored.mp4"


def test_what_is_in_the_way_stays(film, tmp_path):
    file, _ = film
    other = tmp_path / "50% pan.mp4"
    other.write_bytes(b"mine")
    with pytest.raises(ValueError, match="is in the way"):
        open_reel(file, tmp_path, False)
    reel = open_reel(file, tmp_path, True)
    reel.frames.mkdir()
    with pytest.raises(ValueError, match="is in the way"):
        open_reel(file, tmp_path, True)
    reel.frames.joinpath("film.json").write_text(json.dumps({"film": "a", "made": other.name}))
    assert open_reel(file, tmp_path, False).file == other
    assert other.read_bytes() == b"mine"


def test_what_is_no_film(film, tmp_path, monkeypatch, capsys):
    file, _ = film
    assert not is_film(tmp_path)
    assert not is_film([str(file)])
    (tmp_path / "text.mp4").write_text("no film")
    assert run(monkeypatch, f"input={tmp_path / 'text.mp4'}", f"output={tmp_path / 'o'}") == 2
    assert "no film that ffmpeg can read" in capsys.readouterr().err
    words = (f"input='{file}'", f"output={tmp_path / 'o'}")
    assert run(monkeypatch, *words, "samples=2") == 2
    assert "leave samples= out" in capsys.readouterr().err
    assert run(monkeypatch, *words, "video=false") == 2
    assert "video=true restores a whole film" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()

    find = reel_module.find_spec
    missing = lambda name: None if name == "imageio_ffmpeg" else find(name)  # noqa: E731
    monkeypatch.setattr(reel_module, "find_spec", missing)
    assert run(monkeypatch, *words) == 2
    assert "imageio-ffmpeg" in capsys.readouterr().err
