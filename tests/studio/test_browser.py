"""The studio as people use it, in a browser (make studio-test)."""

import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.studio.conftest import Served, noisy, shot

DONE = ".progress[data-state=done]"
LONG = "sampler=ddnm steps=600"  # minutes, if nobody stops it


def give(page, file):
    """Choose a photo, and wait until it was looked at."""
    page.set_input_files("#photo input[type=file]", str(file))
    page.wait_for_selector("#found")


def say_more(page, words):
    """Type further settings."""
    page.click("#settings button:has-text('Settings')")
    page.wait_for_timeout(1000)
    page.fill("#set-more textarea, #set-more input", words)
    page.keyboard.press("Tab")
    page.click("#command button:has-text('command')")
    line(page, words)


def line(page, text):
    """Wait until the command has a text."""
    page.wait_for_function(
        "t => (document.querySelector('#line textarea')?.value || '').includes(t)", arg=text
    )


def test_restore_and_look_closely(page, photo):
    give(page, photo)
    assert "strong" in page.inner_text("#found")
    assert "96\u00d796" in page.inner_text("#found")
    page.click("#restore")
    page.wait_for_selector(DONE)
    page.wait_for_selector("photo-pair .was")
    page.wait_for_selector("#results a:has-text('Download')")
    assert "within its noise" in page.inner_text("#results")
    shot(page, "restored")

    # The line between before and after, by the range, by the keyboard, by the mouse.
    at = "() => parseFloat(document.querySelector('photo-pair').style.getPropertyValue('--at'))"
    assert page.evaluate(at) == 50
    page.fill("photo-pair input[type=range]", "20")
    assert page.evaluate(at) == 20
    page.focus("photo-pair .stage")
    page.keyboard.press("Space")
    assert page.evaluate(at) == 100
    page.keyboard.press("Space")
    assert page.evaluate(at) == 0
    box = page.locator("photo-pair .stage").bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.75, box["y"] + 50)
    assert page.evaluate(at) == pytest.approx(75, abs=1)

    # Zoom, and pan.
    width = "() => document.querySelector('photo-pair img.after').getBoundingClientRect().width"
    page.click("photo-pair button.one")
    assert page.evaluate(width) == pytest.approx(96, abs=0.5)
    page.focus("photo-pair .stage")
    page.keyboard.press("4")
    assert page.evaluate(width) == pytest.approx(384, abs=0.5)
    page.keyboard.press("+")
    page.keyboard.press("+")
    left = "() => document.querySelector('photo-pair img.after').getBoundingClientRect().left"
    before = page.evaluate(left)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(left) < before
    page.keyboard.press("0")
    assert page.evaluate(width) > 96

    # The download is the restored picture.
    with page.expect_download() as got:
        page.click("#results a:has-text('Download')")
    with Image.open(got.value.path()) as restored, Image.open(photo) as given:
        assert restored.size == given.size
        assert not np.array_equal(np.asarray(restored), np.asarray(given))


def test_a_mask_is_drawn_and_used(page, photo, tmp_path):
    give(page, photo)
    page.click("#mask button:has-text('Mask')")
    page.wait_for_selector("mask-editor .board canvas")
    page.wait_for_timeout(500)
    box = page.locator("mask-editor .board").bounding_box()

    def drag(x, y, dx, dy):
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        page.mouse.move(box["x"] + x + dx, box["y"] + y + dy, steps=4)
        page.mouse.up()

    page.click("mask-editor [data-tool=rectangle]")
    drag(60, 60, 80, 80)
    page.wait_for_selector("mask-editor .note:has-text('used')")
    page.click("mask-editor [data-tool=brush]")
    drag(200, 60, 60, 0)
    page.click("mask-editor button:has-text('Undo')")
    with page.expect_download() as got:
        page.click("mask-editor a:has-text('Save mask')")
    with Image.open(got.value.path()) as mask:
        assert mask.size == (96, 96)
        share = np.asarray(mask).mean() / 255
    assert share == pytest.approx((80 / box["width"]) ** 2, rel=0.2)
    shot(page, "mask")

    # Restored where it is white, as it was elsewhere.
    page.click("#restore")
    page.wait_for_selector(DONE)
    with page.expect_download() as got:
        page.click("#results a:has-text('Download')")
    with Image.open(got.value.path()) as restored, Image.open(photo) as given:
        changed = (np.asarray(restored) != np.asarray(given)).any(-1)
    assert changed.mean() == pytest.approx(share, rel=0.15)

    # It is there after a reload; cleared, it is gone.
    page.reload()
    page.wait_for_selector("#found")
    page.click("#mask button:has-text('Mask')")
    page.wait_for_selector("mask-editor .board canvas")
    assert page.request.get(mask_url(page)).status == 200
    page.click("mask-editor button:has-text('Clear')")
    page.wait_for_timeout(1500)
    assert page.request.get(mask_url(page)).status == 204


