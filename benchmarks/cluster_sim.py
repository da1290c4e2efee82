"""A cluster that restores photos, simulated: what node loss, stragglers and poison photos cost.

    python benchmarks/cluster_sim.py --photos 1000000 --actors 64 --seconds 4 --node-hours 200

The model is what gdp.engine.cluster does (SimPy's processes and stores): a reader hands batches to
actors that are idle; an actor loads its prior, fetches, computes and stores; a node that is lost
takes its actors with it, whose batches are tried again; a photo that kills is tried with its batch,
then alone, and told of. Times of photos are log-normal, as measured ones are.
"""

import argparse
from dataclasses import asdict
from typing import Any

from benchmarks.common import save, table
from benchmarks.costs.cluster import Cluster, Plan

FLAGS = (
    *("--photos", "--batch", "--actors", "--per-node", "--seconds", "--spread", "--load"),
    *("--fetch", "--store", "--rate", "--stragglers", "--slow", "--node-hours", "--replace"),
    *("--poison", "--seed"),
)


def row(plan: Plan) -> dict[str, Any]:
    """A run's figures: `efficient` is the share of actors' time that results
    would take on sound machines."""
    told = Cluster(plan).run()
    twice = sum(count > 1 for count in told.done.values())
    return {
        **{name: value for name, value in asdict(plan).items() if value != getattr(Plan(), name)},
        "hours": told.seconds / 3600,
        "photos/s": len(told.done) / told.seconds,
        "efficient": told.busy / told.seconds / plan.actors,
        "lost nodes": told.lost_nodes,
        "kills": told.kills,
        "done": len(told.done),
        "twice": twice,
        "told poison": len(told.poisoned),
    }


def arguments_of(words: list[str] | None) -> dict[str, Any]:
    """A plan's fields, and `json`."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    defaults = asdict(Plan())
    for flag in FLAGS:
        value = defaults[flag[2:].replace("-", "_")]
        parser.add_argument(flag, type=type(value), default=value)
    parser.add_argument("--json", help="keep the rows there")
    return vars(parser.parse_args(words))


def main(arguments: list[str] | None = None) -> int:
    """Print a table: without trouble, with each kind of it, with all."""
    args = arguments_of(arguments)
    file = args.pop("json")

    quiet = {"stragglers": 0.0, "node_hours": 0.0, "poison": 0.0, "rate": 0.0}
    kinds: dict[str, dict[str, Any]] = {"nothing": quiet}
    for name in quiet:
        if args[name]:
            kinds[name] = {**quiet, name: args[name]}
    if len(kinds) > 2:
        kinds["all"] = {}
    rows = [{"trouble": kind, **row(Plan(**{**args, **own}))} for kind, own in kinds.items()]
    columns = ["trouble", "hours", "photos/s", "efficient", "lost nodes", "kills", "told poison"]
    print(table(rows, [*columns, "done", "twice"]))
    save([{**args, **one} for one in rows], file)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
