"""Haze: y = x t + A (1 - t), the light that air scatters into the picture."""
