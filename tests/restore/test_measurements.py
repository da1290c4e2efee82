"""Other people's data, from Python and from files: what fits is restored, what does not is told of
in a line before the weights load.
"""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import gdp
from gdp.api import restore
from gdp.restore import measure
from gdp.restore.setup import Setup
from operators.base import LinearOperator
from tests.test_cli import cli, files  # noqa: F401

USER = """
import torch
from operators.base import AffineOperator, LinearOperator

class Slices(LinearOperator):
    x_channels = 1
    def forward(self, x):
        return 9 * torch.fft.fft2(x[:, 0], norm="ortho") * (torch.arange(x.shape[-1]) % 3 != 1)
    def x_shape(self, y):
        return len(y), 1, *y.shape[1:]

class Lin(LinearOperator):
    def forward(self, x):
        return 0.5 * x + 0.4

class Aff(AffineOperator):
    def forward(self, x):
        return 0.5 * x + 0.4

class Flat(LinearOperator):
    def forward(self, x):
        return x.mean((2, 3))
"""
space: dict = {}
exec(USER, space)
Slices, Lin, Aff, Flat = (space[name] for name in ("Slices", "Lin", "Aff", "Flat"))


class Bands(LinearOperator):
    """y [B, H, W]: a camera with a mosaic of seven filters."""

    x_channels = 7

    def forward(self, x):
        rows, columns = torch.arange(x.shape[-2]), torch.arange(x.shape[-1])
        band = (3 * rows[:, None] + columns) % 7
        return sum(x[:, k] * (band == k) for k in range(7))

    def x_shape(self, y):
        return len(y), 7, *y.shape[1:]


@pytest.fixture
def disk():
    """A grey disk [1, 1, 24, 32] in [0, 1]."""
    rows, columns = torch.meshgrid(torch.arange(24), torch.arange(32), indexing="ij")
    return (((rows - 12) ** 2 + (columns - 14) ** 2 < 60) * 0.6 + 0.2)[None, None].float()


def rms(x):
    return float(torch.as_tensor(x).square().mean().sqrt())


def test_complex_y_of_one_channel(disk):
    y = Slices()(2 * disk - 1)
    result = restore(y, operator=Slices(), sigma_y=0.05)
    assert result.image.shape == (1, 1, 24, 32) and result.y.is_complex()
    assert rms(result.image - disk) < 0.5 * rms(result.plain - disk)
    assert result.report["sigma_y"] == pytest.approx(0.05) and result.report["consistency"] < 0.2


@pytest.mark.parametrize("form", ["array", "one", "double", "y="])
def test_forms(form, disk):
    y = Slices()(2 * disk - 1)
    given = {
        "array": y.numpy(),
        "one": y[0],
        "double": y.to(torch.complex128),
        "y=": y[0].numpy(),
    }[form]
    take = {"y": given} if form == "y=" else {"photo": given}
    image = restore(**take, operator=Slices(), sigma_y=0.05, steps=2).image
    assert isinstance(image, np.ndarray) == (form in ("array", "y="))
    assert tuple(image.shape) == ((1, 24, 32) if form in ("one", "y=") else (1, 1, 24, 32))


def test_many_bands(disk):
    x = disk.expand(-1, 7, -1, -1) * torch.linspace(0.5, 1, 7)[:, None, None]
    A = Bands()
    result = restore(A(2 * x - 1), operator=A, sigma_y=0.05, steps=5)
    assert result.image.shape == (1, 7, 24, 32) and rms(result.image - x) < rms(result.plain - x)
    stream = io.BytesIO()
    result.save(stream)
    assert Image.open(stream).size == (32, 24)


def test_batches_are_restored_each_by_itself(disk):
    y = Slices()(2 * torch.cat([disk, 1 - disk]) - 1)
    both = restore(y, operator=Slices(), sigma_y=0.05, steps=2).image
    second = restore(y[1:], operator=Slices(), sigma_y=0.05, steps=2).image
    assert both.shape == (2, 1, 24, 32) and rms(both[1:] - second) < 1e-3


def test_y_in_its_own_units_of_three_channels(disk):
    """y= is not taken for a picture in [0, 1]: here it is x of [-1, 1], ten times."""

    class Ten(LinearOperator):
        def forward(self, x):
            return 10 * x

    x = disk.expand(-1, 3, -1, -1)
    result = restore(y=10 * (2 * x - 1), operator=Ten(), sigma_y=0.1, steps=2)
    assert rms(result.image - x) < 0.03


