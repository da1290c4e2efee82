"""A prior for another domain, as docs/priors.md tells it: scikit-learn's 8x8 digits.

Two minutes on two CPU cores.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.prior.weights import load_prior
from gdp.train import __main__ as train
from gdp.train.photos import find_photos, split
from gdp.train.samples import sample

ROOT = Path(__file__).parents[2]
HELD = 200
pytestmark = pytest.mark.slow


def example() -> tuple[str, list[str]]:
    """The page's script that makes the folder of digits, and its training flags."""
    text = (ROOT / "docs" / "priors.md").read_text()
    (script,) = re.findall(r"```python\n([^`]*load_digits[^`]*)```", text)
    (command,) = re.findall(r"python -m gdp\.train (--data digits (?:[^\n]*\\\n)*[^\n]*)", text)
    return script, shlex.split(command.replace("\\\n", " "))


def pixels_of(files: list[Path]) -> torch.Tensor:
    """Grey pictures as [N, 64] in [0, 1]."""
    return torch.stack(
        [torch.from_numpy(np.array(Image.open(f).convert("L"))).flatten() / 255 for f in files]
    )


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    """The folder in which the page's lines were run."""
    pytest.importorskip("sklearn")
    root, here, threads = tmp_path_factory.mktemp("digits"), Path.cwd(), torch.get_num_threads()
    script, arguments = example()
    os.chdir(root)
    torch.set_num_threads(2)
    try:
        exec(compile(script, "priors.md", "exec"), {})
        assert train.main(arguments) == 0
    finally:
        os.chdir(here)
        torch.set_num_threads(threads)
    return root


def test_samples_look_like_digits(digits):
    """They lie as near to known digits as unseen digits do, and classifiers are as sure of them.

    Blends, blurs and noise fail each test.
    """
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    classes = torch.from_numpy(load_digits().target)
    known, unseen = split(digits / "digits", find_photos(digits / "digits"), HELD)
    pixels, labels = pixels_of(known), classes[[int(f.stem) for f in known]]
    classifier = LogisticRegression(max_iter=2000).fit(pixels, labels)

    def distance(x: torch.Tensor) -> float:
        return torch.cdist(x, pixels).amin(1).mean().item()

    # Share of images whose five nearest digits are of one class, but for one at most
    def agreement(x: torch.Tensor) -> float:
        near = labels[torch.cdist(x, pixels).topk(5, largest=False).indices]
        return (near == near.mode(1).values[:, None]).sum(1).ge(4).float().mean().item()

    def sureness(x: torch.Tensor) -> float:
        return classifier.predict_proba(x).max(1).mean()

    # What the prior draws
    prior = load_prior(str(digits / "digits_prior" / "weights.safetensors"), device="cpu")
    colour = sample(prior, HELD, 8, eta=0.85)
    assert (colour - colour.mean(1, keepdim=True)).abs().mean() < 0.03, "grey"
    samples, real = ((colour.mean(1).flatten(1) + 1) / 2).clamp(0, 1), pixels_of(unseen)

    # What is no digit
    pairs = pixels[torch.randint(len(known), (2, HELD))].mean(0)
    pool = torch.nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    blurred = pool(real.view(-1, 1, 8, 8)).flatten(1)

    near, sure = 1.2 * distance(real), 0.9 * sureness(real)
    assert 0.6 * distance(real) < distance(samples) < near, "near to digits, but no copies"
    assert sureness(samples) > sure and agreement(samples) > 0.8
    assert (np.bincount(classifier.predict(samples), minlength=10) >= 5).sum() >= 9, (
        "all classes come"
    )
    for other in (pairs, blurred, torch.rand(HELD, 64)):
        assert distance(other) > near and sureness(other) < sure


def test_digits_prior_restores_digits_better_than_the_one_for_photos(digits):
    unseen = split(digits / "digits", find_photos(digits / "digits"), HELD)[1][:4]
    (digits / "unseen").mkdir()
    for file in unseen:
        (digits / "unseen" / file.name).write_bytes(file.read_bytes())

    def psnr(output: str, *prior: str) -> float:
        words = ["input=unseen", f"output={output}", "task=denoise", "sigma_y=0.3"]
        words += ["degrade=true", "steps=20"]
        command = [sys.executable, ROOT / "run.py", *prior, *words]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(command, cwd=digits, env=environment, check=True, capture_output=True)

        reports = [json.loads(f.read_text()) for f in (digits / output).glob("*.json")]
        return np.mean([report["scores"]["psnr"] for report in reports])

    own = psnr("own", "prior=custom", "prior.path=digits_prior/weights.safetensors")
    assert own > psnr("photos", "prior=photo64") + 2
