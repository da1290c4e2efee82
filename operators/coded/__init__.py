"""Degradations by a code: few levels, few coefficients, or no phase."""