@pytest.mark.parametrize(
    ("y", "operator", "words"),
    [
        (torch.zeros(1, 3), Flat(), "x_shape"),
        (torch.zeros(5, 5, dtype=torch.cfloat), Aff(), "x_shape"),
        (torch.zeros(1, 3, 8, 8, dtype=torch.cfloat), Aff(), "gives real numbers"),
        (torch.zeros(2, 3, 4, 5, 6), Slices(), "x_shape"),
        (torch.zeros(0), Slices(), "no measurement"),
        (torch.full((1, 8, 8), torch.nan), Slices(), "NaN"),
        ("text", Slices(), "no such file"),
        (torch.rand(1, 3, 8, 8), Lin(), "AffineOperator"),
    ],
)
def test_what_does_not_fit_is_refused_before_the_weights_load(y, operator, words, monkeypatch):
    monkeypatch.setattr(Setup, "load_prior", None)
    with pytest.raises((ValueError, OSError), match=words) as caught:
        restore(y=y, operator=operator)
    assert "\n" not in str(caught.value)


def test_what_is_of_pictures_is_refused(disk):
    y = Slices()(disk)
    for settings in ({"sigma_y": "auto"}, {"colourfix": "wavelet"}, {"noise": "camera"}):
        with pytest.raises(ValueError, match="measurement"):
            restore(y, operator=Slices(), steps=1, **settings)


def test_a_result_far_from_y_is_told_of(disk, caplog):
    class Other(Slices):
        def forward(self, x):
            return super().forward(x.abs() * 3)

        adjoint = Slices.adjoint

    y = Slices()(2 * disk - 1)
    result = restore(y, operator=Other(), sigma_y=0.01, steps=2)
    assert "does not explain y" in caplog.text and "does not explain y" in result.report["doubt"]
    assert "far from y" in repr(result)
    caplog.clear()
    result = restore(y, operator=Slices(), sigma_y=0.05, steps=2)
    assert "explain" not in caplog.text and result.report["doubt"] is None
    assert "far from y" not in repr(result)


@pytest.mark.parametrize("what", ["measurement", "photo", "y="])
def test_zero_is_evaluated_once(what, disk):
    """A(0), which tells what fits, is remembered, until the operator is used again."""
    seen = []

    class Counting(Slices if what == "measurement" else LinearOperator):
        def forward(self, x):
            if not x.any() and not x.requires_grad:
                seen.append(tuple(x.shape))
            return super().forward(x) if what == "measurement" else 0.5 * x

    A = Counting()
    given = Slices()(2 * disk - 1) if what == "measurement" else disk.expand(-1, 3, -1, -1)
    take = {"y": given} if what == "y=" else {"photo": given}
    for times in (1, 2):
        restore(**take, operator=A, sigma_y=0.05, sampler="ddnm", steps=1)
        assert len(seen) == times and seen[0][0] == 1


def test_a_dear_operator_says_what_a_step_takes(disk, caplog, monkeypatch):
    monkeypatch.setattr(measure, "DEAR", 0.0)
    with caplog.at_level("INFO", "gdp"):
        restore(Slices()(2 * disk - 1), operator=Slices(), sigma_y=0.05, steps=1)
    assert "up to 30 conjugate gradients" in caplog.text and "sampler=dds" in caplog.text
    caplog.clear()
    with caplog.at_level("INFO", "gdp"):
        restore(disk[0].expand(3, -1, -1), task="sr4", sigma_y=0.05, steps=1)
    assert "conjugate gradients" not in caplog.text


def test_an_operator_of_numbers_given_a_photo(cli, cat):  # noqa: F811
    """In a line, before the weights load; with degrade=true they are made of the photo."""
    for task in ("operator=fourier", "operator.ratio=0.5"):
        words = ("operator=fourier", task, f"input={cat}", "steps=1")
        code, _, err = cli(*words, "output=o")
        assert code == 2 and "degrade=true" in err and len(err.strip().splitlines()) == 1
    assert cli("operator=fourier", f"input={cat}", "steps=1", "degrade=true", "output=p")[0] == 0


@pytest.mark.parametrize("name", ["y.npy", "y.npz", "y.pt", "y.mat"])
def test_files(name, cli, disk):  # noqa: F811
    Path("mine.py").write_text(USER)
    y = Slices()(2 * disk - 1)
    if name == "y.npy":
        np.save(name, y)
    elif name == "y.npz":
        np.savez(name, y=y, other=np.zeros(3))
    elif name == "y.pt":
        torch.save(y, name)
    else:
        from scipy.io import savemat

        savemat(name, {"kspace": y[0].numpy()})
    words = ("operator=custom", "operator._target_=mine.Slices", "sigma_y=0.05", "steps=3")
    assert cli(*words, f"input={name}", "output=o", "report=false")[0] == 0
    assert files("o") == ["y.compare.png", "y.json", "y.png", "y.restored.npy"]
    assert rms(np.load("o/y.restored.npy") - disk[0].numpy()) < 0.1
    with Image.open("o/y.png") as picture:
        assert picture.size == (32, 24)
    assert json.loads(Path("o/y.json").read_text())["consistency"] < 0.5
    assert "finished before" in cli(*words, f"input={name}", "output=o", "report=false")[2]


