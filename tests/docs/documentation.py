"""What README and docs/ tell to type, found and run: in this process, on tiny pictures, in a
folder that holds every file they name.
"""

import os
import re
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from gdp import cli
from gdp.compose.configuration import CONF
from gdp.doctor import examine
from gdp.studio.command import parser as studio_parser
from gdp.train import __main__ as train
from operators import check

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "gdp" / "prior" / "bundled" / "MODEL_CARD.md",
]
AT_HAND = ("photo64", "custom", "hub")
SKIPPED = {  # how a command begins -> why it is not run
    "source ": "changes the reader's shell",
    "pip install pre-commit": "fetches a tool from the network",
    "pre-commit ": "writes into .git",
    "accelerate launch": "wants several GPUs",
    "make demo": "sets up an environment; make -n is what is tried",
    "python -c ": "runs a pickle; tests/prior/test_hub.py converts one",
    "python run.py task=... ": "is no command but a form",
    "python -m pytest": "is this very program",
    "git clone": "fetches from the network",
}
TINY = "--batch 2 --samples 1 --holdout 1 --device cpu".split()
TINY_TRAINING = [
    *"--image-size 8 --model-channels 32 --channel-mult 1,2 --attention-downsampling 2".split(),
    *TINY,
]


class Command(NamedTuple):
    """A line to type, and where it stands."""

    page: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.text}"


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of a language: the number of their first line, and their text."""
    text = page.read_text()
    return [
        (text.count("\n", 0, m.start(1)) + 1, m[1])
        for m in re.finditer(rf"^```{language}\n(.*?)^```", text, re.M | re.S)
    ]


def commands(page: Path) -> list[Command]:
    """What the page tells to type into a shell: blocks of sh, and `python ...` or `make ...`
    within the text; each once.
    """
    found = []
    for first, block in blocks(page, "sh"):
        whole = re.sub(r"\\\n\s*", " ", block)
        for line in whole.splitlines():
            words = shlex.split(line, comments=True)
            parts = " ".join(shlex.quote(w) if w != "&&" else w for w in words).split(" && ")
            found += [Command(page.name, first, part) for part in parts if part]
    text = re.sub(
        r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), page.read_text(), flags=re.M | re.S
    )
    for m in re.finditer(r"`((?:python|make|accelerate) [^`\n]+)`", text):
        found.append(Command(page.name, text.count("\n", 0, m.start()) + 1, m[1]))
    return list({c.text: c for c in reversed(found)}.values())[::-1]


def scripts(page: Path) -> list[tuple[int, str | None, str]]:
    """Blocks of Python: line, the file's name where its first line is `# NAME.py`, text."""
    return [
        (line, m[1] if (m := re.match(r"# (\w+\.py)\n", text)) else None, text)
        for line, text in blocks(page, "python")
    ]


