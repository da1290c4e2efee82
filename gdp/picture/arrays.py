"""Pictures of Python code: PIL images, numpy arrays and torch tensors become photos.

What is made of them is given back as the kind that came.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gdp.picture.alpha import extend_alpha, fill_transparent, resize_alpha
from gdp.picture.codec.exif import upright
from gdp.picture.codec.read import read
from gdp.picture.codec.shallow import photo_of
from gdp.picture.panels import picture_of
from gdp.picture.photo import Photo, RefusedError
from gdp.picture.scale import check_scale
from gdp.picture.units import WHITE
from gdp.storage.places import expand

Back = Callable[[Tensor], Any]
Frame = tuple[int, int, int, int] | None


class Source(NamedTuple):
    """The photos that a caller handed over, and how results become the caller's kind.

    Attributes:
        photos: one, or the pictures of a batch.
        picture: turns pixels [B, C, H, W] in [0, 1] into a picture.
        map: turns a map [B, C, H, W] of numbers into one.
        name: what to call the photo in messages.
        file: where it comes from, if from a file.
    """

    photos: list[Photo]
    picture: Back
    map: Back
    name: str = "photo"
    file: Path | None = None


def source_of(
    what: Any,
    name: str = "photo",
    frame: Frame = None,
    page: int | None = None,
    folder: Path | None = None,
) -> Source:
    """Take a picture of any kind.

    Args:
        what: a path, the bytes of a file or an open one, a PIL image, a numpy array [H, W] or
            [H, W, 3 or 4], or a torch tensor [3, H, W] or [B, 3, H, W].
        name: what to call it in messages.
        frame: pixels that a result has more than the photo at the left, right, top and bottom;
            the photo's transparency does not go on there.
        page: which picture of a file that holds several, from 1.
        folder: where bytes are written to, as the file that they are.

    Raises:
        OSError: the file cannot be read.
        TypeError: it is of no such kind.
        ValueError: it is no picture, or its numbers have another scale than [0, 1].
    """
    if isinstance(what, str | Path):
        photo = read(what, page)
        if photo.alpha is not None:
            photo = photo._replace(alpha=extend_alpha(photo.alpha, frame))
        return Source([photo], pil_of(photo), array_of, Path(what).name, expand(what))

    if isinstance(what, bytes | bytearray | memoryview) or hasattr(what, "read"):
        file = None if folder is None else folder / "photo"
        photo = read_bytes(what, name, file)
        if photo.alpha is not None:
            photo = photo._replace(alpha=extend_alpha(photo.alpha, frame))
        return Source([photo], pil_of(photo), array_of, name, file)

    if isinstance(what, Image.Image):
        try:
            photo = photo_of(upright(what), name)
        except RefusedError as error:
            raise ValueError(f"the {name} {error}") from None
        if photo.alpha is not None:
            photo = photo._replace(
                pixels=fill_transparent(photo.pixels, photo.alpha),
                alpha=extend_alpha(photo.alpha, frame),
            )
        return Source([photo], pil_of(photo), array_of, name)

    if isinstance(what, np.ndarray):
        return of_array(what, name, frame)
    if isinstance(what, Tensor):
        return of_tensor(what, name)
    raise TypeError(
        f"the {name} is a {type(what).__name__}; "
        "it can be a path, bytes, an open file, a PIL image, a numpy array or a torch tensor"
    )


def read_bytes(what: Any, name: str, file: Path | None = None) -> Photo:
    """The photo in the bytes of a file, which are left in `file`, or in an open one.

    TypeError where that is open for text, ValueError where it holds no picture.
    """
    content = what.read() if hasattr(what, "read") else bytes(what)
    if not isinstance(content, bytes):
        raise TypeError(f"the {name} is a file of text; open it with mode 'rb'")
    if file is None:
        with tempfile.TemporaryDirectory() as folder:
            return read_bytes(content, name, Path(folder) / "photo")
    file.write_bytes(content)
    try:
        return read(file)
    except ValueError as error:
        raise ValueError(str(error).replace(str(file), f"the {name}")) from None


def pil_of(photo: Photo) -> Back:
    """Pixels [1, 3, H, W] as an 8-bit PIL image, with `photo`'s transparency and profile."""

    def back(pixels: Tensor) -> Image.Image:
        image = picture_of(pixels)
        if photo.alpha is not None:
            alpha = resize_alpha(photo.alpha.float(), image.height, image.width)[0, 0]
            image.putalpha(Image.fromarray((alpha * 255).round().byte().numpy()))
        if photo.icc is not None:
            image.info["icc_profile"] = photo.icc
        return image

    return back


