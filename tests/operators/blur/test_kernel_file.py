"""Blur kernels from files of every kind, and from arrays."""

import numpy as np
import pytest
import scipy.io
import scipy.ndimage
import scipy.signal
import tifffile
import torch
from PIL import Image

from operators.blur.iterated import Blur
from operators.blur.kernel_file import from_file, kernel_of
from operators.blur.known import blur

K = np.zeros((5, 7))
K[1, 1:6] = (40, 80, 120, 160, 200)
K[3, 2] = 255
TRUTH = torch.from_numpy(K / K.sum()).float()


def save(tmp_path, kind):
    """The kernel in a file of that kind."""
    file, eight = tmp_path / kind, K.astype(np.uint8)
    if kind == "alpha.png":
        Image.fromarray(np.dstack([np.full((5, 7, 3), 255, np.uint8), eight])).save(file)
    elif kind == "grey_alpha.png":
        Image.fromarray(np.dstack([np.full((5, 7), 255, np.uint8), eight])).save(file)
    elif kind == "turned.png":
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.fromarray(np.rot90(eight)).save(file, exif=exif)
    elif kind in ("f64.tif", "large.tif"):
        tifffile.imwrite(file, K / K.sum() if kind == "f64.tif" else K * 1000)
    elif kind == "deep.png":
        Image.fromarray(K.astype(np.uint16) * 257).save(file)
    elif kind.endswith(".npz"):
        np.savez(file, x=np.ones((9, 9)), k=K)
    elif kind == "levin.mat":
        scipy.io.savemat(file, {"x": np.ones((30, 30)), "f": K})
    elif kind.endswith(".pt"):
        torch.save(torch.from_numpy(K), file)
    elif kind == "complex.npy":
        np.save(file, K.astype(complex))
    elif kind.endswith(".NPY"):
        with file.open("wb") as stream:
            np.save(stream, K)
    else:
        Image.fromarray(eight).save(file)
    return file


@pytest.mark.parametrize(
    "kind",
    [
        *("grey.png", "alpha.png", "grey_alpha.png", "turned.png", "f64.tif", "large.tif"),
        *("deep.png", "K.NPY", "k.npz", "levin.mat", "k.pt", "complex.npy", "k.bmp"),
    ],
)
def test_files(tmp_path, kind):
    torch.testing.assert_close(from_file(save(tmp_path, kind)), TRUTH, atol=1e-6, rtol=1e-5)


def test_files_that_hold_none(tmp_path):
    np.save(tmp_path / "imaginary.npy", K + 1j)
    np.save(tmp_path / "three.npy", np.ones((3, 3, 3)))
    np.save(tmp_path / "text.npy", np.array([["a"]]))
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\0\2IM" + bytes(600)
    wrong = {"empty.npy": b"", "empty.mat": b"", "junk.png": b"hello", "v73.mat": header}
    wrong |= {"cut.npy": (tmp_path / "three.npy").read_bytes()[:90]}
    for name, data in wrong.items():
        (tmp_path / name).write_bytes(data)
    for name in ("imaginary.npy", "three.npy", "text.npy", *wrong):
        with pytest.raises(ValueError, match=f"{name} cannot be read as a kernel") as told:
            from_file(tmp_path / name)
        assert "\n" not in str(told.value)


def test_arrays_and_lists():
    for one in (K, K.tolist(), torch.from_numpy(K), K.astype(np.uint8), K[None, :, :, None]):
        torch.testing.assert_close(kernel_of(one), TRUTH)
    assert isinstance(blur(K), Blur)
    with pytest.raises(TypeError, match="a numpy array, a torch tensor"):
        kernel_of(5)


@pytest.mark.parametrize("shape", [(5, 7), (4, 6), (4, 5)])
def test_the_middle_is_that_of_scipy(shape):
    """As docs/operators.md says: scipy.ndimage's on even sides too, scipy.signal's once padded."""
    rng = np.random.default_rng(0)
    k, x = rng.random(shape), rng.random((16, 18))
    k /= k.sum()
    pixels = torch.from_numpy(x).float().expand(1, 3, -1, -1)

    ours = blur(k, border="circular")(pixels)[0, 0].numpy()
    np.testing.assert_allclose(ours, scipy.ndimage.convolve(x, k, mode="wrap"), atol=1e-5)

    before = np.pad(k, [(1 - n % 2, 0) for n in shape])
    ours = blur(before, border="circular")(pixels)[0, 0].numpy()
    theirs = scipy.signal.convolve2d(x, k, mode="same", boundary="wrap")
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
