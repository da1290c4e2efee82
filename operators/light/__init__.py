"""Light and colour: exposure, tone curves, casts, haze, and the light map of GDP's y = f x + M.

What one module operators.light held once is to be had from here still.
"""

from operators.light.light import Light
from operators.light.radiance.stacked import Stacked

__all__ = ["Light", "Stacked"]
