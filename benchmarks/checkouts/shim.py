"""Run a script of another project's checkout, unchanged, on our network.

    python benchmarks/checkouts/shim.py --folder DIR --script FILE.py --models MODULE
        [--prior photo64] [--device auto] [--calls FILE] -- WORDS OF THE SCRIPT

Within this process only: MODULE.create_model gives our prior in place of the project's network;
`torch.load` gives nothing, since there is nothing to load; where there is no CUDA, what is put
there stays where it is; and libraries that a script imports and that are not installed are empty.
Nothing in the checkout is changed. It is the user's own: its code is run, so it has to be trusted.
"""

import argparse
import importlib
import importlib.util
import os
import runpy
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from gdp.compose.configuration import build, compose
from gdp.prior.prior import Prior

# What the scripts import and hardly use
OPTIONAL = "tensorboard torch.utils.tensorboard lmdb cv2 blobfile mpi4py pytorch_ssim lpips".split()


class Network(nn.Module):
    """Our prior as guided-diffusion's UNet is called.

    Args:
        prior: the prior.

    Attributes:
        calls: how often it was asked.
    """

    def __init__(self, prior: Prior):
        super().__init__()
        self.prior, self.calls = prior, 0
        self.dtype = torch.float32

    def forward(self, x: Tensor, timesteps: Tensor, y: Any = None, **_: Any) -> Tensor:
        """eps, and v where the prior has it, [B, C or 2 C, H, W], at the index 0..T-1."""
        self.calls += 1
        eps, v = self.prior.predict(x.float(), int(timesteps.flatten()[0]) + 1)
        return eps if v is None else torch.cat([eps, v], 1)

    def load_state_dict(self, *_: Any, **__: Any) -> None:
        """Keep our weights."""

    def convert_to_fp16(self) -> None:
        """Keep our type."""


class OnThisDevice(TorchFunctionMode):
    """What is asked for on a GPU is made on the CPU."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.cuda:
            return args[0]
        args = tuple(on_cpu(value) for value in args)
        return func(*args, **{k: on_cpu(v) for k, v in (kwargs or {}).items()})


def on_cpu(value: Any) -> Any:
    """A device as the CPU where it is a GPU; anything else as it is."""
    named = isinstance(value, str) and value.startswith("cuda")
    device = isinstance(value, torch.device) and value.type == "cuda"
    return torch.device("cpu") if named or device else value


def main(arguments: list[str] | None = None) -> None:
    """Run the script."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--folder", type=Path, required=True, help="where the script is run")
    add("--script", required=True)
    add("--models", required=True, help="the module whose create_model gives the network")
    add("--prior", default="photo64")
    add("--device", default="auto")
    add("--calls", type=Path, help="a file to write the number of network calls to")
    add("words", nargs="*")
    args = parser.parse_args(arguments)

    setup = build(compose("task=denoise", f"prior={args.prior}", f"device={args.device}"))
    network = Network(setup.load_prior())

    # The script's own surroundings
    os.chdir(args.folder)
    sys.path.insert(0, str(args.folder))
    sys.argv = [args.script, *args.words]
    stand_in(OPTIONAL)
    torch.load = nothing
    one_process()
    models = importlib.import_module(args.models)
    setattr(models, "create_model", lambda *_, **__: network)  # noqa: B010

    # Scripts may end by sys.exit.
    try:
        with nullcontext() if torch.cuda.is_available() else OnThisDevice():
            runpy.run_path(args.script, run_name="__main__")
    finally:
        if args.calls:
            args.calls.write_text(str(network.calls))


def stand_in(modules: list[str]) -> None:
    """Let libraries that are not installed be empty ones."""
    for name in modules:
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = MagicMock()


def nothing(*_: Any, **__: Any) -> Mapping[str, Tensor]:
    """Weights of no network."""
    return {}


def one_process() -> None:
    """Let data be read by the process itself: a few photos need no others."""
    loader = torch.utils.data.DataLoader
    usual = loader.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        usual(self, *args, **{**kwargs, "num_workers": 0})

    loader.__init__ = init  # type: ignore[method-assign]


if __name__ == "__main__":
    main()
