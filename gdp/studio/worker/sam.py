"""Segment Anything (Kirillov et al., ICCV 2023) for clicks, where the user has it and its weights.

The package segment-anything makes the network; its weights are a file of the cache folder, and are
loaded as plain tensors, which run nothing.
"""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdp.storage.places import cache_folder

KINDS = ("vit_b", "vit_l", "vit_h")  # named in the file, as in sam_vit_b_01ec64.pth


def weights() -> tuple[str, Path] | None:
    """The network's kind and its file, if package and file are here."""
    from importlib.util import find_spec

    if find_spec("segment_anything") is None:
        return None
    for kind in KINDS:
        for file in sorted(cache_folder().glob(f"sam_{kind}*")):
            if file.suffix in (".pth", ".pt", ".safetensors"):
                return kind, file
    return None


@cache
def predictor(kind: str, file: Path) -> Any:
    """The network, ready for pictures.

    Raises:
        ValueError: the file holds something else.
    """
    import torch
    from segment_anything import SamPredictor, sam_model_registry

    if file.suffix == ".safetensors":
        from safetensors.torch import load_file

        tensors = load_file(file)
    else:
        tensors = torch.load(file, map_location="cpu", weights_only=True)
    network = sam_model_registry[kind]()
    try:
        network.load_state_dict(tensors)
    except (RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())[:120]
        raise ValueError(f"{file.name} holds no weights of SAM's {kind} ({reason})") from None
    return SamPredictor(network.eval())


def select(picture: NDArray[np.uint8], x: int, y: int) -> NDArray[np.uint8]:
    """The likeliest thing at a pixel of a picture [H, W, 3], 255 there, [H, W]."""
    found = weights()
    assert found is not None
    segment = predictor(*found)
    segment.set_image(picture)
    masks, scores, _ = segment.predict(
        point_coords=np.array([[x, y]]), point_labels=np.array([1]), multimask_output=True
    )
    return np.asarray(masks[int(np.argmax(scores))], dtype=np.uint8) * np.uint8(255)
