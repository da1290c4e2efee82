"""Pictures of Python code: PIL images, numpy arrays and torch tensors as Photos, and results as the kind that came."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from gdp.picture.alpha import fitted, framed, spread
from gdp.picture.codec.read import plain_photo, read, upright
from gdp.picture.image import picture_of
from gdp.picture.photo import Photo, RefusedError

LEVELS = {"uint8": 255, "uint16": 65535}
USUAL = (-0.6, 1.6)  # floats in [0, 1] and their noise; what goes beyond has another scale
Back = Callable[[Tensor], Any]
Frame = tuple[int, int, int, int] | None


class Given(NamedTuple):
    """What a caller gave: the photos in it, and how pixels [B, C, H, W] in [0, 1] become a picture, and a map, of the caller's kind."""

    photos: list[Photo]
    picture: Back
    map: Back
    name: str = "photo"
    file: Path | None = None


def given(what: Any, name: str = "photo", frame: Frame = None) -> Given:
    """One photo, or several where it is a tensor [B, 3, H, W]; OSError, TypeError or ValueError where it is none.

    `frame` is what a result has more than the photo at the left, right, top and bottom, in pixels: its transparency does not go on there.
    """
    if isinstance(what, str | Path):
        photo = read(what)
        photo = photo if photo.alpha is None else photo._replace(alpha=framed(photo.alpha, frame))
        return Given([photo], pil_of(photo), array_of, Path(what).name, Path(what).expanduser())
    if isinstance(what, Image.Image):
        try:
            photo = plain_photo(Path(name), upright(what), 16, False)
        except RefusedError as error:
            raise ValueError(f"the {name} {error}") from None
        photo = (
            photo
            if photo.alpha is None
            else photo._replace(
                pixels=spread(photo.pixels, photo.alpha), alpha=framed(photo.alpha, frame)
            )
        )
        return Given([photo], pil_of(photo), array_of, name)
    if isinstance(what, np.ndarray):
        return of_array(what, name, frame)
    if isinstance(what, Tensor):
        return of_tensor(what, name)
    raise TypeError(
        f"the {name} is a {type(what).__name__}; it can be a path, a PIL image, a numpy array or a torch tensor"
    )


def pil_of(photo: Photo) -> Back:
    """Pixels [1, 3, H, W] to an 8-bit PIL image, with the transparency and the colour profile of `photo`."""

    def back(pixels: Tensor) -> Image.Image:
        made = picture_of(pixels)
        if photo.alpha is not None:
            alpha = fitted(photo.alpha.float(), made.height, made.width)[0, 0]
            made.putalpha(Image.fromarray((alpha * 255).round().byte().numpy()))
        if photo.icc is not None:
            made.info["icc_profile"] = photo.icc
        return made

    return back


def of_array(array: np.ndarray, name: str, frame: Frame = None) -> Given:
    """[H, W], [H, W, 1], [H, W, 3] or [H, W, 4] of uint8, uint16, or floats in [0, 1]; a fourth channel is transparency."""
    shaped = array[..., None] if array.ndim == 2 else array
    if shaped.ndim != 3 or shaped.shape[-1] not in (1, 3, 4) or 0 in shaped.shape:
        raise ValueError(
            f"the {name} is an array of shape {array.shape}; it can be (H, W), (H, W, 3) or (H, W, 4)"
        )
    levels = LEVELS.get(array.dtype.name)
    if levels is None and array.dtype.kind != "f":
        raise TypeError(
            f"the {name} is an array of {array.dtype}; it can be of uint8, uint16, or floats in [0, 1]"
        )
    values = torch.from_numpy(
        np.ascontiguousarray(shaped, dtype=np.float32) / (levels or 1)
    ).permute(2, 0, 1)[None]
    alpha = values[:, 3:].clamp(0, 1) if values.shape[1] == 4 else None
    pixels = usual(values[:, :3].expand(-1, 3, -1, -1).contiguous(), name)
    rounding, depth = (
        (0.0, 32) if levels is None else (1 / (levels * 12**0.5), 8 if levels == 255 else 16)
    )
    if alpha is not None:
        pixels, alpha = spread(pixels, alpha), framed(alpha, frame)

    def back(pixels: Tensor) -> np.ndarray:
        out = pixels[0].clamp(0, 1).float().cpu()
        if alpha is not None:
            out = torch.cat([out, fitted(alpha, *out.shape[-2:])[0]])
        made = out.permute(1, 2, 0).numpy()
        return (
            made.astype(array.dtype)
            if levels is None
            else np.rint(made * levels).astype(array.dtype)
        )

    photo = Photo(pixels, rounding, alpha, grey=values.shape[1] == 1, depth=depth)
    return Given([photo], back, array_of, name)


