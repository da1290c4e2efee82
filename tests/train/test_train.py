"""Training: the loss against closed forms, data as a pure function, and runs that survive what happens to runs."""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.distributions import Normal, kl_divergence

from gdp.prior.gaussian import GaussianPrior
from gdp.prior.prior import Prior
from gdp.prior.schedule import betas
from gdp.prior.weights import load_prior, read_config
from gdp.train import __main__ as train
from gdp.train import machine as training_machine
from gdp.train import setup as training_setup
from gdp.train import trainer
from gdp.train import watch as training_watch
from gdp.train.data import Photos, batches, collate, find_photos, ladder, split, window_side
from gdp.train.loss import HybridLoss, bin_nll, gaussian_kl, heldout_mse
from gdp.train.samples import sample, sheet

NET = "--image-size 16 --model-channels 32 --channel-mult 1,1 --attention-downsampling 2 --num-head-channels 16".split()
SMALL = [
    *NET,
    *"--diffusion-steps 50 --batch 4 --samples 2 --workers 1 --device cpu --warmup 2".split(),
]


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Networks this small only wait for one another on several."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A dozen pictures of many sizes and modes, in two folders."""
    root = tmp_path_factory.mktemp("photos")
    (root / "more").mkdir()
    rng = np.random.default_rng(0)
    for i, (mode, size) in enumerate(
        zip(["RGB", "L", "RGBA", "P"] * 3, [(40, 30), (9, 50), (16, 16), (25, 64)] * 3, strict=True)
    ):
        picture = Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).convert(mode)
        picture.save(root / ("more" if i % 2 else ".") / f"{i:02d}.png")
    return root


@pytest.fixture(scope="module")
def finished(folder, tmp_path_factory) -> Path:
    """The folder of a run of 12 steps, with two photos held out."""
    out = tmp_path_factory.mktemp("finished") / "tiny"
    arguments = [
        "--data",
        folder,
        "--out",
        out,
        "--steps",
        12,
        "--holdout",
        2,
        "--size-ladder",
        "8:0.5,16:0.5",
        *SMALL,
    ]
    assert train.main([str(a) for a in arguments]) == 0
    return out


def run(folder: Path, out: Path, *more: object, net: list[str] = SMALL) -> int:
    """The exit code of a small training run."""
    return train.main([str(a) for a in ("--data", folder, "--out", out, *more, *net)])


def photos_of(folder: Path, **changes) -> Photos:
    """Photos as the command line has them by default."""
    return Photos(find_photos(folder), **{"cache_mb": 1, "native": 0.5, "flip": True, **changes})


def curve(out: Path, name: str = "log.jsonl") -> list[dict]:
    """The rows of a curve."""
    return [json.loads(line) for line in (out / name).read_text().splitlines()]


def test_kl_is_the_closed_form():
    mean, log_var, log_var_hat = torch.randn(3, 100).double()
    expected = kl_divergence(
        Normal(mean, (0.5 * log_var).exp()), Normal(0.0, (0.5 * log_var_hat).exp())
    )
    torch.testing.assert_close(gaussian_kl(mean, log_var, log_var_hat), expected)


@pytest.mark.parametrize("mean, log_var", [(0.3, -3.0), (-1.0, 0.5), (1.2, -9.0)])
def test_probabilities_of_all_8_bit_values_add_up_to_one(mean, log_var):
    values = torch.arange(256).double() / 127.5 - 1
    p = (-bin_nll(values, torch.full_like(values, mean), torch.full_like(values, log_var))).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("t", [2, 3, 17, 50])
