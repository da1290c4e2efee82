"""NAME.json is as docs/report.md says."""

import json
import re
from pathlib import Path

import numpy as np
from PIL import Image

from tests.test_cli import ROOT, cli  # noqa: F401

DOCUMENT = ROOT / "docs" / "report.md"
TYPES = {
    "text": str,
    "true or false": bool,
    "whole number": int,
    "number": (int, float),
    "object": dict,
    "list of texts": list,
    "list of objects": list,
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
        assert sorted(report["overrides"]) == sorted(["steps=2", "degrade=true", *more])
        assert report["config"]["steps"] == 2
        names = [*(f"cat{suffix}" for suffix in report["files"]), *report["pictures"].values()]
        assert all((Path(more[0]) / name).is_file() for name in names)
        with (
            Image.open(Path(more[0], "cat.compare.png")) as compare,
            Image.open(Path(more[0], "cat.png")) as result,
        ):
            assert set(report["panels"]) == {"input", "restored", "reference"}
            panel = compare.crop(report["panels"]["restored"])
            assert (np.asarray(panel) == np.asarray(result)).all()
