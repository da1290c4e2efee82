"""A checkout's scripts are run unchanged on our network, and read in our order."""

import textwrap

import numpy as np
import pytest
import torch

from benchmarks import peers, quality
from benchmarks.checkouts.checkout import Job
from benchmarks.checkouts.ddnm import Ddnm
from benchmarks.checkouts.gdp import Gdp
from gdp.picture import picture_of, read

# A script as theirs are: it wants CUDA, loads weights, shuffles, and ends by sys.exit.
MAIN = """
import argparse, sys
from pathlib import Path
import numpy as np
import torch
import torch.utils.tensorboard as tb
import yaml
from PIL import Image
from guided_diffusion.script_util import create_model

parser = argparse.ArgumentParser()
for name in "config exp path_y deg deg_scale eta i sigma_y".split():
    parser.add_argument("--" + name if len(name) > 1 else "-" + name)
parser.add_argument("--ni", action="store_true")
parser.add_argument("--add_noise", action="store_true")
args = parser.parse_args()
assert yaml.safe_load(open(args.config))["time_travel"]["T_sampling"] == 7
assert (args.deg, args.deg_scale, args.sigma_y) == ("sr_averagepooling", "4", "0.0")

model = create_model(image_size=256)
model.load_state_dict(torch.load(Path(args.exp) / "logs/imagenet/256x256_diffusion_uncond.pt"))
model = torch.nn.DataParallel(model.to(torch.device("cuda")).eval())
out = Path(args.exp) / "image_samples" / args.i
(out / "Apy").mkdir(parents=True)
for i, file in enumerate(reversed(sorted((Path(args.exp) / "datasets/ood").rglob("*.png")))):
    x = torch.zeros(1, 3, 16, 16, device="cuda").to("cuda").cuda()
    with torch.no_grad():
        assert model(x, torch.ones(1, device="cuda") * 999).shape[1] in (3, 6)
    photo = Image.open(file)
    photo.save(out / "Apy" / f"orig_{i}.png")
    photo.point(lambda value: value // 2).save(out / f"{i}_0.png")
sys.exit(0)
"""
SAMPLE = """
import argparse, sys
from pathlib import Path
import numpy as np
from PIL import Image
from guided_diffusion.script_util_x0 import create_model_and_diffusion

parser = argparse.ArgumentParser()
parser.add_argument("--base_samples"); parser.add_argument("--save_dir")
args, rest = parser.parse_known_args()
create_model_and_diffusion()
(Path(args.save_dir) / "images").mkdir()
for i, picture in enumerate(np.load(args.base_samples)["arr_0"]):
    Image.fromarray(picture).save(Path(args.save_dir) / "images" / f"{i}_label_0.png")
"""
CONFIG = "data: {subset_1k: true}\nmodel: {use_fp16: true}\ntime_travel: {T_sampling: 100}\n"


def written(folder, files):
    """A folder with files of these texts."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text))
    return folder


@pytest.fixture
def ddnm(tmp_path):
    """A checkout laid out as DDNM's."""
    files = {"main.py": MAIN, "configs/imagenet_256.yml": CONFIG, "functions/svd_ddnm.py": ""}
    models = {"guided_diffusion/script_util.py": "create_model = None"}
    return written(tmp_path / "ddnm", files | models | {"guided_diffusion/diffusion.py": ""})


@pytest.fixture
def photos(tmp_path):
    """A folder of two photos of 256x256."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(2):
        random = np.random.default_rng(i)
        pixels = torch.from_numpy(random.random((1, 3, 8, 8))).float()
        picture_of(torch.nn.functional.interpolate(pixels, (256, 256))).save(folder / f"{i}.png")
    return folder


def test_a_row_of_a_checkout(ddnm, photos, tmp_path):
    before = {file: file.read_bytes() for file in ddnm.rglob("*") if file.is_file()}
    checkout = peers.recognised(ddnm)
    words = ["--images", photos, "--tasks", "sr4,deblur", "--nfe", 20, "--size", 256]
    args = quality.arguments().parse_args([str(w) for w in (*words, "--out", tmp_path / "out")])

    (row,) = peers.theirs(checkout, args, 7)
    assert row["task"] == "sr4" and row["sampler"] == "DDNM's own code"
    assert row["nfe"] == 1 and row["steps"] == 7 and row["images"] == 2

    # Each result is scored against its own photo, of which it has half the brightness.
    truth = torch.cat([read(file).pixels for file in sorted(photos.glob("*.png"))])
    expected = (-10 * (truth / 2).square().mean((1, 2, 3)).log10()).mean()
    assert row["psnr"] == pytest.approx(float(expected), abs=0.1)

    # No file of the checkout is another one, and what was made is not made again.
    assert all(file.read_bytes() == content for file, content in before.items())
    (ddnm / "main.py").unlink()
    assert peers.theirs(checkout, args, 7) == [row]


def test_the_other_project_is_given_y_in_its_order(tmp_path, photos):
    mark = {f"scripts/{name}": SAMPLE for name in ("sample_x0_sr4.py", "sample_x0_color.py")}
    models = (
        "create_model = None\ndef create_model_and_diffusion():\n    return create_model(a=1)\n"
    )
    repo = written(tmp_path / "gdp", mark | {Gdp.marks[1]: models})
    pictures = [read(file).pixels for file in sorted(photos.glob("*.png"))]
    work = tmp_path / "work"
    work.mkdir()
    job = Job("colorize", pictures, pictures, 5, "photo64", work)
    assert all(map(torch.equal, peers.recognised(repo).restore(job), pictures))
    assert not Gdp(repo).can("deblur")


def test_what_fails_is_told(ddnm, photos, tmp_path):
    (ddnm / "main.py").write_text("raise RuntimeError('no such thing')")
    words = ["--images", str(photos), "--limit", "1", "--size", "256", "--tasks", "sr4"]
    args = quality.arguments().parse_args(words)
    with pytest.raises(OSError, match=r"(?s)DDNM's own code's main.py failed.*no such thing"):
        peers.theirs(Ddnm(ddnm), args, 7)
    with pytest.raises(ValueError, match="holds no code that is known"):
        peers.recognised(tmp_path)
