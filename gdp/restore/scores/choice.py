"""Which scores a result is given, by name, and where their networks' weights are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from gdp.restore.scores import formulas, networks
from gdp.restore.scores.weights import locate

AUTO = (  # by formula, and the networks that papers of this field name
    *("psnr", "ssim", "multi_scale_ssim", "haarpsi", "fsim", "gmsd", "vif_p"),
    *("psnr_y", "ssim_y", "lpips", "lpips_vgg", "dists"),
)
TRUTH, INPUT, DATA, NOTHING = "the truth", "the photo as it was", "what was measured", "nothing"


class Score(NamedTuple):
    """A score.

    Attributes:
        needs: what it compares the result with.
        of: of the result and of that, [1, 3, H, W] in [0, 1] as files have them; and of its files.
        files: of weights, as gdp.restore.scores.weights has them.
    """

    needs: str
    of: Callable[..., float]
    files: tuple[str, ...] = ()


def by_piq(name: str, shown: Callable[[Tensor], Tensor] = lambda z: z) -> Score:
    """A score against the truth that piq has as a function."""

    def of(a: Tensor, b: Tensor) -> float:
        import piq

        return float(getattr(piq, name)(shown(a), shown(b), data_range=1.0))

    return Score(TRUTH, of)


def by_lpips(backbone: str, network: str) -> Score:
    """LPIPS of a backbone."""

    def of(a: Tensor, b: Tensor, *files: Path) -> float:
        return float(networks.lpips(backbone, *files)(a, b))

    return Score(TRUTH, of, (network, f"lpips_{backbone}.pth"))


def by_pyiqa(name: str, title: str) -> Score:
    """A score without the truth of the user's own pyiqa, which fetches its weights itself."""

    def of(a: Tensor) -> float:
        if find_spec("pyiqa") is None:
            raise ImportError(
                f"{title} is computed by pyiqa, which is not installed (its licence forbids "
                "commercial use, so it is not among the dependencies): pip install pyiqa"
            )
        import pyiqa

        return float(pyiqa.create_metric(name, device="cpu")(a))

    return Score(NOTHING, of)


def brisque(a: Tensor, weights: Path) -> float:
    """BRISQUE by a file of its support vectors."""
    return float(networks.brisque(a, weights))


VGG = "vgg16-397923af.pth"
SCORES: dict[str, Score] = {
    **{name: by_piq(name) for name in AUTO[:7]},
    "psnr_y": by_piq("psnr", formulas.luma),
    "ssim_y": by_piq("ssim", formulas.luma),
    "lpips": by_lpips("alex", "alexnet-owt-7be5be79.pth"),
    "lpips_vgg": by_lpips("vgg", VGG),
    "dists": Score(
        TRUTH, lambda a, b, *files: float(networks.dists(*files)(a, b)), (VGG, "dists_weights.pt")
    ),
    "pieapp": Score(
        TRUTH, lambda a, b, file: float(networks.pieapp(file)(a, b)), ("PieAPPv0.1.pth",)
    ),
    "ciede2000": Score(TRUTH, formulas.ciede2000),
    "loe": Score(INPUT, formulas.order_error),
    "consistency_l1": Score(DATA, lambda a, misfit: formulas.misfit_l1(misfit)),
    "consistency_mse": Score(DATA, lambda a, misfit: formulas.misfit_mse(misfit)),
    "brisque": Score(NOTHING, brisque, ("brisque_svm_weights.pt",)),
    "niqe": by_pyiqa("niqe", "NIQE"),
    "musiq": by_pyiqa("musiq", "MUSIQ"),
    "clip_iqa": by_pyiqa("clipiqa", "CLIP-IQA"),
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The scores of a run.

    Args:
        names: of SCORES, in the order of reports.
        weights: a folder of the networks' files, looked into first.
        download: whether weights that are missing are fetched into the user's cache folder.
        border: pixels at each side that `*_crop` scores leave out; 0 leaves these out themselves.

    Raises:
        ValueError: there is no score of a name, or the border is no whole number.
    """

    names: Sequence[str] = AUTO
    weights: str | None = None
    download: bool = False
    border: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.names, str):
            raise ValueError(f"scores.names={self.names}; it is a list: [{self.names}]")
        for name in self.names:
            if name not in SCORES:
                close = get_close_matches(str(name), SCORES, n=3, cutoff=0.5)
                hint = f"did you mean {' or '.join(close)}?" if close else "there are "
                raise ValueError(
                    f"scores.names: no score named {name!r}; {hint}"
                    f"{'' if close else ', '.join(SCORES)}"
                )
        if self.border < 0:
            raise ValueError(f"scores.border={self.border}; it is a number of pixels, 0 or more")

    def files(self, score: Score) -> list[Path]:
        """The files of a score's weights; MissingWeightsError where one is not at hand."""
        return [locate(name, self.weights, self.download) for name in score.files]