def test_files_that_hold_nothing_of_use(cli, disk):  # noqa: F811
    Path("mine.py").write_text(USER)
    Path("a.npy").write_bytes(b"nothing")
    np.savez("b.npz", a=np.zeros(3), b=np.zeros(3))
    np.save("c.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    Path("d.mat").write_bytes(b"MATLAB 7.3 MAT-file" + bytes(109) + b"\0\2IM" + bytes(400))
    Path("e.mat").write_bytes(b"nothing")
    Path("f.pt").write_bytes(b"nothing")
    for name in ("a.npy", "b.npz", "c.npy", "d.mat", "e.mat", "f.pt"):
        code, _, err = cli(
            "operator=custom", "operator._target_=mine.Slices", f"input={name}", "output=o"
        )
        assert code == 2 and name in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(("name", "code"), [("Lin", 2), ("Aff", 0), ("Flat", 2)])
def test_affine_called_linear_on_the_command_line(name, code, cli, cat):  # noqa: F811
    Path("mine.py").write_text(USER)
    words = ("operator=custom", f"operator._target_=mine.{name}", f"input={cat}", "steps=1")
    got, _, err = cli(*words, "output=o", *(["degrade=true"] if name == "Flat" else []))
    assert got == code
    assert name != "Lin" or "derive it from AffineOperator" in err
    assert name != "Flat" or "define x_shape" in err


def test_complex_y_made_of_a_photo(cli, cat):  # noqa: F811
    Path("mine.py").write_text(USER)
    words = ("operator=custom", "operator._target_=mine.Slices", f"input={cat}", "steps=3")
    assert cli(*words, "output=o", "degrade=true", "sigma_y=0.02")[0] == 0
    report = json.loads(Path("o/cat.json").read_text())
    assert report["scores"]["psnr"] > 15 and report["sigma_y"] == pytest.approx(0.02)


def test_bytes_and_open_files(cat):
    whole = restore(cat, task="denoise", sigma_y=0.1, steps=1).image
    for what in (cat.read_bytes(), io.BytesIO(cat.read_bytes())):
        image = restore(what, task="denoise", sigma_y=0.1, steps=1).image
        assert np.array_equal(np.asarray(image), np.asarray(whole))
    with pytest.raises(ValueError, match="photo"):
        restore(b"nothing", task="denoise")
    with pytest.raises(TypeError, match="'rb'"):
        restore(io.StringIO("text"), task="denoise")
    with pytest.raises(TypeError, match="one of them"):
        restore(task="denoise")


def test_saving_to_open_files_and_as_numbers(cat, tmp_path):
    result = restore(cat, task="denoise", sigma_y=0.1, steps=1)
    stream = io.BytesIO()
    assert result.save(stream, format="jpg") is stream
    assert Image.open(stream).format == "JPEG"
    result.save(tmp_path / "x.npy")
    assert np.load(tmp_path / "x.npy").shape == (3, 20, 24)


def test_on_step_gives_the_picture(cat):
    shown = []
    restore(
        cat,
        task="sr4",
        steps=4,
        lowres="ladder",
        on_step=lambda done, total, x0: shown.append((tuple(x0.shape), *map(float, x0.aminmax()))),
    )
    assert {shape for shape, _, _ in shown} == {(1, 3, 80, 96)}
    assert all(low >= 0 and high <= 1 for _, low, high in shown)


def test_floats_of_the_network_are_told_how_to_be_pixels():
    with pytest.raises(ValueError, match=r"from -1 to 1 by \(x / 2 \+ 1\) / 2"):
        restore(torch.rand(3, 8, 8) * 4 - 2, task="denoise")


def test_floats_may_hold_strong_noise():
    noisy = torch.rand(3, 64, 64)
    noisy[:, 0, 0] = -0.8  # as few pixels have it at sigma_y=0.2
    assert restore(noisy, task="denoise", sigma_y=0.2, steps=1).report["nfe"] == 1


def test_the_types_are_told():
    assert (Path(gdp.__file__).parent / "py.typed").is_file()
