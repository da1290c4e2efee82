"""The ADM-256 as a user gets it: 2.2 GB over connections that break, loaded in 16 bits, called."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

# GB of memory at the peak: the network in 16 bits, a call, and 2.2 GB of the file's own pages.
# Those are no copy: the system takes them back where it needs them.
MOST = 4.8

SCRIPT = """
import http.server, json, os, resource, sys, threading, time
from pathlib import Path
import torch
from gdp.compose.configuration import compose
from gdp.network.unet import UNet
from gdp.prior.weights import load_prior, locate
from gdp.storage import download
from gdp.storage.fingerprint import sha256
from omegaconf import OmegaConf

dtype, sides = sys.argv[1], [int(side) for side in sys.argv[2].split(",")]
settings = OmegaConf.to_container(compose("prior=imagenet256").prior, resolve=True)
file, asked, download.PAUSE = Path("adm.pt").absolute(), [], 0
if os.fork() == 0:  # another process, so that the peak is not that of writing the file
    torch.manual_seed(0)
    with torch.device("meta"):
        net = UNet(**{k: v for k, v in settings["unet"].items() if v is not None})
    shapes = {name: weight.shape for name, weight in net.state_dict().items()}
    torch.save({k: torch.randn(s) * s[1:].numel() ** -0.5 for k, s in shapes.items()}, file)
    os._exit(0)
os.wait()

class Breaking(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.headers.get("Range"))
        first = int(asked[-1][6:-1]) if asked[-1] else 0
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(file.stat().st_size - first))
        self.end_headers()
        with file.open("rb") as stream:
            stream.seek(first)
            for _ in range(900):  # MB that a connection lives for
                self.wfile.write(stream.read(2**20))

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Breaking)
threading.Thread(target=server.serve_forever, daemon=True).start()
url, digest = f"http://127.0.0.1:{server.server_port}/adm.pt", sha256(file)

def seconds(work):
    began = time.time()
    return work(), time.time() - began

os.mkdir("elsewhere")  # where no file of this name is at hand
os.chdir("elsewhere")
there, download_s = seconds(lambda: locate("adm.pt", url, digest))
prior, load_s = seconds(lambda: load_prior(
    "adm.pt", unet=settings["unet"], diffusion=settings["diffusion"], url=url, sha256=digest,
    device="cpu", dtype=dtype))
calls, finite = {}, True
for side in sides:
    with torch.no_grad():
        eps, calls[side] = seconds(lambda: prior(torch.randn(1, 3, side, side), 500).eps)
    finite &= bool(eps.isfinite().all())
print(json.dumps({
    "parameters": sum(p.numel() for p in prior.net.parameters()), "finite": finite,
    "dtype": str(prior.net.dtype), "asked": asked, "download_s": download_s, "load_s": load_s,
    "calls_s": calls, "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
}))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "sides"), [("bfloat16", "64,256"), ("float16", "256")])
def test_the_whole_network_by_the_downloads_path(dtype, sides, tmp_path, monkeypatch):
    monkeypatch.setenv("GDP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    command = [sys.executable, "-c", SCRIPT, dtype, sides]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr[-2000:]
    found = json.loads(run.stdout.splitlines()[-1])
    print(found)
    assert found["parameters"] == 552_814_086 and found["dtype"] == f"torch.{dtype}"
    assert found["finite"] and found["peak_gb"] < MOST
    starts = [900 * 2**20 * k for k in range(1, 3)]
    assert found["asked"] == [None, *(f"bytes={first}-" for first in starts)]
