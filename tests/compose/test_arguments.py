"""Settings of groups: what is refused, in which words, and what is written out."""

import json
import logging
from pathlib import Path

import pytest
from PIL import Image
from skimage import data

from gdp.compose.building import build
from gdp.compose.configuration import compose, compose_settings, compose_words
from samplers.anchored import Anchored
from tests.conftest import TASKS
from tests.test_cli import cli  # noqa: F401

LIGHT = ("task=lowlight",)
SPELLING = r"guidance\.terms\.exposure\.0=.* sets its weight.*exposure\.1\.NAME=VALUE"
REFUSED = {
    "guidance.terms.exposure=1": SPELLING,
    "guidance.terms.exposure=[1]": SPELLING,
    "guidance.terms.exposure=[1,0.3]": r"exposure\.1=0\.3; a loss is \{_target_",
    "guidance.terms.exposure=[1,{targt:0.3}]": r"exposure takes no targt; did you mean target",
    "+guidance.terms.mine=[1,{target:0.3}]": r"mine\.1=.*; a loss is \{_target_",
    "guidance.terms.exposure.0=abc": r"exposure\.0=abc; a weight is a number, 0 or more",
    "guidance.terms.exposure.0=-1": "a weight is a number",
    "guidance.terms.exposure.0=nan": "a weight is a number",
    "guidance.terms.exposure.0=inf": "a weight is a number",
    "guidance.terms.exposure.0=true": "a weight is a number",
    "guidance.terms.exposure.1.target=2": "target=2; it is a brightness from 0 to 1",
    "guidance.terms.exposure.1.target=-0.1": "it is a brightness from 0 to 1",
    "guidance.terms.exposure.1.patch=0": r"patch=0; it is a whole number of pixels, 1 or more",
    "guidance.terms.spatial_consistency.1.patch=0": "it is a whole number of pixels",
    "guidance.terms.exposure.1.patch=1.5": r"patch=1\.5; it is a whole number",
    "operator.factors=0.1": r"operator\.factors=0\.1; it is a list, as operator\.factors=\[0\.1\]",
}
OF_OTHERS = {
    "operator=compose operator.ops=blur_gaussian": r"a list, as operator\.ops=\[blur_gaussian\]",
    "operator=compose operator.ops=[noise]": r"nothing but noise.*operator\.ops=\[blur_gaussian",
    "operator=compose operator.ops=[]": r"is empty.*operator\.ops=\[blur_gaussian",
    "operator=clip operator.gain=nan": r"gain=nan; it is a number, and neither nan nor infinite",
    "sampler=gdp_x0 sampler.N=0": r"sampler\.N=0; it is a whole number",
    "sampler=gdp_x0 sampler.N=-2": r"sampler\.N=-2; it is a whole number",
    **{
        f"sampler={name} sampler.scale=-1": r"sampler\.scale=-1; it is a number, 0"
        for name in ("gdp_x0", "gdp_linesearch", "gdp_x0_paper", "gdp_xt", "gdp_x0_v1", "gdp_xt_v1")
    },
}


def built(*words):
    """The setup of a command line."""
    cfg, choices = compose_words(words)
    return build(cfg, choices, words)


@pytest.mark.parametrize("word", REFUSED)
def test_what_terms_and_lists_are_not(word):
    with pytest.raises(ValueError, match=REFUSED[word]) as refused:
        built(*LIGHT, word)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("words", OF_OTHERS)
def test_what_parts_are_not(words):
    with pytest.raises(ValueError, match=OF_OTHERS[words]):
        built("task=denoise", *words.split())


@pytest.mark.parametrize("guidance", ["quality", "released"])
def test_a_loss_may_be_given_its_settings_alone(guidance):
    base = (*LIGHT, f"guidance={guidance}")
    short = built(*base, "guidance.terms.exposure=[1,{target:0.3}]")
    long = built(*base, "guidance.terms.exposure.0=1", "guidance.terms.exposure.1.target=0.3")
    assert short.config["guidance"] == long.config["guidance"]
    weight, loss = short.sampler.sampler.guidance.terms["exposure"]
    assert weight == 1 and loss.keywords["target"] == 0.3

    settings = {"task": "lowlight", "guidance": guidance}
    named = {**settings, "guidance.terms.exposure": [1, {"target": 0.3}]}
    assert build(*compose_settings(named)).config["guidance"] == long.config["guidance"]


def test_a_term_of_a_guidance_that_is_not_chosen_is_found():
    with pytest.raises(ValueError, match="is a setting of guidance=quality, released"):
        compose_settings({"task": "sr4", "guidance.terms.exposure.0": 1})


@pytest.mark.parametrize("task", [task for task in TASKS if task != "inpaint"])  # needs mask=
def test_anchored_is_steered_as_auto_is(task):
    """By the terms that do not compare with y; by none where the task has none on."""
    extra = ("operator.margins=4",) if task == "outpaint" else ()
    try:
        anchored = built(f"task={task}", "sampler=anchored", "lowres=none", *extra)
    except TypeError:  # needs operator.prox
        return
    auto = built(f"task={task}", "sampler=auto", "lowres=none", *extra).sampler
    assert isinstance(auto, Anchored) and isinstance(anchored.sampler, Anchored)
    theirs, ours = (one.guidance and set(one.guidance.terms) for one in (auto, anchored.sampler))
    assert theirs == ours and ours in (None, {"total_variation"})
    assert (ours is None) == (task not in ("lowlight", "exposure", "hdr"))


@pytest.mark.parametrize("sampler", ["anchored", "auto"])
def test_terms_reach_the_sampler_and_the_report(cli, sampler):  # noqa: F811
    Image.fromarray(data.chelsea()[60:92, 100:132]).save("cat.png")
    words = ("task=inpaint_box", "input=cat.png", "degrade=true", "steps=2", f"sampler={sampler}")
    results = []
    for target in (0.1, 0.9):
        term = f"guidance.terms.exposure=[1,{{target:{target}}}]"
        code, _, err = cli(*words, "guidance=quality", term, f"output=o{target}")
        assert code == 0 and "takes no terms" not in err
        report = json.loads(Path(f"o{target}/cat.json").read_text())["guidance"]
        assert set(report) == {"exposure", "total_variation"}
        results.append(
            Image.open(f"o{target}/cat.png").convert("L").resize((1, 1)).getpixel((0, 0))
        )
    assert results[0] + 5 < results[1]

    code, *_ = cli(*words, "output=plain")
    assert code == 0 and json.loads(Path("plain/cat.json").read_text())["guidance"] is None


@pytest.mark.parametrize("sampler", ["ddnm", "ddrm", "gdp_x0_paper"])
def test_guidance_that_no_one_takes_has_a_word(sampler, caplog):
    with caplog.at_level(logging.WARNING, "gdp"):
        built("task=sr4", f"sampler={sampler}")
        assert not caplog.records
        built("task=sr4", f"sampler={sampler}", "guidance=quality", "guidance.terms.exposure.0=1")
    (record,) = caplog.records
    told = record.getMessage()
    assert told.startswith("guidance=quality changes nothing") and "sampler=anchored, auto" in told


def test_guidance_that_is_taken_has_none(caplog):
    with caplog.at_level(logging.WARNING, "gdp"):
        built("task=sr4", "sampler=gdp_x0", "guidance=quality")
        built("paper=gdp_sr4", "guidance=released")
        built("task=lowlight", "sampler=ddnm")
    assert not caplog.records and compose("task=sr4").sampler.guidance