def mask_url(page):
    """Where the page's mask is."""
    path = page.get_attribute("mask-editor", "data-mask")
    return page.evaluate("p => new URL(p, location.origin).href", path)


def test_a_click_selects(page, photo):
    pytest.importorskip("cv2")
    give(page, photo)
    page.click("#mask button:has-text('Mask')")
    page.wait_for_timeout(500)
    page.click("mask-editor [data-tool=alike]")
    page.locator("mask-editor .board").click(position={"x": 30, "y": 200})
    page.wait_for_selector("mask-editor .note:has-text('used')")


def test_wrong_files_are_refused_on_the_page(page, tmp_path):
    wrong = tmp_path / "letter.png"
    wrong.write_text("<script>alert(1)</script>")
    page.set_input_files("#photo input[type=file]", str(wrong))
    page.wait_for_selector("text=letter.png is not a picture")
    assert page.locator("#found").count() == 0

    large = noisy(tmp_path / "large.png", 1100)
    page.set_input_files("#photo input[type=file]", str(large))
    page.wait_for_selector("text=1100x1100")


def test_settings_that_read_files_are_refused(page, photo):
    give(page, photo)
    say_more(page, "operator.kernel=/etc/passwd")
    page.click("#restore")
    page.wait_for_selector("text=takes numbers and plain words")


def test_cancel_within_a_second_and_reload_finds_the_job(page, photo, studio):
    give(page, photo)
    say_more(page, LONG)
    page.click("#restore")
    page.wait_for_selector(".progress[data-state=running]")
    page.wait_for_selector("photo-pair img[alt='So far']")
    shot(page, "running")

    # The page is closed in mid-work, and opened again without the job's address.
    page.goto("about:blank")
    page.goto(studio.url)
    page.wait_for_selector(".progress[data-state=running]")

    began = time.monotonic()
    page.click("#cancel")
    page.wait_for_selector(".progress[data-state=cancelled]")
    assert time.monotonic() - began < 1.5  # one second, and what the browser takes
    page.wait_for_selector("photo-pair img[alt='So far']")  # what is done is kept


def test_the_command_line_and_back(page, photo):
    give(page, photo)
    page.click("#command button:has-text('command')")
    line(page, "gdp noisy.png")
    page.wait_for_timeout(1000)  # what was folded is drawn once more; nobody types that soon
    page.fill("#line textarea", "gdp other.jpg task=sr4 strength=0.5 operator.r=2 seed=7")
    page.press("#line textarea", "Tab")
    page.wait_for_timeout(1000)  # nobody types and clicks within a millisecond
    page.click("button:has-text('Take over')")
    line(page, "gdp noisy.png task=sr4 strength=0.5 seed=7 operator.r=2")


def test_every_kind_of_setting_is_of_the_line(page, photo):
    give(page, photo)
    page.click("#command button:has-text('command')")
    page.click("#settings button:has-text('Settings')")
    page.wait_for_timeout(1000)
    page.click("#set-quality label:has-text('best')")
    line(page, "gdp noisy.png task=auto quality=best")
    page.fill("#set-seed input", "7")
    page.fill("#set-strength input[type=number]", "0.5")
    page.keyboard.press("Tab")
    page.check("#set-keep_exif input")
    line(page, "strength=0.5 quality=best seed=7 keep_exif=true")
    page.click("#set-depth input")
    page.click("[role=option]:has-text('16')")
    line(page, "depth=16")


