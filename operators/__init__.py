"""Degradations y = A(x) + n, each a differentiable class with a `forward`; they know torch only.

Modules were in one folder once. Their former names, such as operators.mask, lead to them still.
"""

from operators.tools.aliases import Aliases

ROOMS = {
    "size": ("avgpool", "bicubic", "crop", "resize", "separable"),
    "blur": ("blind_blur", "filters", "kernels", "nonlinear_blur", "varying_blur"),
    "light": (
        "dehaze",
        "exposure",
        "gains",
        "haze",
        "light_fit",
        "mixing",
        "tone",
        "white_balance",
    ),
    "missing": ("gray", "mask", "mosaic", "oldphoto", "scratches"),
    "coded": ("deepinv", "jpeg", "phase", "quantise", "sensing"),
    "tools": ("solve", "transforms", "units"),
}
MOVED = {
    f"operators.{name}": f"operators.{room}.{name}"
    for room, names in ROOMS.items()
    for name in names
}

Aliases(MOVED).install()
