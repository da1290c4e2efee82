"""What the working process does: photos looked at, masks taken and found, a job restored."""

import json
import zipfile

import numpy as np
import pytest
from PIL import Image
from skimage import data

from gdp.picture import read
from gdp.studio.worker import look, mark, restore, sam, select
from gdp.studio.worker.view import shown_photo

CLEAN = data.astronaut()[:96, 160:256]
MOST = 64_000_000


def save(folder, name, pixels, **settings):
    """A picture's file."""
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name, **settings)
    return folder / name


def noisy(pixels=CLEAN, std=20.0):
    """The same with white noise."""
    noise = np.random.default_rng(0).normal(0, std, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def looked(file, most=MOST):
    """What is found in a file."""
    view = str(file.parent / "view")
    return look.look({"file": str(file), "view": view, "most": most})["looked"]


def test_noise_is_found(tmp_path):
    found = looked(save(tmp_path, "a.png", noisy()))
    assert found["size"] == [96, 96]
    assert found["noise"] == pytest.approx(20 / 255, rel=0.25)
    assert (found["grey"], found["dark"], found["jpeg"], found["depth"]) == (False, False, None, 8)
    assert (tmp_path / "view" / "a.png").is_file()
    assert (tmp_path / "view" / "a.thumb.jpg").is_file()


@pytest.mark.parametrize("quality", [30, 82, 95])
def test_the_quality_of_a_jpeg(tmp_path, quality):
    file = save(tmp_path, "a.jpg", noisy(), quality=quality)
    assert look.jpeg_quality(file) == quality
    assert look.jpeg_quality(save(tmp_path, "a.png", CLEAN)) is None


def test_a_grey_dark_photo(tmp_path):
    grey = (data.astronaut()[:256, :256].mean(-1) / 12).astype(np.uint8)
    found = looked(save(tmp_path, "a.png", grey))
    assert found["grey"] and found["dark"]
    small = looked(save(tmp_path, "b.png", grey[:96, 160:]))  # as dark, but perhaps a shadow
    assert small["grey"] and not small["dark"]


def test_what_is_refused(tmp_path):
    broken = tmp_path / "a.png"
    broken.write_bytes(b"<html>")
    with pytest.raises(ValueError, match=r"^a\.png "):
        looked(broken)
    with pytest.raises(ValueError, match=r"a\.png is 96x96, and this studio takes"):
        looked(save(tmp_path, "a.png", CLEAN), most=5000)


def test_only_the_middle_of_a_large_photo_is_looked_at(tmp_path):
    wide = np.zeros((32, 4000, 3), np.uint8)
    file = save(tmp_path, "a.png", wide)
    assert look.cut(read(file)).pixels.shape == (1, 3, 32, look.LOOKED_AT)


def test_a_page_gets_no_more_than_it_bears(tmp_path, monkeypatch):
    monkeypatch.setattr("gdp.studio.worker.view.MOST", 1000)
    photo = read(save(tmp_path, "a.png", CLEAN))
    assert shown_photo(photo, tmp_path / "view", "a") == [96, 96]
    with Image.open(tmp_path / "view" / "a.png") as small:
        assert 900 < small.width * small.height <= 1000


def test_a_mask_is_brought_to_the_photo(tmp_path):
    painted = np.zeros((48, 48), np.uint8)
    painted[:24] = 255
    out = tmp_path / "mask.png"
    ask = {"file": str(save(tmp_path, "m", painted, format="PNG")), "out": str(out)}
    assert mark.mark({**ask, "size": [96, 96], "most": MOST}) == {"white": True}
    with Image.open(out) as kept:
        assert (kept.mode, kept.size) == ("L", (96, 96))
        assert np.asarray(kept)[:40].min() == 255 and np.asarray(kept)[56:].max() == 0

    save(tmp_path, "m", painted * 0, format="PNG")
    assert mark.mark({**ask, "size": None, "most": MOST}) == {"white": False}
    assert not out.exists()


def test_a_mask_that_is_none(tmp_path):
    file = tmp_path / "m"
    file.write_bytes(b"\x89PNG....")
    with pytest.raises(ValueError, match=r"^this file "):
        mark.mark({"file": str(file), "out": str(tmp_path / "o"), "size": None, "most": MOST})


def click(file, how, x, y, tolerance=12):
    """The mask of a click, [H, W]."""
    out = file.with_name("selected.png")
    select.select({"file": str(file), "x": x, "y": y, "how": how, "tolerance": tolerance,
                   "out": str(out)})  # fmt: skip
    with Image.open(out) as mask:
        return np.asarray(mask) > 0


def test_a_click_selects(tmp_path):
    pytest.importorskip("cv2")
    picture = np.full((120, 160, 3), 200, np.uint8)
    rows, columns = np.mgrid[:120, :160]
    disk = np.hypot(rows - 60, columns - 80) < 30
    picture[disk] = (180, 40, 30)
    file = save(tmp_path, "a.png", noisy(picture, 4))

    for how in ("alike", "thing"):
        found = click(file, how, 0.5, 0.5, 40)
        assert (found & disk).sum() / (found | disk).sum() > 0.95, how
    assert not click(file, "alike", 0.02, 0.02, 40)[disk].any()


def test_sam_is_asked_where_it_is(tmp_path, monkeypatch):
    assert sam.weights() is None

    class Segment:
        def set_image(self, picture):
            self.shape = picture.shape[:2]

        def predict(self, point_coords, **_):
            masks = np.zeros((2, *self.shape), bool)
            x, y = point_coords[0]
            masks[1, y, x] = True
            return masks, np.array([0.1, 0.9]), None

    monkeypatch.setattr(sam, "weights", lambda: ("vit_b", tmp_path))
    monkeypatch.setattr(sam, "predictor", lambda *_: Segment())
    mask = sam.select(CLEAN, 10, 20)
    assert mask[20, 10] == 255 and (mask > 0).sum() == 1


def run(job, words, files, batch):
    """Restore a job, and give its end and its events."""
    events = []
    request = {"job": str(job), "run": str(job / "runs" / "k"), "words": words, "files": files}
    (job / "view").mkdir(exist_ok=True)
    end = restore.restore(
        {**request, "batch": batch}, lambda event, **values: events.append((event, values))
    )
    return end, events


def test_a_photo_is_restored(tmp_path):
    save(tmp_path / "in", "a b.png", noisy())
    words = ["task=denoise", "sigma_y=0.08", "steps=2", "format=tif"]
    end, events = run(tmp_path, words, ["a b.png"], False)
    assert end == {}
    photo = dict(events)["photo"]["photo"]
    assert (photo["state"], photo["file"], photo["size"]) == ("done", "a b.tif", [96, 96])
    assert max(v["share"] for e, v in events if e == "progress") == 1
    assert (tmp_path / "view" / "k" / "a b.png").is_file()
    report = json.loads((tmp_path / "runs" / "k" / "a b.json").read_text())
    assert report["nfe"] == 2

    # Again: no double processing.
    end, events = run(tmp_path, words, ["a b.png"], False)
    assert dict(events)["photo"]["photo"]["state"] == "finished before"


def test_a_batch_with_one_broken(tmp_path):
    for name in ("a.png", "c.png"):
        save(tmp_path / "in", name, noisy())
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    end, events = run(
        tmp_path, ["task=denoise", "sigma_y=0.08", "steps=1"], ["a.png", "b.png", "c.png"], True
    )
    assert end == {}
    photos = {v["photo"]["name"]: v["photo"] for e, v in events if e == "photo"}
    assert {name: photo["state"] for name, photo in photos.items()} == {
        "a": "done",
        "b": "failed",
        "c": "done",
    }
    assert str(tmp_path) not in photos["b"]["error"]
    with zipfile.ZipFile(tmp_path / "view" / "k.zip") as archive:
        assert {"a.png", "c.png", "a.json", "index.html"} <= set(archive.namelist())


def test_a_photo_that_fails(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.png").write_bytes(b"no picture")
    with pytest.raises(ValueError, match=r"^b\.png "):
        run(tmp_path, ["task=denoise"], ["b.png"], False)
    with pytest.raises(ValueError, match="no task named 'denose'"):
        run(tmp_path, ["task=denose"], ["b.png"], False)