def of_tensor(tensor: Tensor, name: str) -> Given:
    """[3, H, W] or [B, 3, H, W] of floats in [0, 1]; results lie on the same device, in the same type."""
    if not tensor.is_floating_point():
        raise TypeError(
            f"the {name} is a tensor of {tensor.dtype}; it takes floats in [0, 1]: divide by the largest value first"
        )
    if tensor.ndim not in (3, 4) or tensor.shape[-3] != 3 or 0 in tensor.shape:
        raise ValueError(
            f"the {name} is a tensor of shape {tuple(tensor.shape)}; it can be [3, H, W], or several photos [B, 3, H, W]"
        )

    def back(pixels: Tensor) -> Tensor:
        return placed(pixels.clamp(0, 1))

    def placed(map: Tensor) -> Tensor:
        out = map.to(tensor.device, tensor.dtype)
        return out if tensor.ndim == 4 else out[0]

    pixels = usual(tensor.detach().float().clone(memory_format=torch.contiguous_format), name)
    ones = (pixels if tensor.ndim == 4 else pixels[None]).split(1)
    return Given([Photo(one, 0.0, depth=32) for one in ones], back, placed, name)


def usual(pixels: Tensor, name: str) -> Tensor:
    """The pixels. ValueError where one is not finite, or they have another scale than [0, 1]."""
    if not pixels.isfinite().all():
        raise ValueError(f"the {name} holds NaN or infinite pixels; repair it first")
    low, high = (float(v) for v in pixels.aminmax())
    if low < USUAL[0] or high > USUAL[1]:
        raise ValueError(
            f"the {name}'s floats go from {low:.3g} to {high:.3g}; they should lie in [0, 1]: divide them by their white"
        )
    return pixels


def mask_of(what: Any) -> Tensor:
    """A mask picture or array as [1, 1, H, W], 1 where to repair: where it is white or True."""
    if isinstance(what, Image.Image):
        what = np.asarray(what.convert("L"))
    if not isinstance(what, np.ndarray | Tensor):
        raise TypeError(
            f"mask= is a {type(what).__name__}; it can be a path, a PIL image, a numpy array or a torch tensor"
        )
    flat = torch.as_tensor(
        np.array(what) if isinstance(what, np.ndarray) else what
    ).float().cpu() / LEVELS.get(str(what.dtype).removeprefix("torch."), 1)
    while flat.ndim > 2 and flat.shape[0] == 1:
        flat = flat[0]
    flat = flat[..., 0] if flat.ndim == 3 and flat.shape[-1] == 1 else flat
    if flat.ndim != 2 or not flat.numel():
        raise ValueError(
            f"mask= is an array of shape {tuple(what.shape)}; it takes (H, W), white or True where to repair"
        )
    return (flat >= 0.5).float()[None, None]


def array_of(map: Tensor) -> np.ndarray:
    """[1, 1, H, W] as an array [H, W], [1, 3, H, W] as [H, W, 3]."""
    array = map[0].float().cpu().numpy()
    return array[0] if len(array) == 1 else array.transpose(1, 2, 0)