def test_bound_is_the_kl_of_the_posteriors_that_samplers_use(schedule, t):
    b = betas(50, schedule)
    prior, loss = Prior(None, b), HybridLoss(b)
    x0, eps, eps_hat, v = torch.randn(4, 2, 3, 4, 4).double()
    v = v.tanh()
    x = prior.a(t) ** 0.5 * x0 + (1 - prior.a(t)) ** 0.5 * eps
    x0_hat = (x - (1 - prior.a(t)) ** 0.5 * eps_hat) / prior.a(t) ** 0.5
    q, p = prior.posterior(x, x0, t, t - 1, None), prior.posterior(x, x0_hat, t, t - 1, v)
    expected = kl_divergence(Normal(*map(torch.as_tensor, q)), Normal(*p)).mean((1, 2, 3)) / np.log(
        2
    )
    times = torch.full((2,), t)
    torch.testing.assert_close(loss.vlb(x0, times, eps, eps_hat, v), expected, rtol=2e-4, atol=1e-7)
    torch.testing.assert_close(loss.diffuse(x0, times, eps), x, rtol=1e-5, atol=1e-6)


def test_last_step_of_the_bound_is_the_likelihood_of_the_8_bit_image():
    b = betas(50)
    loss = HybridLoss(b)
    x0 = torch.randint(0, 256, (2, 3, 4, 4)) / 127.5 - 1
    eps, eps_hat = torch.randn(2, 2, 3, 4, 4)
    x = loss.diffuse(x0, torch.ones(2, dtype=torch.long), eps)
    mean = (x - b[0].sqrt() * eps_hat) / (1 - b[0]).sqrt()
    expected = bin_nll(x0, mean, b[0].log()).mean((1, 2, 3)) / np.log(2)
    got = loss.vlb(x0, torch.ones(2, dtype=torch.long), eps, eps_hat, torch.ones_like(x0))
    torch.testing.assert_close(got, expected.float(), rtol=1e-3, atol=1e-4)


def test_variance_bound_does_not_reach_the_noise_prediction():
    loss, out = HybridLoss(betas(50)), torch.randn(4, 6, 4, 4, requires_grad=True)
    x0, eps = torch.rand(4, 3, 4, 4) * 2 - 1, torch.randn(4, 3, 4, 4)
    total, simple = loss(lambda x, t: out, x0, torch.tensor([1, 2, 20, 50]), eps)
    (grad,) = torch.autograd.grad(total, out, retain_graph=True)
    (grad_simple,) = torch.autograd.grad(simple, out)
    assert total > simple
    assert torch.equal(grad[:, :3], grad_simple[:, :3])
    assert grad[:, 3:].abs().amin() > 0


