"""The ADM-256 as a user gets it: 2.2 GB by the download's path, loaded, one call."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MOST = 5.0  # GB of memory at the peak: the network in 16 bits, the file's pages, a call

SCRIPT = """
import functools, http.server, json, os, resource, threading, time
from pathlib import Path
import torch
from gdp.compose.configuration import compose
from gdp.network.unet import UNet
from gdp.prior.weights import load_prior
from gdp.storage.fingerprint import sha256
from omegaconf import OmegaConf

settings = OmegaConf.to_container(compose("prior=imagenet256").prior, resolve=True)
with torch.device("meta"):
    net = UNet(**{k: v for k, v in settings["unet"].items() if v is not None})
there = Path("web"); there.mkdir()
torch.manual_seed(0)
if os.fork() == 0:  # another process, so that the peak is not that of writing the file
    shapes = {name: weight.shape for name, weight in net.state_dict().items()}
    torch.save({k: torch.randn(s) * s[1:].numel() ** -0.5 for k, s in shapes.items()},
               there / "adm.pt")
    os._exit(0)
os.wait()

handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=there)
handler.func.log_message = lambda *_: None
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
threading.Thread(target=server.serve_forever, daemon=True).start()

began = time.time()
prior = load_prior("adm.pt", unet=settings["unet"], diffusion=settings["diffusion"],
                   url=f"http://127.0.0.1:{server.server_port}/adm.pt",
                   sha256=sha256(there / "adm.pt"), device="cpu", dtype="bfloat16")
loaded = time.time()
with torch.no_grad():
    eps = prior(torch.randn(1, 3, 64, 64), 500).eps
print(json.dumps({
    "parameters": sum(p.numel() for p in prior.net.parameters()),
    "finite": bool(eps.isfinite().all()),
    "load": loaded - began, "call": time.time() - loaded,
    "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
}))
"""


@pytest.mark.slow
def test_the_whole_network_by_the_downloads_path(tmp_path, monkeypatch):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["parameters"] == 552_814_086 and found["finite"] and found["peak_gb"] < MOST, found
    print(found)
