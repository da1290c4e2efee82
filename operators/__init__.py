"""Degradations y = A(x) + n, each a differentiable class with a `forward`; they know torch only.

Modules were in one folder once. Their former names, such as operators.mask, lead to them still.
"""

from operators.tools.aliases import Aliases

ROOMS = {
    "size": ("avgpool", "bicubic", "crop", "resize", "separable"),
    "blur": ("filters", "kernels", "nonlinear_blur", "varying_blur"),
    "blur.blind": ("blind_blur",),
    "light": ("exposure", "gains", "light_fit", "mixing", "tone", "white_balance"),
    "light.scattering": ("dehaze", "haze"),
    "missing": ("gray", "mask", "mosaic", "oldphoto", "scratches"),
    "coded": ("deepinv", "jpeg", "phase", "quantise", "sensing"),
    "tools": ("solve", "transforms", "units"),
}
LATER = {  # rooms became rooms of rooms: the names between
    "operators.blur.blind_blur": "operators.blur.blind.blind_blur",
    "operators.blur.evidence": "operators.blur.blind.evidence",
    "operators.blur.kernel_estimate": "operators.blur.blind.kernel_estimate",
    "operators.light.dark_channel": "operators.light.scattering.dark_channel",
    "operators.light.dehaze": "operators.light.scattering.dehaze",
    "operators.light.haze": "operators.light.scattering.haze",
    "operators.light.stacked": "operators.light.radiance.stacked",
}
MOVED = LATER | {
    f"operators.{name}": f"operators.{room}.{name}"
    for room, names in ROOMS.items()
    for name in names
}

Aliases(MOVED).install()
