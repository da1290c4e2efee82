"""Tables of files: what no JPEG of ours is, is refused; a turned one is known as it is stored."""

import pytest
import torch
from PIL import Image
from skimage import data

from gdp.picture import read, to_model
from operators.coded.jpeg import JPEG
from operators.coded.planes import stored, turned
from operators.coded.tables import read_tables


def broken(kind: str, folder) -> str:
    """A file that gives no tables, and why."""
    file, picture = folder / "broken.jpg", Image.new("RGB", (8, 8))
    if kind == "png":
        picture.save(file, "PNG")
    else:
        picture.convert("CMYK").save(file)
    return str(file)


@pytest.mark.parametrize("kind, match", [("png", "no JPEG"), ("cmyk", "unusual")])
def test_tables_of_other_files(kind, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        JPEG(tables=broken(kind, tmp_path))


def test_a_missing_file():
    with pytest.raises(FileNotFoundError, match="operator"):
        JPEG(tables="none.jpg")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_a_turned_file_is_its_own_jpeg(orientation, subsampling, tmp_path):
    """Sides that blocks do not fill, and rows apart from columns: only one way of lying fits."""
    exif, file = Image.Exif(), tmp_path / "turned.jpg"
    exif[0x0112] = orientation
    picture = Image.fromarray(data.astronaut()[:61, 150:193])
    picture.save(file, quality=50, subsampling=subsampling, exif=exif)

    A, y = JPEG(tables=str(file)), to_model(read(file).pixels)
    assert A.orientation == orientation and y.shape[-2:] == ((61, 43), (43, 61))[orientation >= 5]
    again = (A(y) - y).abs().mean() * 127.5
    assert again < 1.5  # y is what A makes of it, but for clipping and the last rounding

    # As if it lay otherwise, it is not.
    A.orientation = 9 - orientation
    assert (A(y) - y).abs().mean() * 127.5 > 1.5 * again

    # Whitened noise comes back where it was.
    A.orientation = orientation
    W = A.block_whitening(0.1, torch.tensor(0.0))
    A.orientation = 1
    upright = A.block_whitening(0.1, torch.tensor(0.0))
    expected = turned(upright(stored(y, orientation)), orientation)
    torch.testing.assert_close(W(y), expected)


def test_turning_is_pillows():
    x = torch.arange(6.0).view(2, 3)
    for orientation in range(1, 9):
        assert torch.equal(stored(turned(x, orientation), orientation), x)
    assert turned(x, 6).tolist() == [[3, 0], [4, 1], [5, 2]]  # its right side is up


def test_a_damaged_orientation_is_none(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 77
    Image.new("RGB", (8, 8)).save(tmp_path / "odd.jpg", exif=exif)
    assert read_tables(str(tmp_path / "odd.jpg")).orientation == 1
