"""Reports: NAME.json as documented, summary.csv, index.html that is one safe file of bounded size, contact sheets of sweeps."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gdp.report import gallery, page, sheet, summary, sweep, thumbnails
from tests.test_cli import ROOT, cli, files  # noqa: F401

DOCUMENT = ROOT / "docs" / "report.md"
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
    assert (
        len(read.of("script")) == 1
        and len(read.of("style")) == 1
        and "url(" not in text
        and "//" not in page.SCRIPT + page.STYLE
    )
    for control in read.of("input"):
        assert control["aria-label"]
    assert all(picture["alt"] for picture in read.of("img"))
    return read


def made_up(folder, name, side=24, **facts):
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


TYPES = {
    "text": str,
    "true or false": bool,
    "whole number": int,
    "number": (int, float),
    "object": dict,
    "list of texts": list,
    "list of whole numbers": list,
    "object of texts": dict,
    "object of lists of whole numbers": dict,
}


def test_the_report_is_as_documented(cli, cat):  # noqa: F811
    documented = dict(
        re.findall(
            r"^\| `(\w+)` \| ([^|]+?) \|", DOCUMENT.read_text().split("## summary.csv")[0], re.M
        )
    )
    words = (f"input={cat}", "steps=2", "degrade=true")
    for more in (("task=lowlight",), ("task=inpaint_box", "samples=2")):
        assert cli(*words, *more, f"output={more[0]}")[0] == 0
        report = json.loads(Path(more[0], "cat.json").read_text())
        assert report.keys() == documented.keys()
        for key, value in report.items():
            kind, _, null = documented[key].partition(" or null")
            assert (value is None and "or null" in documented[key]) or isinstance(
                value, TYPES[kind]
            ), (key, value, null)
            inner = list(value.values()) if isinstance(value, dict) else value
            if "texts" in kind:
                assert all(isinstance(one, str) for one in inner)
            if kind.endswith("lists of whole numbers"):
                assert all(isinstance(n, int) for box in inner for n in box)
            if kind == "list of whole numbers":
                assert all(isinstance(n, int) for n in inner)
        assert {"task": "lowlight"}.items() <= report["choices"].items() or report["choices"][
            "task"
        ] == "inpaint_box"
        assert (
            sorted(report["overrides"]) == sorted(["steps=2", "degrade=true", *more])
            and report["config"]["steps"] == 2
        )
        names = [*(f"cat{suffix}" for suffix in report["files"]), *report["pictures"].values()]
        assert all((Path(more[0]) / name).is_file() for name in names)
        with (
            Image.open(Path(more[0], "cat.compare.png")) as compare,
            Image.open(Path(more[0], "cat.png")) as result,
        ):
            assert set(report["panels"]) == {"input", "restored", "reference"}
            assert (
                np.asarray(compare.crop(report["panels"]["restored"])) == np.asarray(result)
            ).all()


def test_a_folder_is_told_whole(cli, cat):  # noqa: F811
    Path("in").mkdir()
    for name in ("photo10.png", "photo2.png", "<b>&x'\".png"):
        Image.open(cat).save(Path("in", name))
    Path("in", "broken.png").write_bytes(b"broken")
    words = ("input=in", "task=dehaze", "steps=1", "output=o")
    code, out, _ = cli(*words)
    assert code == 1 and out.split("\n")[-3:-1] == ["o/summary.csv", "o/index.html"]
    with Path("o/summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["name"] for row in rows] == ["<b>&x'\"", "broken", "photo2", "photo10"]
    assert [row["state"] for row in rows] == [
        "done",
        "failed",
        "done",
        "done",
    ] and "not a picture" in rows[1]["error"]
    assert (
        rows[2]["size"] == "24x20"
        and rows[2]["task"] == "dehaze"
        and rows[2]["steps"] == "1"
        and float(rows[2]["seconds"]) > 0
    )
    read = safe(Path("o/index.html").read_text())
    assert (
        len(read.of("input")) == 3
        and "<b>&x'\"" in "".join(read.words)
        and "airlight" in "".join(read.words)
    )
    assert {"./photo2.png", "./%3Cb%3E%26x%27%22.png"} <= {a["href"] for a in read.of("a")}
    assert not re.search(r"<b>", Path("o/index.html").read_text())
    # the rest of a resumed run: the page is whole again, though this run made nothing of it
    Path("in", "broken.png").unlink()
    Path("o/index.html").unlink()
    assert cli(*words)[0] == 0 and len(safe(Path("o/index.html").read_text()).of("input")) == 3
    assert cli(*words, "output=none", "report=false")[0] == 0 and "none/index.html" not in files(
        "."
    )


def test_somebody_elses_pages_stay(cli, cat):  # noqa: F811
    Path("o").mkdir()
    for name in ("index.html", "summary.csv"):
        Path("o", name).write_text("mine")
    words = (f"input={cat}", "task=denoise", "steps=1", "output=o")
    code, _, err = cli(*words)
    assert (
        code == 0
        and Path("o/index.html").read_text() == Path("o/summary.csv").read_text() == "mine"
    )
    assert err.count("is not this program's") == 2 and (Path("o") / "cat.png").is_file()
    assert cli(*words, "overwrite=true")[0] == 0 and page.MARK in Path("o/index.html").read_text()


def test_what_is_missing_is_left_out(tmp_path):
    for name in ("a", "b", "c", "d"):
        made_up(tmp_path, name)
    (tmp_path / "a.compare.png").write_bytes(b"broken")
    (tmp_path / "b.compare.png").unlink()
    (tmp_path / "b.png").unlink()
    (tmp_path / "c.kernel.png").unlink()
    nonsense = {"choices": None, "scores": None, "pictures": [3], "overrides": None}
    nonsense["panels"] = {"input": [0, 0, 9999, 9], "restored": "here"}
    made_up(tmp_path, "d", **nonsense)
    for name, text in (
        ("other.json", "[1, 2]"),
        ("more.json", "{}"),
        ("broken.json", "{"),
        ("deep.json", "[" * 100000),
    ):
        (tmp_path / name).write_text(text)
    written = gallery.write_gallery(
        tmp_path, {"e": "</script><script>alert(1)</script>", "\udcff": "a name that is no text"}
    )
    assert written == [tmp_path / "summary.csv", tmp_path / "index.html"]
    read = safe((tmp_path / "index.html").read_text())
    assert len(read.of("article")) == 6 and len(read.of("input")) == 1
    assert "</script><script>alert(1)</script>" in "".join(read.words)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=4, unique=True),
    st.text(max_size=60),
)
def test_no_text_breaks_the_page(names, text):
    report = {
        "output": text,
        "size": [3, 4],
        "nfe": 1,
        "config": {},
        "operator": {text: [text, 1.5]},
        "overrides": [text],
        "prior": {text: text},
    }
    listed = [summary.Entry(name, report) for name in names] + [summary.Entry(text, {}, text)]
    written = gallery.gallery(Path("/nowhere"), listed)
    read = safe(written)
    assert len(read.of("article")) == len(listed) and len(read.of("script")) == 1
    rows = [summary.row(entry) for entry in listed]
    back = list(
        csv.DictReader(summary.as_csv(rows, summary.columns(rows)).splitlines(keepends=True))
    )
    if not any(c in "".join([*names, text]) for c in "\r\n\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        assert [row["name"] for row in back] == [*names, text]


def test_a_thousand_photos(tmp_path, monkeypatch):
    """Noise, which compresses worst; the page stays bounded, the more so as photos of more than PICTURED are without pictures."""
    report = made_up(tmp_path, "a", 300)
    texts = {
        name: json.dumps({**report, "output": f"{name}.png"})
        for name in (f"photo{k}" for k in range(30))
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.json").write_text(text)
        for part in (".png", ".compare.png", ".kernel.png"):
            (tmp_path / f"{name}{part}").hardlink_to(tmp_path / f"a{part}")
    monkeypatch.setattr(gallery, "PICTURED", 20)
    monkeypatch.setattr(gallery, "BUDGET", 600_000)
    gallery.write_gallery(tmp_path)
    written = (tmp_path / "index.html").read_text()
    assert 100_000 < len(written) < 1_000_000 and len(safe(written).of("article")) == 20
    assert len((tmp_path / "summary.csv").read_text().splitlines()) == 32
    assert gallery.BUDGET <= 16_000_000 and gallery.LEAST * 2 * 2000 <= 16_000_000


def test_folders_below(tmp_path):
    for name in ("a", "below/a", ".hidden/a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        made_up((tmp_path / name).parent, "a")
    gallery.write_gallery(tmp_path, recursive=True)
    read = safe((tmp_path / "index.html").read_text())
    assert {a["href"] for a in read.of("a")} == {
        "#photo0",
        "#photo1",
        "./a.png",
        "./below/a.png",
    } and len(read.of("input")) == 2
    gallery.write_gallery(tmp_path)
    assert len(safe((tmp_path / "index.html").read_text()).of("input")) == 1


@pytest.mark.parametrize("most", [300, 3_000, 60_000])
def test_pictures_within_bytes(most):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (500, 700, 3), np.uint8))
    uri = thumbnails.uri(noise, most)
    assert len(uri) < 1.4 * most + 40 and (most < 1000 or uri.startswith("data:image/"))


def test_the_input_lies_where_the_result_has_it(tmp_path):
    report = made_up(tmp_path, "a", 40, config={"operator": {"margins": [0, 10, 20, 0]}})
    laid = thumbnails.before(
        Image.new("RGB", (20, 30), "red"), summary.Entry("a", report), (80, 80)
    )
    red = (np.asarray(laid) == (255, 0, 0)).all(-1)
    assert red[:60, 40:].all() and not red[60:].any() and not red[:, :40].any()


def jobs_of(folder, *overrides):
    """Jobs of a sweep with a photo each; those that fail leave nothing."""
    made = []
    for k, settings_ in enumerate(overrides):
        place = folder / str(k)
        place.mkdir()
        if "error" not in settings_:
            made_up(place, "cat", 20 + k)
        made.append(
            sweep.Job(
                {a: b for a, b in settings_.items() if a != "error"},
                place,
                settings_.get("error", ""),
            )
        )
    return made


def test_axes_and_places(tmp_path):
    values = [
        {"task": t, "sampler": s, "sigma_y": n, "steps": "3"}
        for t in "ab"
        for s in "xyz"
        for n in "12"
    ]
    values[4]["error"] = "DDNM needs operator.pinv"
    jobs = jobs_of(tmp_path, *values)
    assert sweep.axes(jobs) == {
        "sampler": ["x", "y", "z"],
        "task": ["a", "b"],
        "sigma_y": ["1", "2"],
    }
    written = sweep.write_sweep(tmp_path, jobs)
    assert [file.name for file in written] == ["summary.csv", "sheet.png", "index.html"]
    read = safe((tmp_path / "index.html").read_text())
    assert len(read.of("tr")) == 13 and "./0/index.html" not in {
        a.get("href") for a in read.of("a")
    }
    with (tmp_path / "summary.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert (
        len(rows) == 12
        and rows[4]["error"] == "DDNM needs operator.pinv"
        and rows[4]["sampler"] == "z"
        and rows[5]["psnr"] == "23.5"
    )
    with Image.open(tmp_path / "sheet.png") as picture:
        pixels = np.asarray(picture.convert("RGB"))
        assert picture.info["Software"] == sweep.MARK
    layout = sheet.laid_out(sweep.axes(jobs), 1, sheet.ImageFont.load_default(sheet.FONT))
    assert (
        layout.across[0] == "sampler"
        and layout.down[0] == "task"
        and layout.rest == ["sigma_y"]
        and len(layout.groups) == 2
    )
    grey = (pixels == sheet.EMPTY).all(-1).mean() * pixels.shape[0] * pixels.shape[1]
    assert 0.8 * layout.side**2 < grey <= layout.side**2  # one cell failed


def test_sheets_of_one_axis_none_and_many_photos(tmp_path, monkeypatch):
    picture = sheet.Cell(Image.new("RGB", (30, 20), "red"), "text")
    one = sheet.draw({"seed": ["1", "2", "3"]}, {"a": {("1",): picture, ("3",): picture}})
    none = sheet.draw({}, {"a": {(): picture}})
    assert one.width > 2.5 * sheet.LARGEST and none.width < 1.5 * sheet.LARGEST
    monkeypatch.setattr(sheet, "PIXELS", 4_000_000)
    axis = {"seed": [str(k) for k in range(12)]}
    many = sheet.draw(
        axis, {f"photo{k}": {(str(s),): picture for s in range(12)} for k in range(60)}
    )
    assert many.width * many.height < 1.1 * sheet.PIXELS
    (tmp_path / "sheet.png").write_bytes(b"a picture of mine")
    assert sweep.write_sheet(tmp_path / "sheet.png", none, False) is None and sweep.write_sheet(
        tmp_path / "sheet.png", none, True
    )
    assert sweep.write_sheet(tmp_path / "sheet.png", one, False) == tmp_path / "sheet.png"


def test_a_sweep_of_which_a_job_fails(cli, cat):  # noqa: F811
    code, out, err = cli(
        "-m",
        f"input={cat}",
        "output=o",
        "task=denoise,jpeg",
        "sampler=ddnm,auto",
        "steps=1",
        "degrade=true",
    )
    assert (
        code == 2
        and "DDNM needs operator.pinv" in err
        and out.split("\n")[-4:-1] == ["o/summary.csv", "o/sheet.png", "o/index.html"]
    )
    read = safe(Path("o/index.html").read_text())
    assert len(
        read.of("tr")
    ) == 5 and "DDNM needs operator.pinv, which JPEG does not have" in "".join(read.words)
    assert sum(a["href"].endswith("/index.html") for a in read.of("a")) == 3
    assert all(
        (Path("o") / a["href"].replace("%3D", "=").replace("%2C", ",")).is_file()
        for a in read.of("a")
    )
