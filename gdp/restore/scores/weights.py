"""The files of networks that score: at hand, or downloaded once, when the user asks for it.

Looked for in scores.weights=FOLDER, in the user's cache folder, and in torch's own.
"""

import logging
import os
from pathlib import Path
from typing import NamedTuple

from gdp.storage.download import WrongContentError, download
from gdp.storage.places import cache_folder, expand

log = logging.getLogger("gdp")
PIQ = "https://github.com/photosynthesis-team/piq/releases/download"
TORCH = "https://download.pytorch.org/models"
HEADS = (
    "https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/"
    "082bb24f84c091ea94de2867d34c4544f68e0963/lpips/weights/v0.1"
)


class File(NamedTuple):
    """A file of weights.

    Attributes:
        url: where it comes from.
        size: in megabytes.
        sha256: of its content; None where its authors publish none.
    """

    url: str
    size: float
    sha256: str | None


FILES = {
    "alexnet-owt-7be5be79.pth": File(
        f"{TORCH}/alexnet-owt-7be5be79.pth",
        244.4,
        "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02",
    ),
    "vgg16-397923af.pth": File(
        f"{TORCH}/vgg16-397923af.pth",
        553.4,
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
    ),
    "lpips_alex.pth": File(
        f"{HEADS}/alex.pth",
        0.006,
        "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    ),
    "lpips_vgg.pth": File(
        f"{HEADS}/vgg.pth",
        0.007,
        "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    ),
    "dists_weights.pt": File(
        "https://raw.githubusercontent.com/dingkeyan93/DISTS/"
        "1267d8cb626c98706db3697422701c56a85ebf2e/DISTS_pytorch/weights.pt",
        0.012,
        "f5e65c96230b7f6ca995691647d482237e4cab8a50c5c4a5784f219ef0748218",
    ),
    "PieAPPv0.1.pth": File(
        f"{PIQ}/v0.5.4/PieAPPv0.1.pth",
        263.0,
        "0937b01480c7a637ae3018af755faa8ecde4788b52bb246b7ae62cf96fb6baf0",
    ),
    "brisque_svm_weights.pt": File(f"{PIQ}/v0.4.0/brisque_svm_weights.pt", 0.115, None),
    "pt_inception-2015-12-05-6726825d.pth": File(
        "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/"
        "pt_inception-2015-12-05-6726825d.pth",
        95.6,
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    ),
}


class MissingWeightsError(FileNotFoundError):
    """A network's weights are not at hand."""


def locate(name: str, folder: str | None = None, fetch: bool = False) -> Path:
    """Find a file of weights.

    Args:
        name: one of FILES.
        folder: where the user has such files.
        fetch: whether what is missing is downloaded into the user's cache folder.

    Raises:
        MissingWeightsError: it is not at hand; says what to do.
        ValueError: its content is another than is known.
    """
    known = FILES[name]
    for place in places(folder):
        if (place / name).is_file():
            return place / name

    cache = cache_folder() / "scores"
    if not fetch:
        raise MissingWeightsError(
            f"the weights {name} are not at hand: scores.download=true fetches them "
            f"({known.size:.3g} MB), or put the file of {known.url} into {folder or cache}"
        )
    log.info("downloading %s to %s", known.url, cache)
    try:
        return download(known.url, cache / name, known.sha256)
    except WrongContentError:
        raise
    except OSError as error:
        why = " ".join(str(error).split())[:160]
        raise MissingWeightsError(
            f"the weights {name} cannot be downloaded ({why}); "
            f"fetch {known.url} where you can and put it into {cache}"
        ) from None


def places(folder: str | None) -> list[Path]:
    """The folders in which files of weights are looked for, the user's own first."""
    torch_home = os.environ.get("TORCH_HOME") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "torch"
    )
    own = [] if folder is None else [expand(folder)]
    return [*own, cache_folder() / "scores", Path(torch_home) / "hub" / "checkpoints"]