def test_network_without_v_learns_by_the_simple_loss_and_is_told_t_minus_1():
    seen, loss = [], HybridLoss(betas(50))
    x0, eps = torch.zeros(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    total, simple = loss(
        lambda x, t: seen.append(t) or torch.zeros_like(x), x0, torch.tensor([1, 50]), eps
    )
    assert total == simple == eps.square().mean()
    assert seen[0].tolist() == [0, 49]
    assert loss.times(torch.tensor([0.0, 0.999999, 0.5])).tolist() == [1, 50, 26]


def test_draws_depend_on_seed_step_and_place_alone(folder):
    one, other = photos_of(folder), photos_of(folder, cache_mb=0)
    keys = [(0, 3, 1), (0, 3, 2), (0, 4, 1), (1, 3, 1)]
    draws = {key: one.draw(*key, 16) for key in keys}
    for key in reversed(keys):
        again = other.draw(*key, 16)
        assert (
            np.array_equal(again.crop, draws[key].crop)
            and np.array_equal(again.eps, draws[key].eps)
            and again.u == draws[key].u
        )
    assert len({d.u for d in draws.values()}) == len({d.eps.tobytes() for d in draws.values()}) == 4


def test_batches_resume_anywhere_and_divide_over_processes(folder):
    def take(first: int, number: int, rank: int = 0, world: int = 1):
        stream = batches(
            photos_of(folder),
            5,
            first,
            lambda step: (8 + 8 * (step % 2), 6),
            rank,
            world,
            workers=3,
        )
        return [next(stream) for _ in range(number)]

    whole = take(0, 4)
    assert [tuple(b.x0.shape) for b in whole] == [(6, 3, 8, 8), (6, 3, 16, 16)] * 2
    for batch, later in zip(whole[2:], take(2, 2), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(batch, later, strict=True))
    for rank in (0, 1):
        assert torch.equal(take(1, 1, rank, 2)[0].x0, whole[1].x0[rank::2])
    assert (
        whole[0].x0.is_contiguous(memory_format=torch.channels_last)
        and -1 <= whole[0].x0.min() < whole[0].x0.max() <= 1
    )


def test_windows_are_native_or_shrunk_and_small_photos_enlarged():
    rng = np.random.default_rng(0)
    sides = [window_side(256, 64, 0.5, rng) for _ in range(400)]
    assert 150 < sides.count(64) < 250
    assert max(sides) > 230 and min(sides) == 64
    assert {window_side(10, 64, 0.5, rng) for _ in range(20)} == {10}
    assert {window_side(256, 64, 1.0, rng) for _ in range(20)} == {64}


def test_crops_are_pixels_of_the_photo(tmp_path):
    pixels = np.arange(20 * 30 * 3, dtype=np.uint8).reshape(20, 30, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    photos = photos_of(tmp_path, native=1.0)
    windows = np.lib.stride_tricks.sliding_window_view(pixels, (8, 8, 3))[..., 0, :, :, :].reshape(
        -1, 8, 8, 3
    )
    known = {w.tobytes(): i for i, w in enumerate(windows)}
    mirrored = {w[:, ::-1].tobytes() for w in windows}
    crops = [photos.draw(0, 0, i, 8).crop for i in range(40)]
    straight = [c.tobytes() in known for c in crops]
    assert all(s or c.tobytes() in mirrored for s, c in zip(straight, crops, strict=True))
    assert 5 < sum(straight) < 35


def test_held_out_photos_are_chosen_by_name_and_their_items_fixed(folder):
    files = find_photos(folder)
    training, held = split(folder, files, 3)
    assert split(folder, files[::-1], 3) == (training, held)
    assert len(held) == 3 and not set(held) & set(training) and len(training) + 3 == len(files)
    items = Photos(held, 1, 0.5, True).held_out(16, 10)
    assert len(items) == 30
    assert [int(10 * item.u) for item in items] == list(range(10)) * 3
    assert all(
        np.array_equal(a.crop, b.crop)
        for a, b in zip(items, Photos(held, 0, 0.5, True).held_out(16, 10), strict=True)
    )


def test_heldout_mse_is_by_bucket(folder):
    items, loss = photos_of(folder).held_out(8, 5), HybridLoss(betas(50))
    got = heldout_mse(lambda x, t: torch.zeros_like(x), loss, items, 5, torch.device("cpu"))
    eps = collate(items).eps.square().mean((1, 2, 3))
    assert got == pytest.approx([eps[b::5].mean().item() for b in range(5)], rel=1e-5)


def test_unreadable_and_damaged_pictures_are_skipped_and_counted(tmp_path, caplog):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    Image.fromarray(pixels).save(tmp_path / "b.jpg")
    whole = (tmp_path / "b.jpg").read_bytes()
    (tmp_path / "b.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "c.jpg").write_text("no picture")
    (tmp_path / "notes.txt").write_text("no picture either, and not called one")
    photos = photos_of(tmp_path)
    assert [f.name for f in photos.files] == ["a.png", "b.jpg"]
    assert "1 of 3 pictures" in caplog.text
    assert np.array_equal(photos[1], pixels) and np.array_equal(photos[1], pixels)
    assert caplog.text.count("b.jpg is damaged and skipped (1 so far)") == 1


def test_ladder_keeps_the_pixels_of_a_batch():
    assert [tuple(r) for r in ladder("32:0.25,64:0.75", 64, 16, 8)] == [
        (32, 64, 0.25),
        (64, 16, 1.0),
    ]
    assert [r.items for r in ladder("32:0.5:10,64:0.5", 64, 16, 8)] == [10, 16]


def test_learning_rate_warms_up_and_decays():
    assert trainer.learning_rate(1.0, 0, 10, 0.0) == pytest.approx(0.1)
    assert trainer.learning_rate(1.0, 100, 10, 0.5) == pytest.approx(0.5)
    assert trainer.learning_rate(1.0, 100, 10, 1.0) == pytest.approx(0)


def test_average_forgets_its_start():
    ema, net = torch.nn.Linear(1, 1), torch.nn.Linear(1, 1)
    trainer.average(ema, net, 0.9999, 0)
    start = (ema.weight - net.weight).abs().item()
    for step in range(1, 100):
        trainer.average(ema, net, 0.9999, step)
    assert (ema.weight - net.weight).abs().item() < 1e-4 * start


def test_sheet_is_a_grid():
    images = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 3, 64, 80)
    pixels = np.asarray(sheet(images))
    assert pixels.shape == (64 + 2 + 64, 80 + 2 + 80 + 2 + 80, 3)
    assert pixels[0, ::82, 0].tolist() + pixels[66, ::82, 0].tolist() == [0, 51, 102, 153, 204, 255]
    assert (pixels[64:66] == 128).all() and (pixels[:, 80:82] == 128).all()


def test_tiny_images_are_enlarged_on_the_sheet():
    image = torch.rand(1, 3, 8, 8) * 2 - 1
    pixels = np.asarray(sheet(image))
    assert pixels.shape == (64, 64, 3)
    assert np.array_equal(pixels, pixels[::8, ::8].repeat(8, 0).repeat(8, 1))


def test_samples_are_the_priors_and_do_not_depend_on_their_number():
    prior = GaussianPrior(0.5, 0.1)
    prior.here = torch.nn.Parameter(torch.zeros(()))
    two, five = (sample(prior, number, 8, eta=0.5) for number in (2, 5))
    torch.testing.assert_close(two, five[:2])
    assert five.mean() == pytest.approx(0.5, abs=0.05) and 0.05 < five.std() < 0.2


def test_run_leaves_a_prior_its_curves_and_a_card(finished, folder):
    prior = load_prior(str(finished / "weights.safetensors"), unet=None)
    assert prior.T == 50 and prior(torch.zeros(1, 3, 16, 16), 25).v is not None
    assert {w.dtype for w in load_file(finished / "weights.safetensors").values()} == {
        torch.float16
    }
    (row,) = curve(finished)
    assert (
        row["step"] == 10
        and row["images"] == 6 * 16 + 4 * 4
        and row["lr"] > 0
        and row["loss"] > row["mse"]
    )
    (look,) = curve(finished, "heldout.jsonl")
    assert look["step"] == 12 and len(look["buckets"]) == 10 and look["mse"] < 1
    card = (finished / "MODEL_CARD.md").read_text()
    assert (
        folder.name in card
        and "10 photos, and 2 held out" in card
        and "samples_0000012.png" in card
        and "step 12" in card
    )
    with Image.open(finished / "samples_0000012.png") as picture:
        assert picture.size == (64 + 2 + 64, 64)
    assert not list(finished.glob(".*"))


def test_finished_run_is_left_as_it_is(finished, folder):
    before = {
        f.name: f.read_bytes()
        for f in finished.iterdir()
        if f.suffix in (".safetensors", ".jsonl", ".png", ".yaml")
    }
    assert (
        run(folder, finished, "--steps", 12, "--holdout", 2, "--size-ladder", "8:0.5,16:0.5") == 0
    )
    assert before == {name: (finished / name).read_bytes() for name in before}


def test_notes_go_into_the_card(finished, folder, tmp_path, caplog):
    (tmp_path / "notes.md").write_text("The pictures are CC0.\n")
    assert run(folder, tmp_path / "out", "--steps", 1, "--notes", tmp_path / "notes.md") == 0
    assert "\n\nThe pictures are CC0.\n\n" in (tmp_path / "out" / "MODEL_CARD.md").read_text()
    assert run(folder, tmp_path / "other", "--steps", 1, "--notes", tmp_path / "none.md") == 2
    assert "none.md" in caplog.text and not (tmp_path / "other").exists()


def test_checkpoints_of_before_a_flag_existed_resume_silently(folder, tmp_path, caplog):
    out = tmp_path / "out"
    assert run(folder, out, "--steps", 1) == 0
    state = torch.load(out / "checkpoint.pt")
    del state["args"]["notes"]
    torch.save(state, out / "checkpoint.pt")
    assert run(folder, out, "--steps", 2) == 0
    assert "steps was 1 and is 2 from here on" in caplog.text and "notes" not in caplog.text


def test_training_loads_nothing_that_a_bare_machine_lacks():
    ours = "hydra omegaconf scipy kornia piq pooch torchvision skimage sklearn accelerate operators samplers"
    code = f"import sys, gdp.train; print(*(set('{ours}'.split()) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == []


def test_evaluate_compares_weights_in_one_table(finished, folder, tmp_path, capsys):
    bare = tmp_path / "bare.safetensors"
    bare.write_bytes((finished / "weights.safetensors").read_bytes())
    weights = finished / "weights.safetensors"
    arguments = ["--data", folder, "--holdout", 2, "--evaluate", weights, bare, *SMALL]
    assert train.main([str(a) for a in arguments]) == 0
    lines = [
        [cell.strip() for cell in line.strip("| \n").split("|")]
        for line in capsys.readouterr().out.splitlines()
    ]
    assert lines[0] == ["t / T", str(weights), str(bare)]
    assert lines[-1][1] == lines[-1][2] and float(lines[-1][1]) == pytest.approx(
        curve(finished, "heldout.jsonl")[-1]["mse"], rel=1e-2
    )
    assert len(lines) == 13


def test_init_goes_on_from_weights(finished, folder, tmp_path):
    start = finished / "weights.safetensors"
    net = "--batch 2 --samples 1 --device cpu".split()
    assert (
        run(
            folder,
            tmp_path / "on",
            "--steps",
            1,
            "--lr",
            0,
            "--init",
            start,
            "--holdout",
            2,
            net=net,
        )
        == 0
    )
    assert all(
        torch.equal(w, load_file(start)[k])
        for k, w in load_file(tmp_path / "on" / "weights.safetensors").items()
    )
    first, last = curve(tmp_path / "on", "heldout.jsonl")
    assert first["step"] == 0 and last["step"] == 1 and first["mse"] == pytest.approx(last["mse"])


@pytest.mark.parametrize("beside", [True, False])
def test_init_may_be_made_deeper(beside, finished, folder, tmp_path, monkeypatch):
    start = finished / "weights.safetensors"
    monkeypatch.setattr(training_setup, "DEFAULT", read_config(start))
    if not beside:
        start = tmp_path / "bare.safetensors"
        start.write_bytes((finished / "weights.safetensors").read_bytes())
    net = "--batch 2 --samples 1 --device cpu --num-res-blocks 2".split()
    assert (
        run(
            folder,
            tmp_path / "on",
            "--steps",
            1,
            "--lr",
            0,
            "--init",
            start,
            "--holdout",
            2,
            net=net,
        )
        == 0
    )
    assert read_config(tmp_path / "on" / "weights.safetensors")["num_res_blocks"] == 2
    before, after = (
        curve(finished, "heldout.jsonl")[-1]["mse"],
        curve(tmp_path / "on", "heldout.jsonl")[-1]["mse"],
    )
    assert after == pytest.approx(before, rel=1e-2)


def test_config_beside_the_weights_that_lacks_the_shape(finished, folder, tmp_path, caplog):
    start = tmp_path / "weights.safetensors"
    start.write_bytes((finished / "weights.safetensors").read_bytes())
    lines = (finished / "config.yaml").read_text().splitlines()
    (tmp_path / "config.yaml").write_text(
        "\n".join(line for line in lines if "num_res_blocks" not in line)
    )
    assert run(folder, tmp_path / "on", "--steps", 1, "--init", start, net=["--device", "cpu"]) == 2
    assert "num_res_blocks" in caplog.text and "cannot be built" in caplog.text


def test_ctrl_c_saves_and_the_run_goes_on(folder, tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGINT)
    average = trainer.average

    def interrupted(ema, net, decay, step):
        average(ema, net, decay, step)
        if step == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(trainer, "average", interrupted)
    assert run(folder, tmp_path / "out", "--steps", 5) == 130
    assert torch.load(tmp_path / "out" / "checkpoint.pt")["step"] == 3
    load_prior(str(tmp_path / "out" / "weights.safetensors"), unet=None)
    assert signal.getsignal(signal.SIGINT) is before
    assert run(folder, tmp_path / "out", "--steps", 5) == 0
    assert torch.load(tmp_path / "out" / "checkpoint.pt")["step"] == 5


def test_time_budget_ends_and_counts_earlier_time(folder, tmp_path):
    assert run(folder, tmp_path / "out", "--minutes", 0.01) == 0
    state = torch.load(tmp_path / "out" / "checkpoint.pt")
    assert state["step"] > 0 and state["seconds"] >= 0.6
    assert run(folder, tmp_path / "out", "--minutes", 0.01) == 0
    assert torch.load(tmp_path / "out" / "checkpoint.pt")["step"] == state["step"]


def test_time_in_which_the_process_is_stopped_does_not_count(monkeypatch):
    now = SimpleNamespace(monotonic=lambda: wall, process_time=lambda: cpu)
    monkeypatch.setattr(training_machine, "time", now)
    wall, cpu = 1000.0, 50.0
    clock = training_machine.Stopwatch(7)
    wall, cpu = wall + 3, cpu + 6  # a step on two cores
    assert clock.read() == 10
    wall, cpu = wall + 4, cpu + 4  # one that feeds a GPU
    assert clock.read() == 14
    wall, cpu = wall + 3600, cpu + 0.5  # stopped for an hour, in the middle of a step
    assert clock.read() == 16
    assert clock.read() == 16


@pytest.mark.parametrize("where", ["write", "replace", "torch"])
def test_full_disk_is_said_and_leaves_the_last_checkpoint(
    where, folder, tmp_path, monkeypatch, caplog
):
    out = tmp_path / "out"
    assert run(folder, out, "--steps", 1) == 0
    before = {f: f.read_bytes() for f in out.glob("*[!l]")}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def full_in_torch(*_):
        try:
            full()
        except OSError:
            raise RuntimeError("unexpected pos") from None

    target, broken = (
        {"write": (os, "fsync"), "replace": (os, "replace"), "torch": (torch, "save")}[where],
        full,
    )
    with monkeypatch.context() as patched:
        patched.setattr(training_watch, "rewrite", lambda file, kept: None)
        patched.setattr(*target, full_in_torch if where == "torch" else broken)
        assert run(folder, out, "--steps", 2) == 2
    assert "the disk is full" in caplog.text
    assert all(f.read_bytes() == content for f, content in before.items() if f.suffix != ".png")
    assert not list(out.glob(".*"))
    assert run(folder, out, "--steps", 2) == 0


def test_bad_input_is_one_clear_line(finished, folder, tmp_path, caplog):
    (tmp_path / "empty").mkdir()
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "a.png").write_text("junk")
    weights = finished / "weights.safetensors"
    cases = [
        (tmp_path / "empty", ["--steps", 1], "no readable picture"),
        (tmp_path / "junk", ["--steps", 1], "1 unreadable"),
        (tmp_path / "missing", ["--steps", 1], "no folder"),
        (folder, [], "--steps N or --minutes M"),
        (folder, ["--steps", 1, "--holdout", 12], "holdout=12 of 12"),
        (folder, ["--steps", 1, "--size-ladder", "8:0.5"], "must add up to 1"),
        (folder, ["--steps", 1, "--size-ladder", "7:1"], "multiples of 2"),
        (folder, ["--steps", 1, "--size-ladder", "big"], "size:fraction"),
        (folder, ["--steps", 1, "--diffusion-steps", 5], "too few"),
        (folder, ["--steps", 1, "--model-channels", 24], "multiples of 32"),
        (folder, ["--steps", 1, "--num-head-channels", 64], "num_head_channels"),
        (folder, ["--steps", 1, "--init", tmp_path / "none.safetensors"], "no weights at"),
        (folder, ["--steps", 1, "--init", weights, "--channel-mult", "1,2"], "not the reverse"),
        (
            folder,
            ["--steps", 1, "--init", weights, "--num-head-channels", 8],
            "leave that flag out",
        ),
    ]
    for data, arguments, words in cases:
        caplog.clear()
        assert run(data, tmp_path / "out", *SMALL, *arguments, net=[]) == 2, words
        errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
        assert len(errors) == 1 and words in errors[0] and "\n" not in errors[0], (words, errors)


def test_checkpoints_of_another_network_are_refused(finished, folder, caplog):
    assert run(folder, finished, "--steps", 20, "--num-res-blocks", 2) == 2
    assert "num_res_blocks=2, but" in caplog.text and "was trained with 1" in caplog.text


def test_results_inside_the_data_are_refused(folder, caplog):
    assert run(folder, folder / "run", "--steps", 1) == 2
    assert "lies in --data" in caplog.text and not (folder / "run").exists()


def test_exploding_loss_stops_the_run(folder, tmp_path, caplog):
    assert run(folder, tmp_path / "out", "--steps", 40, "--lr", 1e30, "--clip", 1e30) == 2
    assert "lower --lr" in caplog.text and not (tmp_path / "out" / "checkpoint.pt").exists()


@pytest.mark.slow
def test_two_processes_train_as_one(folder, tmp_path):
    pytest.importorskip("accelerate")
    arguments = ["--data", folder, "--steps", 10, "--holdout", 2, *SMALL, "--out"]
    one, two = ([str(a) for a in (*arguments, tmp_path / name)] for name in ("one", "two"))
    launch = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        "-m",
        "gdp.train",
        *two,
    ]
    where = {"cwd": Path(__file__).parents[2], "env": {**os.environ, "OMP_NUM_THREADS": "1"}}
    done = subprocess.run(launch, **where, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert train.main(one) == 0
    for name, key in (
        ("log.jsonl", "loss"),
        ("log.jsonl", "mse"),
        ("log.jsonl", "images"),
        ("heldout.jsonl", "mse"),
    ):
        assert curve(tmp_path / "two", name)[-1][key] == pytest.approx(
            curve(tmp_path / "one", name)[-1][key], rel=1e-5
        )


def test_kill_in_mid_training_and_resume_changes_nothing(folder, tmp_path):
    arguments = ["--data", folder, "--steps", 24, "--sample-every", 1e9, *SMALL, "--out"]
    killed, whole = (
        [str(a) for a in (*arguments, tmp_path / name)] for name in ("killed", "whole")
    )
    where = {
        "cwd": Path(__file__).parents[2],
        "env": {**os.environ, "OMP_NUM_THREADS": "1"},
        "stderr": subprocess.DEVNULL,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gdp.train", *killed, "--checkpoint-minutes", "0.002"], **where
    )
    log, checkpoint = (tmp_path / "killed" / name for name in ("log.jsonl", "checkpoint.pt"))
    while process.poll() is None and not (checkpoint.is_file() and log.read_text().count("\n") > 0):
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < torch.load(checkpoint)["step"] < 24
    assert train.main(killed) == train.main(whole) == 0
    for name in ("net", "ema"):
        one, other = (
            torch.load(tmp_path / run / "checkpoint.pt")[name] for run in ("whole", "killed")
        )
        assert all(torch.equal(w, other[k]) for k, w in one.items())
    assert (tmp_path / "whole/weights.safetensors").read_bytes() == (
        tmp_path / "killed/weights.safetensors"
    ).read_bytes()
    drop = {"seconds": 0}
    assert [{**r, **drop} for r in curve(tmp_path / "whole")] == [
        {**r, **drop} for r in curve(tmp_path / "killed")
    ]
