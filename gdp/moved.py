"""Former names of modules that users' code and YAML files hold, and where the modules lie."""

from importlib.machinery import ModuleSpec

MOVED = {
    "gdp.checkpoint": "gdp.prior.weights",
    "gdp.gaussian": "gdp.prior.gaussian",
    "gdp.guidance": "samplers.guide.guidance",
    "gdp.hub": "gdp.prior.hub",
    "gdp.image": "gdp.picture",
    "gdp.losses": "samplers.guide.losses",
    "gdp.metrics": "gdp.restore.scores.metrics",
    "gdp.noise": "gdp.prior.noise",
    "gdp.report.trackers": "gdp.storage.trackers",
    "gdp.restore.metrics": "gdp.restore.scores.metrics",
    "gdp.reuse": "gdp.prior.reuse",
    "gdp.schedule": "gdp.prior.schedule",
    "gdp.tiling": "gdp.prior.tiling",
    "gdp.unet": "gdp.network.unet",
}


class Finder:
    """Asks for operators.tools.aliases when a former name is imported, and not before.

    Training runs on machines that have gdp alone.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The import system's question for a module of this name."""
        if name not in MOVED:
            return None
        from operators.tools.aliases import Aliases

        return Aliases(MOVED).find_spec(name)