def test_sessions_are_apart(page, photo, browser, studio):
    give(page, photo)
    job = re.search(r"job=(\w+)", page.url)[1]
    theirs = f"{studio.url}/studio/{job}/before"
    assert page.request.get(theirs).status == 200

    other = browser.new_context()
    stranger = other.new_page()
    stranger.goto(page.url)  # even with the address
    stranger.wait_for_selector("#restore")
    stranger.wait_for_timeout(1500)
    assert stranger.locator("#found").count() == 0
    assert stranger.request.get(theirs).status == 404
    assert stranger.request.put(f"{studio.url}/studio/{job}/mask", data=b"x").status == 404
    other.close()


def test_chinese(browser, studio, photo):
    context = browser.new_context(locale="zh-CN")
    page = context.new_page()
    page.goto(studio.url)
    page.wait_for_selector("#restore:has-text('修复')")
    give(page, photo)
    assert "严重" in page.inner_text("#found")
    shot(page, "chinese")
    context.close()


def test_on_a_phone(browser, studio, photo):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(studio.url)
    page.wait_for_selector("#restore")
    give(page, photo)
    page.click("#restore")
    page.wait_for_selector(DONE)
    page.wait_for_selector("photo-pair .was")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    shot(page, "phone")
    context.close()


def test_the_page_of_a_run_has_the_viewer(browser, tmp_path, photo):
    from gdp.studio.worker.restore import restore

    (tmp_path / "in").mkdir()
    (tmp_path / "view").mkdir()
    shutil.copy(photo, tmp_path / "in" / "a.png")
    request = {"job": str(tmp_path), "run": str(tmp_path / "out"), "files": ["a.png"]}
    restore({**request, "words": ["task=denoise", "steps=1"], "batch": True}, lambda *_, **__: None)

    page = browser.new_page()
    page.goto((tmp_path / "out" / "index.html").as_uri())
    page.click("photo-pair button.four")
    page.wait_for_selector("photo-pair canvas.after")  # at full size, from NAME.compare.png
    widths = "[...document.querySelectorAll('canvas')].map(c => c.getBoundingClientRect().width)"
    assert page.evaluate(widths) == pytest.approx([384, 384], abs=0.5)
    page.close()


def test_a_batch_with_one_broken_goes_on_after_a_kill(browser, tmp_path, needs_gradio):
    served = Served(tmp_path).start()
    try:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.goto(served.url)
        page.wait_for_selector("#restore")
        say_more(page, "sampler=ddnm steps=25")

        files = [noisy(tmp_path / f"p{k}.png", 128) for k in range(5)]
        files[2].write_bytes(b"broken")
        page.click("button[role=tab]:has-text('Many photos')")
        page.set_input_files("#photos input[type=file]", [str(file) for file in files])
        page.wait_for_selector("#photos >> text=p4")
        page.click("#restore-all")
        page.wait_for_selector("#grid .ready")
        served.kill()
        done = len(list((tmp_path / "state").rglob("runs/*/p*.json")))
        assert 1 <= done < 4

        served.start()
        page.goto(served.url)
        page.click("button[role=tab]:has-text('Many photos')")
        page.wait_for_selector("#batch-results a")
        assert page.locator("#grid .ready").count() == 4
        assert "p2.png" in page.inner_text("#grid .broken")
        shot(page, "batch")
        with page.expect_download() as got:
            page.click("#batch-results a")
        assert got.value.suggested_filename.endswith(".zip")
        context.close()
    finally:
        served.kill()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_contrast(browser, studio, photo, scheme):
    context = browser.new_context(locale="en-GB", color_scheme=scheme)
    page = context.new_page()
    page.goto(studio.url)
    page.wait_for_selector("#restore")
    give(page, photo)
    for head in ("#settings button:has-text('Settings')", "#mask button:has-text('Mask')"):
        page.click(head)

    # Every tab, once its colours have come to rest
    audit = (Path(__file__).parent / "contrast.js").read_text()
    for tab in page.query_selector_all("button[role=tab]"):
        tab.click()
        page.wait_for_timeout(600)
        assert page.evaluate(audit) == []
    context.close()
