"""What Prometheus and Ray's dashboard see of a run; rates are theirs to make of the counts.

gdp_photos_total{state}    photos done, finished before, or failed
gdp_calls_total            calls of the network, a photo each
gdp_photo_seconds          how long photos take, a histogram
gdp_photos_left            the queue: photos that are neither done nor failed
"""

from collections.abc import Mapping
from typing import Any

SECONDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000]  # bounds of the histogram


class WorkerMetrics:
    """What an actor counts."""

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Histogram

        self.photos = Counter("gdp_photos_total", "Photos by what became of them.", ("state",))
        self.calls = Counter("gdp_calls_total", "Calls of the network, a photo each.")
        self.seconds = Histogram("gdp_photo_seconds", "Seconds a photo.", boundaries=SECONDS)

    def note(self, outcome: Mapping[str, Any]) -> None:
        """Count a photo."""
        self.photos.inc(tags={"state": str(outcome["state"])})
        if outcome["calls"] > 0:
            self.calls.inc(float(outcome["calls"]))
        if outcome["seconds"] > 0:
            self.seconds.observe(float(outcome["seconds"]))


class DriverMetrics:
    """What the driver knows of all.

    Args:
        photos: how many are to be restored.
    """

    def __init__(self, photos: int):
        from ray.util.metrics import Counter, Gauge

        self.all = photos
        self.left = Gauge("gdp_photos_left", "Photos that are neither done nor failed.")
        self.lost = Counter("gdp_photos_total", "Photos by what became of them.", ("state",))
        self.left.set(photos)

    def over(self, photos: int) -> None:
        """So many have come to their end."""
        self.left.set(max(0, self.all - photos))

    def failed(self) -> None:
        """A photo has been given up."""
        self.lost.inc(tags={"state": "failed"})
