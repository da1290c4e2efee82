"""The scores where a `_target_` finds them: `gdp.restore` is a function to Hydra, not a package."""

from gdp.restore.scores.choice import Choice as Choice