def furnish(folder: Path, page: Path) -> None:
    """Every file that the pages name: photos of 16x16, masks, kernels, exposures, folders, a tiny
    prior, and the page's own modules.
    """
    with Image.open(ROOT / "gdp" / "picture" / "samples" / "cat.png") as picture:
        cat = picture.convert("RGB").crop((16, 16, 32, 32))
    for name in ("photo.jpg", "photo.png", "clean.png", "misty.png", "other.png", "scan.tif"):
        cat.save(folder / name)
    cat.convert("L").save(folder / "old.jpg")
    cat.point(lambda v: v // 5).save(folder / "night.jpg")
    for name, gain in (("a.jpg", 0.3), ("b.jpg", 0.7), ("c.jpg", 1.4)):
        cat.point(lambda v, gain=gain: min(255, int(v * gain))).save(folder / name, quality=95)
    mask = np.zeros((16, 16), np.uint8)
    mask[5:9, 4:12] = 255
    Image.fromarray(mask).save(folder / "m.png")
    bump = np.exp(-((np.arange(5) - 2.0) ** 2) / 2)
    Image.fromarray((255 * np.outer(bump, bump)).astype(np.uint8)).save(folder / "k.png")
    for name in ("folder", "FOLDER", "bsds256", "frames"):
        (folder / name).mkdir()
        for k in range(3):
            cat.rotate(90 * k).save(folder / name / f"{k}.png")
    (folder / "photos").mkdir()
    for name in ("b.png", "photos/a.jpg"):
        cat.save(folder / name)
    for _, name, text in scripts(page):
        if name:
            (folder / name).write_text(text)
    if "my_prior" in page.read_text():
        where = [
            "--data",
            str(folder / "folder"),
            "--out",
            str(folder / "my_prior"),
            "--steps",
            "1",
        ]
        assert train.main([*where, *TINY_TRAINING]) == 0
    if "prior.repo=my_ddpm" in page.read_text():
        tiny_ddpm(folder / "my_ddpm")
    if "input=film.mp4" in page.read_text():
        tiny_film(folder / "film.mp4", cat)


def tiny_film(file: Path, frame: Image.Image) -> None:
    """Two frames of a picture as a film."""
    from imageio_ffmpeg import write_frames

    writer = write_frames(file, frame.size)
    writer.send(None)
    for _ in range(2):
        writer.send(frame.tobytes())
    writer.close()


def tiny_ddpm(folder: Path) -> None:
    """A model as diffusers saves it, where diffusers is installed."""
    try:
        import diffusers
    except ImportError:
        return
    net = diffusers.UNet2DModel(
        sample_size=16,
        block_out_channels=(32, 32),
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
    )
    diffusers.DDPMPipeline(net, diffusers.DDPMScheduler()).save_pretrained(folder)


def try_out(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a command in the working folder, made small; pytest's own skip where it is one of
    SKIPPED.
    """
    words = shlex.split(command.text)
    for beginning, why in SKIPPED.items():
        if command.text.startswith(beginning) and words[0] != "make":
            pytest.skip(why)
    if words[0] == "make":
        done = subprocess.run(
            ["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    elif words[:2] == ["pip", "install"]:
        installable(words)
    elif words[:2] == ["python", "run.py"]:
        restored(words[2:], monkeypatch)
    elif words[:3] == ["python", "-m", "gdp.train"]:
        trained(words[3:])
    elif words[:2] == ["gdp", "studio"]:
        studio_parser().parse_args(words[2:])  # it is served in tests/studio
    elif words[:3] == ["python", "-m", "operators.check"]:
        monkeypatch.syspath_prepend(os.getcwd())
        assert check.main(words[3:]) == 0 if words[3:] else check.main([]) == 2
    elif words[0] == "python" and len(words) == 2 and (ROOT / words[1]).is_file() is False:
        exec(compile(Path(words[1]).read_text(), words[1], "exec"), {"__name__": "__main__"})
    else:
        pytest.fail(f"nobody knows how to try {command}")


def installable(words: list[str]) -> None:
    """`pip install -e '.[NAME]'` names extras that there are; other packages are ones that the
    tests have.
    """
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    for extra in re.findall(r"\.\[(\w+)\]", " ".join(words)):
        assert config.has_option("options.extras_require", extra)
    others = [w for w in words[2:] if not w.startswith(("-", "."))]
    assert all(name in config["options.extras_require"]["dev"] for name in others)


def restored(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """run.py with two steps, or, where the prior would have to be downloaded, its configuration."""
    settings = dict(w.split("=", 1) for w in words if "=" in w)
    prior = settings.get("prior", "photo64")
    given, output = list(words), settings.get("output", f"out{len(list(Path().iterdir()))}")
    if (
        prior == "hub"
        and not Path(settings["prior.repo"]).is_dir()
        and settings["prior.repo"] == "my_ddpm"
    ):
        pytest.importorskip("diffusers")
    if (
        prior not in AT_HAND
        or (prior == "hub" and not Path(settings["prior.repo"]).is_dir())
        or settings.get("device") == "cuda"
    ):
        assert (CONF / "prior" / f"{prior}.yaml").is_file()
        given += ["--cfg", "job"]
    elif not any(w.startswith("--") for w in words):
        given += ["device=cpu", f"output={output}", "overwrite=true"]
        given += [] if settings.get("task") == "doctor" else ["steps=2"]
        named = "input" in settings or (words and "=" not in words[0] and words[0][0] != "-")
        given += [] if named else ["input=clean.png"]
    monkeypatch.setattr(examine, "SPEED_SECONDS", 0.0)
    monkeypatch.setattr(sys, "argv", ["run.py", *given])
    try:
        code = cli.main()
    except SystemExit as stop:  # --help
        code = int(stop.code or 0)
    assert code == 0
    if "steps=2" in given and settings.get("task") != "sample":
        assert list(Path(output).rglob("*.json"))


def trained(words: list[str]) -> None:
    """gdp.train for two steps of a tiny network."""
    words = [str(ROOT / w) if w.startswith("gdp/") else w for w in words]
    if "--help" in words:
        with pytest.raises(SystemExit) as stop:
            train.main(words)
        assert not stop.value.code
        return
    if "--minutes" in words:
        words = [w for i, w in enumerate(words) if w != "--minutes" and words[i - 1] != "--minutes"]
    if "--evaluate" in words:
        assert train.main([*words, *TINY]) == 0
        return
    small = TINY if "--init" in words else TINY_TRAINING
    assert train.main([*words, *small, "--steps", "2"]) == 0
