"""How a piece of evidence grows into a share of what is done."""

SHARPNESS = 8


def rise(value: float, at: float, sharpness: int = SHARPNESS) -> float:
    """v^p / (v^p + a^p) of a value: 0 well below `at`, half there, 1 well above."""
    power = (max(value, 0.0) / at) ** sharpness
    return power / (power + 1)
