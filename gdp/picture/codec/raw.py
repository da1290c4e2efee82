"""Raw files: what a camera's sensor saw, developed by rawpy where that is installed."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gdp.picture.codec.deep import Deep
from gdp.picture.photo import RefusedError, TooLargeError

REDUCED, SUB_IFDS, PHOTOMETRIC, DNG_VERSION = 254, 330, 262, 50706  # TIFF's tags
MOSAICS = (32803, 34892)  # photometric interpretations: filters before the sensor, and linear raw


def tells_raw(tags: Any) -> bool:
    """Whether the tags of a TIFF's first page are those of a raw file with a small picture first.

    Args:
        tags: values by their numbers, as PIL has them.
    """
    small = bool(int(tags.get(REDUCED, 0) or 0) & 1)
    return DNG_VERSION in tags or (small and SUB_IFDS in tags) or tags.get(PHOTOMETRIC) in MOSAICS


def develop(file: Path, most: float) -> Deep:
    """Develop a raw file: 16 bits, sRGB, the camera's white balance, its brightness as it was.

    Args:
        file: the raw file.
        most: pixels that are taken.

    Raises:
        RefusedError: rawpy is not installed, or does not know the camera.
        TooLargeError: it has more pixels.
    """
    if find_spec("rawpy") is None:
        raise RefusedError(
            "is a raw file, which needs the package rawpy (pip install rawpy); "
            "or develop it and save it as TIFF or PNG"
        )
    import rawpy

    try:
        with rawpy.imread(str(file)) as raw:
            if raw.sizes.width * raw.sizes.height > most:
                raise TooLargeError
            values = raw.postprocess(output_bps=16, use_camera_wb=True, no_auto_bright=True)
    except TooLargeError:
        raise
    except Exception as error:  # LibRaw's errors are of many classes
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise RefusedError(
            f"is a raw file that rawpy cannot develop ({reason}); "
            "develop it by another program and save it as TIFF or PNG"
        ) from None
    return Deep(values, alpha=False)
