"""How sure a mean over photos and seeds is: bootstrap intervals (Efron 1979)."""

from collections.abc import Sequence

import numpy as np

DRAWS = 2000
LEVEL = 0.95

Each = Sequence[Sequence[float]]  # photo by photo, sample by sample


def interval(each: Each) -> tuple[float, float]:
    """Where the mean lies with 95 % confidence, by drawing photos anew, and seeds within each.

    Args:
        each: scores [photos][samples]; photos need not have equally many samples.

    Returns:
        The lower and the upper end; both the mean where there is one photo and one sample.

    Raises:
        ValueError: there is no score.
    """
    if len(each) == 0 or not all(len(photo) for photo in each):
        raise ValueError("an interval needs a score of each photo")
    random = np.random.default_rng(0)
    photos = [np.asarray(photo, float) for photo in each]

    # The mean of each draw
    means = np.zeros(DRAWS)
    for picks in random.integers(0, len(photos), (len(photos), DRAWS)):
        for i, photo in enumerate(photos):
            mine = np.flatnonzero(picks == i)
            seeds = random.integers(0, len(photo), (len(mine), len(photo)))
            means[mine] += photo[seeds].mean(1)

    ends = np.quantile(means / len(photos), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(ends[0]), float(ends[1])


def differences(a: Each, b: Each) -> Each:
    """By how much `a` is above `b`, photo by photo; samples are paired where both have as many.

    Raises:
        ValueError: they are of different numbers of photos.
    """
    if len(a) != len(b):
        raise ValueError(f"scores of {len(a)} and of {len(b)} photos are no pairs")
    return [
        [p - q for p, q in zip(x, y, strict=True)]
        if len(x) == len(y)
        else [sum(x) / len(x) - sum(y) / len(y)]
        for x, y in zip(a, b, strict=True)
    ]
