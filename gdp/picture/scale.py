"""Whether floats are a photo in [0, 1], and how they come there if they are not."""

from torch import Tensor

from gdp.picture.photo import Photo

RANGE = (-0.6, 1.6)  # floats in [0, 1] and their noise; what goes beyond has another scale
TAIL = 0.005  # the share of pixels that strong noise may take beyond RANGE
FAR = (-2.0, 3.0)  # beyond which no pixel may be
EXCESS, OUTSIDE = 0.1, 0.01  # by which resizing overshoots; the share of pixels that may do more


def check_scale(pixels: Tensor, name: str) -> None:
    """Raise ValueError where a pixel is not finite, or they have another scale than [0, 1]."""
    if not pixels.isfinite().all():
        raise ValueError(f"the {name} holds NaN or infinite pixels; repair it first")

    low, high = (float(v) for v in pixels.aminmax())
    beyond = ((pixels < RANGE[0]) | (pixels > RANGE[1])).float().mean()
    if low < FAR[0] or high > FAR[1] or float(beyond) > TAIL:
        raise ValueError(
            f"the {name}'s floats go from {low:.3g} to {high:.3g}; "
            f"they should lie in [0, 1]: {remedy(low, high)}; a measurement goes to y="
        )


def check_excess(photo: Photo, sigma_y: float | str, name: str) -> None:
    """Raise ValueError where more pixels lie outside of [0, 1] than noise takes there.

    Args:
        photo: the photo.
        sigma_y: std of its noise in [0, 1] units; a word where it is not known.
        name: what to call it.
    """
    if isinstance(sigma_y, str):
        return
    room = max(EXCESS, 6 * sigma_y)
    outside = (photo.pixels < -room) | (photo.pixels > 1 + room)
    if float(outside.float().mean()) > OUTSIDE:
        low, high = (float(v) for v in photo.pixels.aminmax())
        raise ValueError(
            f"the {name}'s floats go from {low:.3g} to {high:.3g}, which its noise sigma_y="
            f"{sigma_y:g} does not explain; they should lie in [0, 1]: {remedy(low, high)}"
        )


def remedy(low: float, high: float) -> str:
    """How floats from low to high come to [0, 1]."""
    if low < -EXCESS:
        white = max(-low, high)
        scaled = "x" if white <= RANGE[1] else f"x / {white:.3g}"
        return f"from -1 to 1 by ({scaled} + 1) / 2"
    return "divide them by their white"
