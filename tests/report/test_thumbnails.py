"""Small pictures: within their bytes, and the input where the result has it."""

import numpy as np
import pytest
from PIL import Image

from gdp.report import summary, thumbnails
from tests.report.pages import save_result


@pytest.mark.parametrize("most", [300, 3_000, 60_000])
def test_pictures_within_bytes(most):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (500, 700, 3), np.uint8))
    uri = thumbnails.data_uri(noise, most)
    assert len(uri) < 1.4 * most + 40 and (most < 1000 or uri.startswith("data:image/"))


def test_the_input_lies_where_the_result_has_it(tmp_path):
    report = save_result(tmp_path, "a", 40, config={"operator": {"margins": [0, 10, 20, 0]}})
    laid = thumbnails.lay_over(
        Image.new("RGB", (20, 30), "red"), summary.Entry("a", report), (80, 80)
    )
    red = (np.asarray(laid) == (255, 0, 0)).all(-1)
    assert red[:60, 40:].all() and not red[60:].any() and not red[:, :40].any()
