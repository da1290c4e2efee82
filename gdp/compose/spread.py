"""Settings for many photos on many workers."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from gdp.compose.setting import declare

of_workers = partial(
    declare, section="Many workers (docs/cluster.md)", files_only=True, cosmetic=True
)


@dataclass(kw_only=True)
class SpreadSettings:
    """More of the table of settings, which gdp.compose.research goes on with."""

    engine: Literal["local", "ray"] = of_workers(
        "local", "local: here, one after another; ray: by Ray's actors, on this machine or many"
    )
    address: str | None = of_workers(
        None, "of a Ray cluster, such as auto or ray://head:10001; left out, one is started here"
    )
    actors: int | Literal["auto"] = of_workers(
        "auto",
        "how many restore at once, each with its prior; auto: as many as there is room for",
        "it is how many workers there are, 1 or more, or auto",
        least=1,
    )
    num_cpus: float = of_workers(1, "cores of each actor", above=0)
    num_gpus: float | Literal["auto"] = of_workers(
        "auto",
        "GPUs of each actor; 0.5: two share one; auto: one where there are any",
        "it is how many GPUs a worker has, such as 1, 0.5 or 0, or auto",
        least=0,
    )
    metric: str | None = of_workers(
        None,
        "the score that hydra/sweeper=optuna improves, a column of summary.csv such as psnr: its "
        "mean over the photos of a job",
    )
    devices: Literal["all"] | None = of_workers(
        None, "all: a worker on each GPU of this machine; with one GPU as without"
    )
