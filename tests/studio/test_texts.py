"""Every language has every text, with the same values in it."""

import re
from pathlib import Path

import pytest

from gdp.compose.refusal import choices_of
from gdp.studio.words import texts
from gdp.studio.words.texts import Texts, language, load

GDP = Path(texts.__file__).parents[2]


@pytest.mark.parametrize("lang", texts.languages())
def test_same_keys_and_values(lang):
    english, other = load("en"), load(lang)
    assert english.keys() == other.keys()
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", other[key])), key
        assert other[key].strip()


def test_chinese_is_chinese():
    untranslated = [k for k, v in load("zh").items() if v == load("en")[k]]
    assert untranslated == ["found.jpeg", "view.one", "view.four", "state.running"]


def test_texts_of_the_code_are_there():
    code = [f.read_text(encoding="utf-8") for f in (GDP / "studio").rglob("*.py")]
    named = set(re.findall(r"""\bt\(\s*["']([\w.]+)["']""", "".join(code)))
    assert len(named) > 50
    assert named <= load("en").keys()


def test_tasks_are_the_programs():
    assert Texts("en").below("task").keys() <= set(choices_of("task"))


def test_what_is_missing_is_english(monkeypatch):
    zh = Texts("zh")
    del (own := dict(zh.own))["restore"]
    zh.own = own
    assert zh("restore") == "Restore"
    with pytest.raises(KeyError):
        zh("nonsense")


@pytest.mark.parametrize(
    ("wanted", "accepted", "asked", "is_"),
    [
        ("auto", "zh-CN,zh;q=0.9,en;q=0.8", "", "zh"),
        ("auto", "fr-FR,en;q=0.8", "", "en"),
        ("auto", "fr", "", "en"),
        ("zh", "en", "", "zh"),
        ("auto", "en", "zh", "zh"),
        ("auto", "en", "../../x", "en"),
    ],
)
def test_language(wanted, accepted, asked, is_):
    assert language(wanted, accepted, asked) == is_
