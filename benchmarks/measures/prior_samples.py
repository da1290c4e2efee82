"""What a prior knows by itself: a sheet of unconditional samples, of fixed seeds.

    python benchmarks/measures/prior_samples.py --png docs/photo64_samples.png [--prior photo64]
        [--steps 50] [--eta 0]

Below it, how much they vary: the standard deviation of the pixels within an image, and that of its
means over 8x8 blocks, in [0, 1] units and averaged over images. Flat colour has neither, pure
texture only the first; --photos FOLDER adds crops of photos to compare with. The model card of a
bundled prior shows this sheet.
"""

import argparse
import sys
import time
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import save, table
from gdp.compose.configuration import compose, make
from gdp.picture import save as save_picture
from gdp.picture import to_image
from gdp.train.data import collate
from gdp.train.photos import Photos, find_photos
from gdp.train.samples import sample, sheet

COLUMNS = "what eta steps images spread spread_of_8x8_means seconds".split()


def main() -> None:
    """Parse, sample, show, measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prior", default="photo64", help="a name in conf/prior")
    parser.add_argument(
        "--override", nargs="*", default=[], metavar="KEY=VALUE", help="any setting of run.py"
    )
    parser.add_argument("--png", type=Path, help="where the sheet goes")
    parser.add_argument("--images", type=int, default=24)
    parser.add_argument("--size", type=int, help="side of an image (the prior's own)")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--eta", type=float, default=0.0)
    parser.add_argument("--photos", type=Path, help="measure crops of these, too")
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()

    try:
        rows = run(args)
    except (ValueError, TypeError, OSError) as error:
        parser.exit(2, f"error: {error}\n")

    print(table(rows, COLUMNS))
    save(rows, args.json)


def run(args: argparse.Namespace) -> list[dict]:
    """Draw the sheet; return a row of the samples, and one of the photos' crops."""
    prior = make(compose(f"prior={args.prior}", *args.override).prior)
    size, start = args.size or prior.net.image_size, time.perf_counter()
    images = sample(prior, args.images, size, args.eta, args.steps).float().cpu()
    seconds = time.perf_counter() - start
    if args.png:
        save_picture(sheet(images), args.png)

    settings = {"what": prior.source["file"], "eta": args.eta, "steps": args.steps}
    rows = [{**settings, **spread(images), "seconds": seconds}]
    if args.photos:
        photos = Photos(find_photos(args.photos), cache_mb=0, native=0.5, flip=False)
        crops = collate([photos.draw(0, 0, i, size) for i in range(8 * args.images)]).x0
        rows.append({"what": f"crops of {args.photos.name}", **spread(crops)})
    return rows


def spread(images: Tensor) -> dict[str, float]:
    """Measure how much images [B, 3, H, W] in [-1, 1] vary within themselves, in [0, 1] units."""
    pixels = to_image(images.clamp(-1, 1))
    fine, coarse = (x.std((2, 3)).mean().item() for x in (pixels, F.avg_pool2d(pixels, 8)))
    return {"images": len(images), "spread": fine, "spread_of_8x8_means": coarse}


if __name__ == "__main__":
    main()
