"""A film that is one file: its frames as pictures, and a film of their results, by ffmpeg.

    OUTPUT/NAME.frames/f00001.png ...   the frames, and film.json, which tells of what film
    OUTPUT/NAME/f00001.png ...          their results
    OUTPUT/NAME.mp4                     these as a film, with the sound of the given one

Frames keep their bits (8, or 16 for films of 10 and 12) and come at an even rate, so that the
sound fits; a phone's turned film is turned. H.264 is written at a quality whose loss is not seen.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from gdp.folder.saving import result_file
from gdp.picture.codec.kinds import FILM_SUFFIXES
from gdp.picture.find import Found
from gdp.storage.places import expand

SUFFIXES = (*FILM_SUFFIXES, ".mpg", ".mpeg", ".wmv")
PATTERN, NOTE = "f%05d", "film.json"
LOSS = 17  # H.264's constant rate factor: 0 loses nothing, 23 is usual
BROADCAST = {23.98: "24000/1001", 29.97: "30000/1001", 59.94: "60000/1001"}  # frames a second


class Reel(NamedTuple):
    """A film, and the folder of its results.

    Attributes:
        film: the file.
        folder: where frames and results go.
        rate: frames a second, as ffmpeg writes it.
        size: width and height in pixels.
    """

    film: Path
    folder: Path
    rate: str
    size: tuple[int, int]

    @property
    def frames(self) -> Path:
        """The folder of the frames."""
        return self.folder / f"{self.film.stem}.frames"

    @property
    def file(self) -> Path:
        """The film of the results."""
        file = self.folder / f"{self.film.stem}.mp4"
        same = file.resolve() == self.film.resolve()
        return file.with_name(f"{self.film.stem}.restored.mp4") if same else file

    @property
    def note(self) -> dict[str, Any]:
        """Which film the frames are of."""
        known = self.film.stat()
        return {"film": self.film.name, "size": known.st_size, "changed": known.st_mtime_ns}


def is_film(path: object) -> bool:
    """Whether input= is one file that a film's name ends as."""
    if not isinstance(path, str | Path) or Path(path).suffix.lower() not in SUFFIXES:
        return False
    return expand(path).is_file()


def open_reel(film: str | Path, folder: Path, overwrite: bool) -> Reel:
    """Look at a film.

    Args:
        film: the file.
        folder: of the results.
        overwrite: whether a film of this name may be replaced.

    Raises:
        ValueError: the package is missing, it is no film, or something is in the way.
    """
    if find_spec("imageio_ffmpeg") is None:
        raise ValueError(
            "a film is read by the package imageio-ffmpeg; pip install 'gdp-restore[video]', "
            "or make a folder of its frames"
        )
    from imageio_ffmpeg import read_frames

    # Its size and rate, which ffmpeg tells before the first frame
    path = expand(film)
    reader = read_frames(path)
    try:
        about = next(reader)
    except (OSError, RuntimeError, LookupError, AttributeError, ValueError):
        raise ValueError(f"{path} is no film that ffmpeg can read") from None
    finally:
        reader.close()
    if not about["fps"]:
        raise ValueError(f"{path} has no rate of frames; make a folder of its frames")
    rate = BROADCAST.get(round(about["fps"], 2), str(about["fps"]))
    reel = Reel(path, folder, rate, about["size"])

    made = read_note(reel)
    if reel.frames.exists() and not made:
        raise ValueError(f"{reel.frames} is in the way; choose another output=")
    if reel.file.exists() and made.get("made") != reel.file.name and not overwrite:
        raise ValueError(
            f"{reel.file} is in the way; choose another output=, or replace it by overwrite=true"
        )
    return reel


def take_apart(reel: Reel, work: Path) -> list[Found]:
    """The frames of a film as pictures; those of an earlier run are taken.

    Args:
        reel: the film.
        work: a folder for what is not whole.

    Raises:
        OSError: ffmpeg cannot read it, or the frames cannot be written.
    """
    known = read_note(reel)
    if {name: known.get(name) for name in reel.note} != reel.note:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        even = ["-map", "0:v:0", "-fps_mode", "cfr", "-r", reel.rate]
        ffmpeg(reel.film, ["-i", str(reel.film.resolve()), *even, pattern(work, ".png")])
        if not any(work.iterdir()):
            raise OSError(f"{reel.film} has no frames")
        (work / NOTE).write_text(json.dumps(reel.note))
        shutil.rmtree(reel.frames, ignore_errors=True)
        work.replace(reel.frames)

    frames = sorted(reel.frames.glob("f*.png"), key=lambda frame: int(frame.stem[1:]))
    return [Found(frame, f"{reel.film.stem}/{frame.stem}") for frame in frames]


def put_together(reel: Reel, photos: Sequence[Found], config: Any, work: Path) -> Path:
    """Make the film of the results, with the sound of the given one.

    Args:
        reel: the film.
        photos: its frames.
        config: the run's configuration, for the suffix of results.
        work: a folder for what is not whole.

    Raises:
        OSError: ffmpeg cannot write it.
    """
    first = result_file(reel.folder / photos[0].name, photos[0].file, config)
    with Image.open(first) as one:
        odd = [side % 2 for side in one.size]
    work.mkdir(parents=True, exist_ok=True)
    whole = work.resolve() / reel.file.name
    sound = ["-i", str(reel.film.resolve())]
    inputs = ["-framerate", reel.rate, "-i", pattern(first.parent, first.suffix), *sound]

    # Players take even sides, of which the last line is there twice; 8 bits, BT.709, and AAC.
    even = f"pad=iw+{odd[0]}:ih+{odd[1]},fillborders=right={odd[0]}:bottom={odd[1]}"
    picture = f"{even},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    tags = [f"-{name}" for name in ("colorspace", "color_primaries", "color_trc")]
    colours = [word for tag in tags for word in (tag, "bt709")]
    kinds = ["-c:v", "libx264", "-crf", str(LOSS), "-c:a", "aac", "-b:a", "192k"]
    streams = ["-map", "0:v:0", "-map", "1:a?", "-map_metadata", "1", "-movflags", "+faststart"]
    ffmpeg(reel.file, [*inputs, *streams, "-vf", picture, *colours, *kinds, str(whole)])

    os.replace(whole, reel.file)
    (reel.frames / NOTE).write_text(json.dumps({**reel.note, "made": reel.file.name}))
    return reel.file


def pattern(folder: Path, suffix: str) -> str:
    """The frames of a folder, as ffmpeg writes their names."""
    return f"{str(folder.resolve()).replace('%', '%%')}/{PATTERN}{suffix}"


def read_note(reel: Reel) -> dict[str, Any]:
    """What film the frames that are there are of; empty where there are none."""
    try:
        note = json.loads((reel.frames / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def ffmpeg(of: Path, words: Sequence[str]) -> None:
    """Run ffmpeg.

    Raises:
        OSError: it fails, with its last line.
    """
    from imageio_ffmpeg import get_ffmpeg_exe

    line = [get_ffmpeg_exe(), "-nostdin", "-y", "-v", "error", *words]
    done = subprocess.run(line, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [text for text in done.stderr.splitlines() if text.strip()]
        raise OSError(f"ffmpeg fails with {of}: {said[-1] if said else 'it tells nothing'}")
