"""Odd words of a command line, each with what must come of it."""

from collections.abc import Iterator

import yaml

from gdp.compose.settings import SETTINGS
from gdp.storage.places import CONF

# Values that few settings take
VALUES = (
    *("", "null", "maybe", "-1", "1.5", "2**64", "18446744073709551616", "1e400", "nan", "[1,2]"),
    *("{a:1}", "a=b", "(3", "???", "${nothing}", "~nobody-of-this-name/x", "\udcff", "x" * 300),
)
GROUPS = ("task", "operator", "sampler", "prior", "lowres", "tiling", "guidance")

# Words that are no setting with a value
WORDS = (
    *("+sigmay=0.2", "+note=a=b", "+experiment=mine", "++logger=wandb", "stepz=3", "=3", "a b=3"),
    *(
        "~seed",
        "~sampler",
        "~sampler.schedule",
        "-x",
        "--steps",
        "--input=x.png",
        "seed",
        "denoise",
    ),
    *("none.png", "+operator.psf=a=b.npy", "+sampler.foo=3", "sampler.etta=1", "operator.rr=2"),
    *("sampler.eta=0.9", "seed=1,2", "+", "~", "@", "task@x=sr4", "+task=sr4", "sampler/x=ddnm"),
    *("operator._target_=os.system", "operator._target_=nowhere.Fog", "operator._target_=5"),
    *("sampler.schedule=3", "sampler.schedule.steps=0", "sampler.schedule.steps=9999999"),
    *("operator.r=0", "operator.r=1000000", "operator.r=abc", "task=inpaint", "samples=100000000"),
)


def odd_words() -> Iterator[str]:
    """Every global setting with every odd value, then groups, inner settings and other words."""
    for name in SETTINGS:
        # What would be restored at length, or somewhere else, is left out
        if name not in ("output", "verbose"):
            yield from (f"{name}={value}" for value in VALUES)
    for group in GROUPS:
        yield from (f"{group}={value}" for value in VALUES)
    settings = yaml.safe_load((CONF / "sampler" / "auto.yaml").read_text(encoding="utf-8"))
    for name in [key for key in settings if key[0] != "_"]:
        yield from (f"sampler.{name}={value}" for value in VALUES[:9])
    yield from WORDS
