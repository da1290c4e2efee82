"""Light and colour: exposure, tone curves, casts, haze, and the light map of GDP's y = f x + M."""

from operators.light.light import Light

__all__ = ["Light"]
