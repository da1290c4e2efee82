"""One photo in memory, from its pixels to its result: observe, sample, finish."""

from gdp.picture import Photo
from gdp.prior.prior import Prior
from gdp.restore.finish import finish
from gdp.restore.observe import observe
from gdp.restore.result import Result
from gdp.restore.sample import sample
from gdp.restore.setup import Setup
from samplers.restorer import OnStep


def restore(
    photo: Photo, setup: Setup, prior: Prior, name: str = "photo", on_step: OnStep | None = None
) -> Result:
    """Restore a photo as a setup says.

    Args:
        photo: pixels [1, 3, H, W] in [0, 1].
        setup: operator, sampler and settings.
        prior: the prior, loaded.
        name: what messages call the photo.
        on_step: follows every step as (t, x, x0).

    Raises:
        ValueError: photo and setup do not fit, or sampling diverged.
        TypeError: the operator lacks a method that the sampler needs.
    """
    measurement = observe(photo, setup, prior.device, name)
    (restored,), cost = sample([measurement], setup, prior, on_step)
    return finish(measurement, restored, cost, setup, prior)
