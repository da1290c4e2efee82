"""Public names: the same from wherever a class lies, and importable."""

import importlib
from pathlib import Path

import pytest
import yaml

from gdp.compose.names import CLASSES, INSIDE, MOVED, public, with_public_names
from gdp.storage.places import CONF


def targets(node):
    """Every `_target_` in nested settings."""
    if isinstance(node, dict):
        yield from [node["_target_"]] if isinstance(node.get("_target_"), str) else []
        for value in node.values():
            yield from targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets(value)


OURS = sorted(
    {
        name
        for file in CONF.rglob("*.yaml")
        for name in targets(yaml.safe_load(Path(file).read_text()))
        if name.split(".")[0] in ("gdp", "operators", "samplers")
    }
)


def found(name):
    """What a dotted name leads to."""
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


@pytest.mark.parametrize("name", OURS)
def test_the_public_name_leads_to_the_same_class(name):
    assert found(public(name)) is found(name)
    assert public(public(name)) == public(name)


@pytest.mark.parametrize("former", MOVED)
def test_a_former_module_is_todays(former):
    assert importlib.import_module(former) is importlib.import_module(MOVED[former])
    assert importlib.import_module(MOVED[former]).__spec__.name == MOVED[former]


@pytest.mark.parametrize("today", [*INSIDE, *(name.rpartition(".")[0] for name in CLASSES)])
def test_what_has_a_public_name_is_there(today):
    assert importlib.import_module(today)


def test_nested_settings():
    settings = {
        "operator": {"_target_": "operators.missing.mask.Mask", "path": "photo.png"},
        "terms": [{"_target_": "hydra.utils.get_method", "path": "samplers.guide.losses.fidelity"}],
        "own": {"_target_": "mine.Fog"},
    }
    assert with_public_names(settings) == {
        "operator": {"_target_": "operators.mask.Mask", "path": "photo.png"},
        "terms": [{"_target_": "hydra.utils.get_method", "path": "gdp.losses.fidelity"}],
        "own": {"_target_": "mine.Fog"},
    }
