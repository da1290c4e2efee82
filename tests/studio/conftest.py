"""A studio that is served, and a browser; tests that need them are skipped where they are not."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SHOTS = os.environ.get("GDP_STUDIO_SHOTS")  # a folder to keep screenshots in


class Served:
    """A studio, in a process of its own."""

    def __init__(self, state, *words):
        self.state, self.words, self.process = state, words, None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        """Begin to serve, and wait until it does."""
        command = [sys.executable, "-m", "gdp.studio", "--no-browser", "--port", str(self.port)]
        log = (self.state / "served.txt").open("ab")
        self.process = subprocess.Popen(
            [*command, "--state", str(self.state / "state"), *self.words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            stdout=log,
            stderr=log,
        )
        until = time.monotonic() + 90
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url, timeout=5).close()
                return self
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.state / "served.txt").read_text())

    def kill(self):
        """As kill -9 does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@pytest.fixture(scope="session")
def needs_gradio():
    """Skip where the studio cannot be served."""
    pytest.importorskip("gradio")


@pytest.fixture(scope="session")
def studio(tmp_path_factory, needs_gradio):
    """A studio that is served."""
    served = Served(tmp_path_factory.mktemp("studio"), "--megapixels", "1").start()
    yield served
    served.kill()


@pytest.fixture(scope="session")
def browser(needs_gradio):
    """Chromium."""
    api = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip("no chromium is here")
    with api.sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


@pytest.fixture
def page(browser, studio):
    """A page of a session of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(studio.url)
    page.wait_for_selector("#restore")
    yield page
    assert page.errors == []
    context.close()


@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    """A noisy photo's file, 96x96."""
    return noisy(tmp_path_factory.mktemp("photos") / "noisy.png", 96)


def noisy(file, size):
    """A photo with noise, in a file."""
    pixels = np.asarray(Image.fromarray(data.astronaut()).resize((size, size)))
    pixels = pixels + np.random.default_rng(0).normal(0, 20, pixels.shape)
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file)
    return file


def shot(page, name):
    """Keep a screenshot, where that is wanted."""
    if SHOTS:
        Path(SHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)
