"""What photos cost at scale: seconds a megapixel on this device, and what follows for millions.

    python benchmarks/scaling.py --sides 128,256 --json scaling.json
    python benchmarks/scaling.py --seconds 2.5 --price 3 --megapixels 12

The parts of a photo's way are timed each by itself, in this process: decoding and encoding, the
network's calls, and everything else of the restoration. With --seconds nothing is measured; the
figure is taken for the network's seconds a megapixel and the costs follow from it.
"""

import argparse
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.common import save, table

QUALITIES = ("fast", "balanced", "best")
HOUR, MILLION = 3600.0, 10**6
DECODE, ENCODE = 0.023, 0.33  # s/MP of a CPU core, JPEG in, PNG out
BYTES = 0.5e6  # of a JPEG's megapixel, and 3e6 of a PNG's: what a store has to carry
BYTES_OUT = 3e6


class Parts(NamedTuple):
    """Seconds a megapixel.

    Attributes:
        decode, encode: of the photo's file, and of the result's, one core.
        compute: of the restoration, on its device.
        calls: of the network, a photo.
    """

    decode: float
    encode: float
    compute: float
    calls: float


def measure(side: int, quality: str, device: str, words: dict[str, Any]) -> Parts:
    """Time the parts of a photo of side x side pixels.

    Args:
        side: in pixels, of the photo; costs are told by its megapixels.
        quality: of the restoration.
        device: of the network.
        words: other settings.
    """
    import numpy as np
    from skimage import data, transform

    import gdp
    from gdp.picture import read, write

    pixels = transform.resize(data.astronaut(), (side, side), anti_aliasing=True)
    megapixels = side * side / MILLION
    prior = gdp.load_prior(device=device)
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder, "a.jpg"), Path(folder, "a.png")
        import torch

        photo = torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None].float()
        write(photo, file)
        decode = least(lambda: read(file)) / megapixels
        encode = least(lambda: write(photo, out)) / megapixels

        calls = gdp.restore(file, prior=prior, quality=quality, **words).report["nfe"]  # warms up
        on_cpu = prior.device.type == "cpu"
        again = partial(gdp.restore, file, prior=prior, quality=quality, **words)
        compute = least(again, 2, on_cpu)
    return Parts(decode, encode, compute / megapixels - decode, float(calls))


def least(work: Any, times: int = 5, on_cpu: bool = True) -> float:
    """The least seconds of several goes; on a CPU those of the processor, so that what others on
    the machine take is left out.
    """
    clock = time.process_time if on_cpu else time.perf_counter
    best = float("inf")
    for _ in range(times):
        began = clock()
        work()
        best = min(best, clock() - began)
    return best


def costs(
    compute: float,
    decode: float,
    encode: float,
    megapixels: float,
    price: float,
    actors: int = 1,
    network: float = 1e9,
) -> dict[str, Any]:
    """What a million photos cost, and where the time goes.

    Args:
        compute, decode, encode: seconds a megapixel, of an actor.
        megapixels: of a photo.
        price: of an actor's hour.
        actors: how many there are.
        network: bytes a second between them all and the store.

    Returns:
        Hours of actors and money for a million photos, photos a second, actors that the store's
        line feeds, and which of the three is the bottleneck.
    """
    seconds = (compute + decode + encode) * megapixels
    carried = (BYTES + BYTES_OUT) * megapixels
    fed = network / (carried / seconds)
    by_network, by_actors = network / carried, actors / seconds
    share = {"network's calls": compute, "decoding and encoding": decode + encode}
    bottleneck = "store" if by_network < by_actors else max(share, key=lambda name: share[name])
    hours = MILLION * seconds / HOUR
    return {
        "s/photo": seconds,
        "photos/s": min(by_network, by_actors),
        "hours/million": hours,
        "cost/million": hours * price,
        "actors a line feeds": fed,
        "bottleneck": bottleneck,
    }


def main(arguments: list[str] | None = None) -> int:
    """Measure, or take the figure that is given, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sides", default="128", help="of the photos that are timed, in pixels")
    parser.add_argument("--qualities", default=",".join(QUALITIES))
    parser.add_argument("--task", default="denoise")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--seconds", type=float, help="of the network a megapixel; none is timed")
    parser.add_argument("--megapixels", type=float, default=12.0, help="of the millions of photos")
    parser.add_argument("--price", type=float, default=1.0, help="of an actor's hour")
    parser.add_argument("--actors", type=int, default=1)
    parser.add_argument("--network", type=float, default=1e9, help="bytes a second to the store")
    parser.add_argument("--json", help="keep the rows there")
    args = parser.parse_args(arguments)

    rows = []
    beyond = (args.megapixels, args.price, args.actors, args.network)
    if args.seconds is not None:
        rows.append({"compute s/MP": args.seconds, **costs(args.seconds, DECODE, ENCODE, *beyond)})
    else:
        words = {"task": args.task, "sigma_y": 0.1, "noise": "white", "force": True}
        for quality in args.qualities.split(","):
            for side in map(int, args.sides.split(",")):
                parts = measure(side, quality, args.device, words)
                known = {"quality": quality, "side": side, "calls": parts.calls}
                timed = {
                    "decode s/MP": parts.decode,
                    "encode s/MP": parts.encode,
                    "compute s/MP": parts.compute,
                }
                cost = costs(parts.compute, parts.decode, parts.encode, *beyond)
                rows.append({**known, **timed, **cost})
    print(table(rows, list(rows[0])))
    save(rows, args.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
