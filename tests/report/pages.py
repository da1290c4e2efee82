"""Results as a run leaves them, and pages read and found safe."""

import json
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from gdp.report import page

VOID = {"meta", "img", "input", "br"}


class Reader(HTMLParser):
    """Checks that tags are balanced; collects text, attributes and ids."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.words, self.titles = [], [], [], 0
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def of(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def safe(text):
    """The page, read; AssertionError where it fetches or runs what is not its own."""
    read = Reader(text)
    for tag, attributes in read.tags:
        assert tag not in ("iframe", "object", "embed", "link", "base", "form", "svg")
        assert not any(name.startswith("on") for name in attributes)
        if "src" in attributes:
            assert attributes["src"].startswith("data:image/")
        if "href" in attributes:
            assert attributes["href"].startswith(("./", "#"))
    assert len(read.of("script")) == 1
    assert len(read.of("style")) == 1
    assert "url(" not in text
    assert "//" not in page.SCRIPT + page.STYLE
    for control in read.of("input"):
        assert control["aria-label"]
    assert all(picture["alt"] for picture in read.of("img"))
    return read


def save_result(folder, name, side=24, **facts):
    """A report and its pictures, as a run leaves them."""
    report = {
        "input": f"in/{name}.png",
        "output": f"{folder}/{name}.png",
        "size": [side, side],
        "sigma_y": 0.1,
        "seed": 0,
        "seconds": 1.25,
        "nfe": 3,
        "consistency": 0.01,
        "scores": {"psnr": 23.5, "ssim": 0.8, "lpips": None, "lpips_why_not": "no weights"},
        "operator": {"f": [0.25]},
        "pictures": {"kernel": f"{name}.kernel.png"},
        "panels": {
            "input": [0, 10, side, 10 + side],
            "restored": [side + 4, 10, 2 * side + 4, 10 + side],
        },
        "choices": {"task": "denoise", "operator": "identity", "sampler": "auto"},
        "overrides": ["task=denoise", "steps=3"],
        "config": {"sampler": {"schedule": {"steps": 3}}, "operator": {}},
        **facts,
    }
    noise = np.random.default_rng(len(name)).integers(
        0, 255, (side + 10, 2 * side + 4, 3), np.uint8
    )
    Image.fromarray(noise).save(folder / f"{name}.compare.png")
    Image.fromarray(noise[:side, :side]).save(folder / f"{name}.png")
    Image.fromarray(noise[:5, :5]).save(folder / f"{name}.kernel.png")
    (folder / f"{name}.json").write_text(json.dumps(report))
    return report
