"""Which jobs are spread over workers or storage, on which devices, and what is refused."""

import sys

import pytest
import torch

from gdp.cli.spread import devices_of, is_spread
from gdp.compose.configuration import compose
from gdp.compose.refusal import validate
from tests.test_cli import EXTRA, cli  # noqa: F401


def asked(*words):
    cfg = compose(*words)
    validate(cfg)
    return cfg


@pytest.mark.parametrize(
    ("words", "spread"),
    [
        ([], False),
        (["input=photos"], False),
        (["engine=ray"], True),
        (["input='s3://b/photos'"], True),
        (["input=['a.png','s3://b/c.png']"], True),
        (["output='gs://b/out'"], True),
        (["task=inpaint", "mask='az://c/m.png'"], True),
        (["prior=custom", "prior.path='memory://w.pt'"], True),
        (["input=list.csv"], True),
        (["input=photos.tar"], True),
        (["device=[cpu,cpu]"], True),
        (["device=[cpu]"], False),
    ],
)
def test_what_is_spread(words, spread):
    assert is_spread(asked(*words)) is spread


@pytest.mark.parametrize("found", [["auto"], ["cuda:0"], ["cuda:0", "cuda:1"]])
def test_all_devices(monkeypatch, found):
    """One GPU stays plain; two are a worker each."""
    count = len(found) if found != ["auto"] else 0
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    cfg = asked("devices=all")
    assert devices_of(cfg) == found
    assert is_spread(cfg) is (count > 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["devices=all", "device=cpu"], "both say where"),
        (["device=[cpu,cuda:0]"], "a list is of GPUs"),
        (["device=[mps,mps]"], "a list is of GPUs"),
    ],
)
def test_devices_that_are_refused(words, said):
    with pytest.raises(ValueError, match=said):
        devices_of(asked(*words))


def test_ray_that_is_missing_is_told_in_a_line(cli, cat, tmp_path, monkeypatch):  # noqa: F811
    for name in [name for name in sys.modules if name.partition(".")[0] == "ray"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "ray", None)
    line = [f"input={cat}", f"output={tmp_path / 'out'}", "engine=ray", "steps=1"]
    code, _, err = cli(*line)
    assert code == 2 and err.count("\n") == 1
    assert "engine=ray needs the packages ray and pyarrow, which are not installed: pip" in err
    assert not (tmp_path / "out").exists()


def test_a_scene_is_of_a_disk(cli, tmp_path):  # noqa: F811
    line = ["input=['memory://a.png','memory://b.png']", f"output={tmp_path / 'out'}"]
    code, _, err = cli(*line, "task=hdr")
    assert code == 2 and "scene=true is of pictures on a disk" in err