def of_array(array: np.ndarray, name: str, frame: Frame = None) -> Source:
    """A picture [H, W], or [H, W, 1, 3 or 4], of uint8, uint16, or floats in [0, 1].

    A fourth channel is transparency. See `source_of`.
    """
    shaped = array[..., None] if array.ndim == 2 else array
    if shaped.ndim != 3 or shaped.shape[-1] not in (1, 3, 4) or 0 in shaped.shape:
        raise ValueError(
            f"the {name} is an array of shape {array.shape}; "
            "it can be (H, W), (H, W, 3) or (H, W, 4)"
        )
    white = WHITE.get(array.dtype.name)
    if white is None and array.dtype.kind != "f":
        raise TypeError(
            f"the {name} is an array of {array.dtype}; "
            "it can be of uint8, uint16, or floats in [0, 1]"
        )

    # Colours and transparency, [1, C, H, W] in [0, 1].
    floats = np.ascontiguousarray(shaped, dtype=np.float32) / (white or 1)
    values = torch.from_numpy(floats).permute(2, 0, 1)[None]
    alpha = values[:, 3:].clamp(0, 1) if values.shape[1] == 4 else None
    pixels = values[:, :3].expand(-1, 3, -1, -1).contiguous()
    check_scale(pixels, name)
    if alpha is not None:
        pixels, alpha = fill_transparent(pixels, alpha), extend_alpha(alpha, frame)

    photo = Photo(
        pixels,
        rounding=0.0 if white is None else 1 / (white * 12**0.5),
        alpha=alpha,
        grey=values.shape[1] == 1,
        depth=32 if white is None else 8 if white == 255 else 16,
    )

    def back(pixels: Tensor) -> np.ndarray:
        out = pixels[0].clamp(0, 1).float().cpu()
        if alpha is not None:
            out = torch.cat([out, resize_alpha(alpha, *out.shape[-2:])[0]])
        result = out.permute(1, 2, 0).numpy()
        return (result if white is None else np.rint(result * white)).astype(array.dtype)

    return Source([photo], back, array_of, name)


def of_tensor(tensor: Tensor, name: str) -> Source:
    """One picture [3, H, W] or several [B, 3, H, W], floats in [0, 1].

    Results lie on the same device, in the same type. See `source_of`.
    """
    if not tensor.is_floating_point():
        raise TypeError(
            f"the {name} is a tensor of {tensor.dtype}; "
            "it takes floats in [0, 1]: divide by the largest value first"
        )
    if tensor.ndim not in (3, 4) or tensor.shape[-3] != 3 or 0 in tensor.shape:
        raise ValueError(
            f"the {name} is a tensor of shape {tuple(tensor.shape)}; "
            "it can be [3, H, W], or several photos [B, 3, H, W]"
        )

    pixels = tensor.detach().float().clone(memory_format=torch.contiguous_format)
    check_scale(pixels, name)
    batch = pixels if tensor.ndim == 4 else pixels[None]
    photos = [Photo(one, rounding=0.0, depth=32) for one in batch.split(1)]

    def back(map: Tensor) -> Tensor:
        out = map.to(tensor.device, tensor.dtype)
        return out if tensor.ndim == 4 else out[0]

    return Source(photos, lambda pixels: back(pixels.clamp(0, 1)), back, name)


def array_of(map: Tensor) -> np.ndarray:
    """[1, 1, H, W] as an array [H, W], [1, 3, H, W] as [H, W, 3]."""
    array = map[0].float().cpu().numpy()
    return array[0] if len(array) == 1 else array.transpose(1, 2, 0)
