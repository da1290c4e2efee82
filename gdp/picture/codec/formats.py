"""The formats in which results are written, and what each can hold."""

from pathlib import Path

from PIL import features

# PIL's format by a file's suffix.
KINDS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".avif": "AVIF",
}
DEPTHS = {"PNG": (8, 16), "TIFF": (8, 16, 32)}  # bits a channel; others have 8
LONGEST_SIDE = {"JPEG": 65500, "WEBP": 16383, "BMP": 32767, "AVIF": 16384}  # pixels
SAME = "same"  # the format that stands for the input's


def check_output(format: str | None, quality: int, depth: int | None) -> None:
    """Check the settings that results are written by.

    Args:
        format: a suffix without its dot, or "same" for the input's; None is PNG.
        quality: 1 to 100.
        depth: 8, 16 or 32 bits a channel; None is the photo's own.

    Raises:
        ValueError: one is out of range, or they do not go together.
    """
    if format is not None and format != SAME and f".{format}" not in KINDS:
        raise ValueError(
            f"format={format}; it is {', '.join(s[1:] for s in KINDS)}, or same for the input's"
        )
    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise ValueError(
            f"image_quality={quality}; it is a whole number from 1, small files, to 100, good ones"
        )
    if depth is not None and (isinstance(depth, bool) or depth not in (8, 16, 32)):
        raise ValueError(f"depth={depth}; it is 8 or 16 bits a channel, or 32 for floats")

    if format == "avif" and not features.check("avif"):
        raise ValueError(
            "format=avif needs a pillow with AVIF (pip install -U pillow); or choose format=webp"
        )
    if format != SAME:
        check_depth(f".{format or 'png'}", depth)


def check_depth(suffix: str, depth: int | None) -> None:
    """Raise ValueError where the format of `suffix` has no such depth."""
    depths = DEPTHS.get(KINDS[suffix], (8,))
    if depth is not None and depth not in depths:
        fits = "png" if depth == 16 else "tiff"
        raise ValueError(
            f"depth={depth}, but {suffix[1:]} files hold {' or '.join(map(str, depths))} "
            f"bits a channel; choose format={fits}"
        )


def suffix_for(file: Path, format: str | None, scene: bool = False) -> str:
    """The suffix of a photo's result.

    Args:
        file: the photo.
        format: a suffix without its dot; None is PNG; "same" is the photo's own, and PNG where
            such files are not written.
        scene: whether the result has its light in NAME.tiff, so that it cannot be that itself.
    """
    suffix = f".{format or 'png'}"
    if format == SAME:
        own = file.suffix.lower()
        writable = own in KINDS and (KINDS[own] != "AVIF" or features.check("avif"))
        suffix = own if writable else ".png"

    return ".tif" if scene and suffix == ".tiff" else suffix


def check_result(suffix: str, depth: int | None, height: int, width: int) -> None:
    """Check that a file can hold a result.

    Args:
        suffix: the file's.
        depth: bits a channel; None is any.
        height: pixels.
        width: pixels.

    Raises:
        ValueError: files of this format have no such depth, or are never so large.
    """
    check_depth(suffix, depth)

    most = LONGEST_SIDE.get(KINDS[suffix])
    if most and max(height, width) > most:
        raise ValueError(
            f"the result is {width}x{height}, but {suffix[1:]} files have at most {most} "
            "pixels a side; choose format=png"
        )
