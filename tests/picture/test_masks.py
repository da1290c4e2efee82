"""Masks that users paint."""

import numpy as np
import pytest
import torch
from PIL import Image

from gdp.picture import mask_of, read_mask
from operators.missing.mask import Mask


def test_masks(tmp_path, mask_file):
    keep = read_mask(str(mask_file))
    assert keep.shape == (1, 1, 20, 30) and keep[0, 0, 6, 12] == 0 and keep[0, 0, 0, 0] == 1
    for value, match in ((0, "no white"), (255, "all over")):
        Image.new("L", (4, 4), value).save(tmp_path / "m.png")
        with pytest.raises(ValueError, match=match):
            read_mask(str(tmp_path / "m.png"))
    with pytest.raises(ValueError, match="mask=FILE"):
        read_mask(None)


def test_a_mask_that_looks_inverted_is_told(tmp_path, caplog):
    picture = Image.new("L", (10, 10), 255)
    picture.putpixel((0, 0), 0)
    picture.save(tmp_path / "m.png")
    assert float(read_mask(str(tmp_path / "m.png")).sum()) == 1 and "99 % for repair" in caplog.text


def test_a_mask_painted_on_transparency(tmp_path):
    mask = Image.new("RGBA", (8, 6), (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (2, 2, 5, 4))
    mask.save(tmp_path / "m.png")
    assert float((1 - read_mask(str(tmp_path / "m.png"))).sum()) == 6
    Image.fromarray(np.pad(np.full((2, 3), 65535, np.uint16), 3)).save(tmp_path / "deep.png")
    assert float((1 - read_mask(str(tmp_path / "deep.png"))).sum()) == 6


HARD = np.zeros((6, 8), bool)
HARD[1:4, 2:5] = True


@pytest.mark.parametrize(
    "mask",
    [
        HARD.astype(np.uint8),
        HARD.astype(np.uint8) * 255,
        HARD.astype(np.int64),
        HARD.astype(np.float32) * 255,
        HARD.astype(np.uint16) * 65535,
        np.dstack([HARD] * 3 + [np.ones_like(HARD)]).astype(np.uint8) * 255,
        np.dstack([np.ones_like(HARD)] * 3 + [HARD]).astype(np.uint8) * 255,
        torch.from_numpy(HARD)[None, None],
        torch.from_numpy(HARD).float().expand(3, -1, -1),
        Image.fromarray(HARD),
        Image.fromarray(HARD.astype(np.uint8) * 255).convert("RGBA"),
        Image.fromarray(HARD.astype(np.uint8)),
    ],
)
def test_masks_of_every_type_are_the_same(tmp_path, mask):
    assert torch.equal(mask_of(mask)[0, 0] == 1, torch.from_numpy(HARD))
    if isinstance(mask, Image.Image):
        mask.save(tmp_path / "m.png")
        assert torch.equal(read_mask(tmp_path / "m.png")[0, 0] == 0, torch.from_numpy(HARD))


def test_masks_that_are_none():
    for wrong, error in (
        (np.full((4, 4), -1), ValueError),
        (np.full((4, 4), np.nan), ValueError),
        (np.ones((2, 5, 6)), ValueError),
        (np.ones((4, 4), complex), TypeError),
        ("mask", TypeError),
    ):
        with pytest.raises(error, match="mask"):
            mask_of(wrong)


def test_grey_repairs_in_part(tmp_path):
    mask = np.zeros((6, 8), np.uint8)
    mask[2, 2:7] = (5, 64, 128, 200, 252)  # the ends are what compression makes of 0 and 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    known = read_mask(tmp_path / "m.png")
    expected = [1, 1 - 64 / 255, 1 - 128 / 255, 1 - 200 / 255, 0]
    assert known[0, 0, 2, 2:7].tolist() == pytest.approx(expected)
    assert torch.allclose(read_mask(mask_of(mask)), known)
    assert torch.allclose(read_mask(mask_of(255 - mask), invert=True), known, atol=1e-6)
    np.save(tmp_path / "m.npy", mask)
    assert torch.allclose(read_mask(tmp_path / "m.npy"), known)

    A, photo, x = Mask(known), torch.rand(1, 3, 6, 8), torch.rand(1, 3, 6, 8)
    assert A.mask[0, 0, 2].tolist() == [1, 1, 1, 0, 0, 0, 0, 1]
    share = torch.tensor(expected)
    blended = A.blend(x, photo)[0, :, 2, 2:7]
    torch.testing.assert_close(blended, share * photo[0, :, 2, 2:7] + (1 - share) * x[0, :, 2, 2:7])
    assert torch.equal(
        A.blend(x, photo)[A.mask.expand(1, 3, -1, -1) == 1],
        photo[:, :, :, :][A.mask.expand(1, 3, -1, -1) == 1],
    )


@pytest.mark.parametrize("name", ["m.npy", "M.NPY", "m.npz", "m.mat", "m.pt", "two.npz"])
def test_masks_in_files_of_arrays(name, tmp_path):
    """Whatever kind of array file it is, read as measurements are."""
    mask, file = np.zeros((6, 8), np.uint8), tmp_path / name
    mask[1:3, 2:5] = 1
    if name.lower().endswith(".npy"):
        with file.open("wb") as stream:
            np.save(stream, mask)
    elif name == "two.npz":
        np.savez(file, mask=mask, other=np.zeros(3))
    elif name == "m.npz":
        np.savez(file, mask)
    elif name == "m.mat":
        from scipy.io import savemat

        savemat(file, {"hole": mask.astype(float)})
    else:
        torch.save(torch.from_numpy(mask).bfloat16(), file)
    assert torch.equal(read_mask(file)[0, 0], 1 - torch.from_numpy(mask).float())

    file.write_bytes(b"nothing")
    with pytest.raises(ValueError, match=f"{name} cannot be read as a mask"):
        read_mask(file)
