"""Tables of files: what no JPEG of ours is, is refused."""

import pytest
from PIL import Image

from operators.coded.jpeg import JPEG


def broken(kind: str, folder) -> str:
    """A file that gives no tables, and why."""
    file, picture = folder / "broken.jpg", Image.new("RGB", (8, 8))
    if kind == "png":
        picture.save(file, "PNG")
    elif kind == "cmyk":
        picture.convert("CMYK").save(file)
    else:
        exif = Image.Exif()
        exif[0x0112] = 6
        picture.save(file, exif=exif)
    return str(file)


@pytest.mark.parametrize(
    "kind, match", [("png", "no JPEG"), ("cmyk", "unusual"), ("turned", "losslessly")]
)
def test_tables_of_other_files(kind, match, tmp_path):
    with pytest.raises(ValueError, match=match):
        JPEG(tables=broken(kind, tmp_path))


def test_a_missing_file():
    with pytest.raises(FileNotFoundError, match="operator"):
        JPEG(tables="none.jpg")
