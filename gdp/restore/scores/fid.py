"""Distances between two sets of pictures, by the features of a network.

FID  |m - m'|^2 + tr(S + S' - 2 (S^1/2 S' S^1/2)^1/2)            Heusel et al., NeurIPS 2017
KID  the mean of k = (x . y / d + 1)^3 within each set, less twice that between them, without the
     terms of a picture with itself; of 100 draws of at most 1000     Binkowski et al., ICLR 2018
"""

import numpy as np

DRAWS, MOST = 100, 1000  # of KID: subsets, and pictures of each


def fid(a: np.ndarray, b: np.ndarray) -> float:
    """Frechet distance of Gaussians with the means and covariances of features [N, D].

    Few pictures are too near one another by chance: FIDs of sets of different sizes do not compare.

    Raises:
        ValueError: a set has fewer than two pictures.
    """
    check(a, b)
    means = [x.mean(0) for x in (a, b)]
    first, second = (np.cov(x, rowvar=False).reshape(x.shape[1], -1) for x in (a, b))

    # Of symmetric matrices, so that rounding gives no complex roots.
    values, vectors = np.linalg.eigh(first)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0)).sum()
    apart = ((means[0] - means[1]) ** 2).sum()
    return float(apart + np.trace(first) + np.trace(second) - 2 * cross)


def kid(a: np.ndarray, b: np.ndarray, seed: int = 0) -> float:
    """Kernel distance of features [N, D], without bias: 0 on average for sets of one kind.

    Raises:
        ValueError: a set has fewer than two pictures.
    """
    check(a, b)
    size = min(len(a), len(b), MOST)
    chance = np.random.default_rng(seed)
    if len(a) == len(b) == size:
        return squared_distance(a, b)
    drawn = [
        squared_distance(*(x[chance.choice(len(x), size, replace=False)] for x in (a, b)))
        for _ in range(DRAWS)
    ]
    return float(np.mean(drawn))


def squared_distance(a: np.ndarray, b: np.ndarray) -> float:
    """The square of the largest difference of means under the cubic kernel, of sets of one size."""
    n, dimension = a.shape
    within = 0.0
    for x in (a, b):
        kernel = (x @ x.T / dimension + 1) ** 3
        within += (kernel.sum() - np.trace(kernel)) / (n * (n - 1))
    between = ((a @ b.T / dimension + 1) ** 3).mean()
    return float(within - 2 * between)


def check(a: np.ndarray, b: np.ndarray) -> None:
    """Raise ValueError where a set is too small for a distance."""
    if min(len(a), len(b)) < 2:
        raise ValueError(
            f"sets of {len(a)} and {len(b)} pictures; a distance of sets takes 2 or more of each, "
            "and tells little below some thousand"
        )
