"""What the same words gave before is kept as long as it would be the same."""

import shutil

import pytest
from hydra.errors import HydraException

from gdp.compose import configuration
from gdp.compose.configuration import compose, compose_words, state_of
from gdp.storage.places import CONF


@pytest.fixture
def counted(monkeypatch):
    """The words that Hydra was asked for."""
    words, composed = [], configuration.composed
    monkeypatch.setattr(
        configuration, "composed", lambda asked: words.append(asked) or composed(asked)
    )
    configuration.kept.cache_clear()
    yield words
    configuration.kept.cache_clear()


def test_hydra_is_asked_once_and_each_has_its_own(counted):
    first, second = compose("task=sr4"), compose("task=sr4")
    assert counted == [("task=sr4",)] and first == second
    first.sigma_y, first.operator.r = 0.5, 9
    third, choices = compose_words(["task=sr4"])
    assert third == second and third.operator.r == 4 and len(counted) == 1
    choices["operator"] = "none"
    assert compose_words(["task=sr4"])[1]["operator"] == "avgpool"


def test_what_is_refused_is_asked_again(counted):
    for _ in range(2):
        with pytest.raises(HydraException):
            compose("task=sr5")
    assert len(counted) == 2


def test_a_changed_file_and_a_new_one_count(counted, tmp_path, monkeypatch):
    conf = tmp_path / "conf"
    shutil.copytree(CONF, conf)
    monkeypatch.setattr(configuration, "CONF", conf)
    assert compose("operator=avgpool").operator.r == 4

    file = conf / "operator" / "avgpool.yaml"
    file.write_text(file.read_text().replace("r: 4", "r: 16"))
    assert compose("operator=avgpool").operator.r == 16
    before = state_of(conf)
    shutil.copy(file, file.with_name("mine.yaml"))
    assert state_of(conf) > before and compose("operator=mine").operator.r == 16


def test_other_folders_are_read_each_time(counted, tmp_path):
    (tmp_path / "operator").mkdir()
    for r in (2, 3):
        file = tmp_path / "operator" / "far.yaml"
        file.write_text(f"_target_: operators.size.avgpool.AvgPool\nr: {r}\n")
        words = f"hydra.searchpath=[file://{tmp_path}]", "operator=far"
        assert compose(*words).operator.r == r
