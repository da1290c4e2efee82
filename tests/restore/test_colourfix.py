"""Colours of the input, details of the restoration."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from gdp.picture import to_model
from gdp.restore.colourfix import FIXES, fix, low
from operators.identity import Identity
from operators.light.gains import Gains
from operators.missing.mask import BoxMask
from operators.size.avgpool import AvgPool
from tests.test_cli import cli  # noqa: F401

CAST = torch.tensor([0.1, -0.05, 0.02]).view(1, 3, 1, 1)


def photo():
    return 0.3 + 0.4 * F.interpolate(torch.rand(1, 3, 9, 12), (72, 96), mode="bilinear")


@pytest.mark.parametrize("kind", FIXES)
@pytest.mark.parametrize(
    "A", [Identity(), AvgPool(4), Gains(), BoxMask()], ids=lambda A: type(A).__name__
)
def test_a_cast_goes(kind, A):
    """Where A sees the picture; and what agrees with y stays as it is."""
    x = photo()
    y = A(to_model(x))
    same = fix(kind, x, A, y)
    torch.testing.assert_close(same, x, atol=2e-6, rtol=0)
    error = fix(kind, 0.9 * x + CAST, A, y) - x
    corner = (slice(None), slice(None), slice(0, 12), slice(0, 12))
    assert error[corner].abs().mean() < 0.3 * (0.9 * x + CAST - x)[corner].abs().mean()


def test_wavelet_keeps_details_and_ignores_noise():
    x, details = photo(), 0.1 * (torch.randint(0, 2, (1, 3, 72, 96)) - 0.5)
    y = to_model(x + 0.1 * torch.randn_like(x))
    out = fix("wavelet", x + details + CAST, Identity(), y)
    assert (out - x - details).abs().mean() < 0.2 * CAST.abs().mean()


def test_low_is_a_mean():
    for size in ((1, 1), (3, 50), (64, 64)):
        torch.testing.assert_close(
            low(torch.full((1, 3, *size), 0.7)), torch.full((1, 3, *size), 0.7)
        )
    impulse = torch.zeros(1, 1, 129, 129)
    impulse[..., 64, 64] = 1
    spread = low(impulse)
    assert float(spread.sum()) == pytest.approx(1, abs=1e-5)
    reach = (torch.arange(129) - 64).float().square()
    assert float((spread.sum((0, 1, 2)) * reach).sum()) ** 0.5 == pytest.approx(13, rel=0.05)


def test_on_the_command_line(cli, cat):  # noqa: F811
    words = (f"input={cat}", "task=denoise", "steps=1")
    for kind in ("none", "wavelet", "adain"):
        assert cli(*words, f"colourfix={kind}", f"output={kind}")[0] == 0
        assert json.loads(Path(f"{kind}/cat.json").read_text())["config"]["colourfix"] == kind
    assert len({Path(f"{kind}/cat.png").read_bytes() for kind in ("none", "wavelet", "adain")}) == 3
    for wrong, says in (
        (("colourfix=sepia",), "wavelet or adain"),
        (("colourfix=wavelet", "operator=jpeg", "sampler=gdp_linesearch"), "pinv"),
    ):
        code, _, err = cli(*words, *wrong, "output=o")
        assert code == 2 and says in err
