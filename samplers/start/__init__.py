"""Where a restoration starts: a first guess, and the time whose noise hides its error."""

from samplers.start.late import agreeing, first_guess, hides, late

__all__ = ["agreeing", "first_guess", "hides", "late"]
