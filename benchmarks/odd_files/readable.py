"""Files that hold a picture, however odd: all of them must be restored."""

import numpy as np
from PIL import Image, features

from benchmarks.odd_files.files import H, W, encoded, tiff, values
from benchmarks.odd_files.tags import exif, icc_cmyk, icc_grey, icc_srgb, in_lab
from gdp.picture.codec.png16 import png16


def common() -> dict[str, bytes]:
    """Make files of the usual kinds, by name; damage begins with these."""
    rgb, rgba = Image.fromarray(values()), Image.fromarray(values(4))
    palette = rgb.quantize(16)
    deep = values(4).astype(np.uint16) * 257
    floats = (values() / 255).astype(np.float32)

    return {
        "rgb.png": encoded(rgb, "PNG", icc_profile=icc_srgb()),
        "rgba.png": encoded(rgba, "PNG"),
        "palette.png": encoded(palette, "PNG", transparency=3),
        "deep.png": png16(deep[..., :3], icc_srgb(), exif(6)),
        "rgb.jpg": encoded(rgb, "JPEG", exif=exif(6), icc_profile=icc_srgb()),
        "progressive.jpg": encoded(rgb, "JPEG", progressive=True),
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG", icc_profile=icc_cmyk()),
        "lossy.webp": encoded(rgb, "WEBP", exif=exif(3)),
        "lossless.webp": encoded(rgba, "WEBP", lossless=True),
        "deflate.tif": encoded(rgb, "TIFF", compression="tiff_adobe_deflate"),
        "deep.tif": tiff(deep[..., :3], photometric="rgb", compression="zlib"),
        "float.tif": tiff(floats, photometric="rgb"),
        "rgb.bmp": encoded(rgb, "BMP"),
        "palette.gif": encoded(palette, "GIF", transparency=3),
    }


def odd_pictures() -> dict[str, bytes]:
    """Make PNG, JPEG, GIF and WebP files of odd modes and sizes, by name."""
    rgb, rgba = Image.fromarray(values()), Image.fromarray(values(4))
    grey = rgb.convert("L")
    deep = values(4).astype(np.uint16) * 257

    return {
        "grey.png": encoded(grey, "PNG", icc_profile=icc_grey()),
        "grey_alpha.png": encoded(rgba.convert("LA"), "PNG"),
        "key.png": encoded(rgb, "PNG", transparency=tuple(int(v) for v in values()[3, 3])),
        "bilevel.png": encoded(rgb.convert("1"), "PNG"),
        "deep_grey.png": encoded(Image.fromarray(deep[..., 0]), "PNG"),
        "deep_grey_alpha.png": png16(deep[..., :2]),
        "deep_rgba.png": png16(deep),
        "clear.png": encoded(Image.new("RGBA", (W, H), (255, 0, 0, 0)), "PNG"),
        "one.png": encoded(rgb.crop((0, 0, 1, 1)), "PNG"),
        "row.png": encoded(rgb.resize((300, 1)), "PNG"),
        "column.png": encoded(rgb.resize((1, 300)), "PNG"),
        "small.jpg": encoded(rgb.crop((0, 0, 3, 2)), "JPEG"),
        "grey.jpg": encoded(grey, "JPEG"),
        "grey_rgb_profile.jpg": encoded(grey, "JPEG", icc_profile=icc_srgb()),
        "cmyk_no_profile.jpg": encoded(rgb.convert("CMYK"), "JPEG"),
    }


def odd_tiffs() -> dict[str, bytes]:
    """Make TIFF files of odd colours, compressions and layouts, by name, and a PPM."""
    rgb = Image.fromarray(values())
    deep = values(4).astype(np.uint16) * 257
    floats = (values() / 255).astype(np.float32)

    return {
        "cmyk.tif": encoded(rgb.convert("CMYK"), "TIFF", icc_profile=icc_cmyk()),
        "lab.tif": encoded(in_lab(rgb), "TIFF"),
        "ycbcr.tif": encoded(rgb.convert("YCbCr"), "TIFF"),
        "lzw.tif": encoded(rgb, "TIFF", compression="tiff_lzw"),
        "jpeg.tif": encoded(rgb, "TIFF", compression="jpeg"),
        "fax.tif": encoded(rgb.convert("1"), "TIFF", compression="group4"),
        "big_endian.tif": tiff(deep[..., :3], photometric="rgb", byteorder=">"),
        "big_endian_float.tif": tiff(
            floats[..., 0], photometric="minisblack", byteorder=">", compression="zlib"
        ),
        "bigtiff.tif": tiff(deep[..., :3], photometric="rgb", bigtiff=True),
        "planar.tif": tiff(
            deep[..., :3].transpose(2, 0, 1), photometric="rgb", planarconfig="separate"
        ),
        "tiles.tif": tiff(deep[..., :3], photometric="rgb", tile=(16, 16)),
        "premultiplied.tif": tiff(deep, photometric="rgb", extrasamples=["assocalpha"]),
        "inverted.tif": tiff(deep[..., 0], photometric="miniswhite"),
        "half.tif": tiff(floats.astype(np.float16), photometric="rgb"),
        "portable.ppm": encoded(rgb, "PPM"),
    }


def several() -> dict[str, bytes]:
    """Make files of two pictures each, of which one has to be asked for, by name."""
    rgb, other = Image.fromarray(values()), Image.fromarray(values(seed=1))
    palette, grey = rgb.quantize(16), rgb.convert("L")

    return {
        "animated.png": encoded(rgb, "PNG", save_all=True, append_images=[other]),
        "animated.gif": encoded(palette, "GIF", save_all=True, append_images=[grey], duration=50),
        "animated.webp": encoded(rgb, "WEBP", save_all=True, append_images=[other]),
        "pages.tif": encoded(rgb.copy(), "TIFF", save_all=True, append_images=[other]),
        "deep_pages.tif": tiff(np.stack([values(1)[..., 0].astype(np.uint16) * 257] * 2)),
    }


def odd_tags() -> dict[str, bytes]:
    """Make files with odd orientations, EXIF and colour profiles, by name."""
    rgb = Image.fromarray(values())
    deep = values(4).astype(np.uint16) * 257

    return {
        **{f"turned{n}.jpg": encoded(rgb, "JPEG", exif=exif(n)) for n in range(10)},
        **{
            f"turned{n}.tif": tiff(
                deep[..., :3], photometric="rgb", extratags=[(274, 3, 1, n, True)]
            )
            for n in (3, 5, 8)
        },
        "text_for_orientation.jpg": encoded(
            rgb, "JPEG", exif=exif(1).replace(b"\x01\x12\x00\x03", b"\x01\x12\x00\x02")
        ),
        "junk_exif.jpg": encoded(rgb, "JPEG", exif=b"Exif\0\0" + b"\xff" * 200),
        "junk_profile.png": encoded(rgb, "PNG", icc_profile=b"\xff" * 500),
        "short_profile.png": encoded(rgb, "PNG", icc_profile=icc_srgb()[:200]),
        "foreign_profile.png": encoded(rgb, "PNG", icc_profile=icc_cmyk()),
        "large_profile.jpg": encoded(rgb, "JPEG", icc_profile=icc_srgb() + b"\0" * 2**21),
    }


def sound() -> dict[str, bytes]:
    """Make files of every kind that is read, by name."""
    files, odd = common(), {**odd_pictures(), **odd_tiffs(), **odd_tags()}
    if features.check("avif"):
        files["rgb.avif"] = encoded(Image.fromarray(values()), "AVIF")
        odd["rgba.avif"] = encoded(Image.fromarray(values(4)), "AVIF")
    return files | odd
