"""Pictures of Python code: PIL images, numpy arrays and torch tensors, to Photos and back to the kind that came."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from gdp.image import Photo, from_pil, picture_of, read

LEVELS = {"uint8": 255, "uint16": 65535}
USUAL = (-0.6, 1.6)  # floats in [0, 1] and their noise; what goes beyond has another scale


class Kind(NamedTuple):
    """How pixels [B, 3, H, W] in [0, 1] become a picture of the caller's kind, and a map [B, 1, H, W] an array of theirs."""

    picture: Callable[[Tensor], Any]
    map: Callable[[Tensor], Any]


def photos_of(given: Any) -> tuple[list[Photo], Kind]:
    """The photos in what was given, one but for a tensor [B, 3, H, W]; OSError, TypeError or ValueError where it is no picture."""
    if isinstance(given, str | Path):
        return [read(given)], Kind(picture_of, values)
    if isinstance(given, Image.Image):
        return of_pil(given)
    if isinstance(given, np.ndarray):
        return of_array(given)
    if isinstance(given, Tensor):
        return of_tensor(given)
    raise TypeError(f"got a {type(given).__name__}; a photo is a path, a PIL image, a numpy array or a torch tensor")


def of_pil(given: Image.Image) -> tuple[list[Photo], Kind]:
    """A PIL image, turned upright; its transparency is laid over the result again."""
    alpha = np.asarray(given.convert("RGBA").getchannel("A")) if given.mode in ("RGBA", "LA", "PA") else None

    def picture(pixels: Tensor) -> Image.Image:
        made = picture_of(pixels)
        if alpha is not None:
            made.putalpha(Image.fromarray(alpha).resize(made.size, Image.Resampling.BICUBIC))
        return made

    return [from_pil(given, "the PIL image")], Kind(picture, values)


def of_array(given: np.ndarray) -> tuple[list[Photo], Kind]:
    """[H, W], [H, W, 1], [H, W, 3] or [H, W, 4] of uint8, uint16, or floats in [0, 1]; a fourth channel is transparency."""
    shaped = given[..., None] if given.ndim == 2 else given
    if shaped.ndim != 3 or shaped.shape[-1] not in (1, 3, 4) or 0 in shaped.shape:
        raise ValueError(f"got an array of shape {given.shape}; a photo is (H, W), (H, W, 3) or (H, W, 4)")
    levels = LEVELS.get(given.dtype.name)
    if levels is None and given.dtype.kind != "f":
        raise TypeError(f"got an array of {given.dtype}; a photo is of uint8, uint16, or floats in [0, 1]")
    scaled = torch.from_numpy(np.ascontiguousarray(shaped, dtype=np.float32) / (levels or 1)).permute(2, 0, 1)[None]
    alpha = scaled[:, 3:] if scaled.shape[1] == 4 else None

    def picture(pixels: Tensor) -> np.ndarray:
        out = pixels[:1].clamp(0, 1).float().cpu()
        if alpha is not None:
            out = torch.cat([out, F.interpolate(alpha, out.shape[-2:], mode="bicubic", align_corners=False).clamp(0, 1)], 1)
        array = out[0].permute(1, 2, 0).numpy()
        return array.astype(given.dtype) if levels is None else np.rint(array * levels).astype(given.dtype)

    return [checked(scaled[:, :3].expand(-1, 3, -1, -1), levels)], Kind(picture, values)


def of_tensor(given: Tensor) -> tuple[list[Photo], Kind]:
    """[3, H, W] or [B, 3, H, W] of floats in [0, 1]; results lie on the same device, of the same type."""
    if not given.is_floating_point():
        raise TypeError(f"got a tensor of {given.dtype}; a photo is of floats in [0, 1]: divide by the largest value first")
    if given.ndim not in (3, 4) or given.shape[-3] != 3 or 0 in given.shape:
        raise ValueError(f"got a tensor of shape {tuple(given.shape)}; a photo is [3, H, W], or several [B, 3, H, W]")

    def back(pixels: Tensor) -> Tensor:
        out = pixels.clamp(0, 1).to(given.device, given.dtype)
        return out if given.ndim == 4 else out[0]

    pixels = given.detach().float().clone()
    return [checked(one, None) for one in (pixels if given.ndim == 4 else pixels[None]).split(1)], Kind(back, back)


def checked(pixels: Tensor, levels: int | None) -> Photo:
    """Pixels [1, 3, H, W] as a Photo. ValueError where they are not finite, or have another scale than [0, 1]."""
    low, high = (float(v) for v in pixels.aminmax())
    if not low > -float("inf") or not high < float("inf"):
        raise ValueError("the photo holds NaN or infinite pixels; repair it first")
    if low < USUAL[0] or high > USUAL[1]:
        raise ValueError(f"the photo's floats go from {low:.3g} to {high:.3g}; they should lie in [0, 1]: divide by the white first")
    return Photo(pixels.contiguous(), 0.0 if levels is None else 1 / (levels * 12**0.5))


def mask_of(given: Any) -> Tensor:
    """A mask as read_mask gives it, [1, 1, H, W] with 1 = keep, of a picture or array [H, W] in which white or True is to be repaired."""
    if isinstance(given, np.ndarray | Tensor):
        white = torch.as_tensor(given)
        white = white if white.dtype == torch.bool else white.float() / LEVELS.get(str(given.dtype).removeprefix("torch."), 1) >= 0.5
        white = white.squeeze()
        if white.ndim != 2:
            raise ValueError(f"mask= got an array of shape {tuple(given.shape)}; it is (H, W), white or True where to repair")
        return (~white).float()[None, None].cpu()
    if isinstance(given, Image.Image):
        return torch.from_numpy(np.asarray(given.convert("L")) < 128).float()[None, None]
    raise TypeError(f"mask= got a {type(given).__name__}; it is a path, a PIL image, a numpy array or a torch tensor")


def values(map: Tensor) -> np.ndarray:
    """[1, 1, H, W] as an array [H, W], [1, 3, H, W] as [H, W, 3]."""
    array = map[0].float().cpu().numpy()
    return array[0] if len(array) == 1 else array.transpose(1, 2, 0)
