"""A piece of evidence as a share."""


def ramp(value: float, none: float, whole: float) -> float:
    """0 up to `none`, 1 from `whole`, a straight line between; falling where `whole` is less.

    ramp(0.6, 0.5, 0.7) and ramp(0.6, 0.7, 0.5) are both a half.
    """
    return min(1.0, max(0.0, (value - none) / (whole - none)))
