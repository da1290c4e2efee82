"""Ray itself: found, started here or joined elsewhere, and stopped."""

import logging
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

KNOCK = 10  # seconds until a cluster has to answer


class Pool(NamedTuple):
    """The actors of a run.

    Attributes:
        address: of the cluster; None starts one on this machine, and stops it.
        actors: how many; None as many as the cluster bears.
        num_cpus: cores of each.
        num_gpus: GPUs of each; None for one where there are any.
        device: what they are told to compute on.
        gpus: those of this machine that a cluster of the run's own has, by number; None for all.
    """

    address: str | None = None
    actors: int | None = None
    num_cpus: float = 1.0
    num_gpus: float | None = None
    device: str = "auto"
    gpus: tuple[int, ...] | None = None


def start(pool: Pool) -> None:
    """Join the cluster at an address, or start one on this machine.

    Raises:
        ValueError: no cluster is there.
    """
    ray = import_ray()
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    dtype = os.environ.get("GDP_DTYPE")
    if pool.address is None:
        if pool.gpus is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, pool.gpus))
        cores = max(os.cpu_count() or 1, int((pool.actors or 1) * pool.num_cpus))
        with silence():
            ray.init(address="local", num_cpus=cores, include_dashboard=False, **quiet)
        return

    # One that runs already
    try:
        knock(pool.address)
        env = {"env_vars": {"GDP_DTYPE": dtype}} if dtype else None
        with silence():
            ray.init(address=pool.address, runtime_env=env, **quiet)
    except Exception as error:  # ConnectionError, RuntimeError, ValueError ...
        reason = " ".join(str(error).split())[:120]
        raise ValueError(
            f"address={pool.address}: no Ray cluster answers there ({reason}); start one with "
            "ray start --head, or leave address= out"
        ) from None


def knock(address: str) -> None:
    """Raise OSError where nothing listens at HOST:PORT; Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=KNOCK).close()


@contextmanager
def silence() -> Iterator[None]:
    """Within it nothing reaches stderr, what Ray's own C++ writes there included."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def import_ray() -> Any:
    """Ray.

    Raises:
        ValueError: it is not installed.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # read where it is imported
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    warnings.filterwarnings("ignore", message=".*ray_remote_args.*")
    try:
        with silence():
            import ray.data
    except ImportError:
        raise ValueError(
            "engine=ray needs the packages ray and pyarrow, which are not installed: pip install "
            "'ray[data]', or gdp-restore[cluster]; engine=local needs none"
        ) from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    # What it prints of lost nodes would go to stdout, among the names of files.
    if hasattr(ray._private.worker, "print_to_stdstream"):
        ray._private.worker.print_to_stdstream = lambda *_, **__: None
    return ray
