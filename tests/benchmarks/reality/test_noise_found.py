"""Noise is made as it is named, and what is found is set against it."""

import torch

from benchmarks.reality.noise_found import QUALITIES, WHITE, cases, noise_found


def test_white_noise_is_found(clean):
    rows = {row["case"]: row for row in noise_found([clean])}
    assert rows.keys() == cases().keys()
    for sigma in WHITE:
        row = rows[f"white_{sigma}"]
        assert abs(row["true"] / sigma - 1) < 0.1 and 0.7 < row["ratio"] < 1.4
        assert row["least"] <= row["ratio"] <= row["most"]
        assert all(0.4 < row[third] < 2.5 for third in ("dark", "middle", "bright"))


def test_a_coarser_jpeg_is_farther_from_the_light(clean):
    made = {q: cases()[f"jpeg_{q}"](clean.pixels, 0) for q in QUALITIES}
    assert all(torch.equal(made[QUALITIES[0]][1], x) for _, x in made.values())
    assert len({float(y.sum()) for y, _ in made.values()}) == len(QUALITIES)
