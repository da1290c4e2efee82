"""What is measured of light: M by an oracle, and terms on pairs."""

import torch

from benchmarks.measures import terms_real
from benchmarks.measures.low_light import correlation, darken, seen_by_oracle
from benchmarks.reality.ours import Restored
from benchmarks.reality.pairs import Pair
from operators.light import Light


def test_an_oracle_sees_m_where_something_dark_is_near_everywhere():
    x = 0.2 + 0.6 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    M = darken(x, 0.1, 3)[1]
    dots = x.clone()
    dots[..., ::4, ::4] = 0
    uneven = x.clone()
    uneven[..., :32, :32] = dots[..., :32, :32]
    assert correlation(seen_by_oracle(dots, M, 0.1), M) > 0.9
    assert correlation(seen_by_oracle(uneven, M, 0.3), M) < 0.8


def test_rows_of_pairs_tell_how_far_a_term_moves(monkeypatch):
    x = torch.rand(1, 3, 40, 80, generator=torch.Generator().manual_seed(1))
    pairs = [Pair("lowlight_bracket", str(k), "", 0.2 * x, x, None) for k in range(2)]
    seen = []

    def restore(task, pair, prior, overrides):
        seen.append((task, overrides, Light.light_fit.smooth, tuple(pair.given.shape)))
        gain = 4.0 if "guidance.terms.exposure.0=1" in overrides else 5.0
        return Restored(gain * pair.photo, None, 1, None)

    monkeypatch.setattr(terms_real, "restore", restore)
    smooth = Light.light_fit.smooth
    rows = terms_real.rows_of("lowlight_bracket", pairs, None, 40, ["steps=3"])
    by = {row["case"]: row for row in rows}

    assert by["as shipped"]["psnr_even"] > 60 and by["as shipped"]["alike"] == terms_real.SAME
    assert by["exposure 1"]["psnr_odd"] < 30 and by["exposure 1"]["alike"] < 30
    assert seen[0] == ("lowlight", ["steps=3"], smooth, (3, 20, 40))
    assert ("lowlight", ["steps=3"], terms_real.FREE, (3, 20, 40)) in seen
    assert Light.light_fit.smooth == smooth
