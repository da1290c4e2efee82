"""What the page may set: nothing that reads, writes or runs anything."""

import pytest

from gdp.studio.words.rules import check_words, open_choices


@pytest.mark.parametrize(
    "word",
    [
        "task=auto",
        "task=sr4",
        "operator=blur_motion",
        "operator.r=2",
        "operator.kernel=auto",
        "sampler=ddnm",
        "sampler.eta=0.5",
        "steps=20",
        "strength=0.5",
        "sigma_y=auto",
        "noise=camera",
        "format=tif",
        "depth=16",
        "keep_exif=true",
        "operator.margins=[8,8,0,0]",
    ],
)
def test_harmless(word):
    assert check_words([word]) == [word]


@pytest.mark.parametrize(
    "word",
    [
        "input=/etc/passwd",
        "output=/tmp/x",
        "mask=/etc/passwd",
        "mask=passwd",
        "init=a",
        "reference=a",
        "noise=model",
        "noise=/etc/passwd",
        "operator.kernel=/etc/passwd",
        "operator.kernel=kernel",
        "operator.tables=x",
        "operator.mask.path=x",
        "operator._target_=os.system",
        "+operator._target_=os.system",
        "operator=custom",
        "operator=deepinv",
        "operator=compose",
        "sampler._target_=os.system",
        "prior.path=x",
        "prior.dtype=float32",
        "prior=custom",
        "prior=hub",
        "prior=denoiser",
        "task=doctor",
        "paper=ddnm_sr4",
        "device=cpu",
        "force=true",
        "overwrite=true",
        "batch=100000",
        "samples=1000",
        "steps=100000",
        "hydra.run.dir=/tmp",
        "--config-dir=/tmp",
        "-m",
        "photo.jpg",
        "~task",
        "++task=sr4",
        "task=${oc.env:HOME}",
        "strength=${oc.env:HOME}",
        "format=../../x",
        "sampler.__class__=x",
        "nonsense=1",
        "operator.nonsense=1",
        "steps=1\nmask=x",
    ],
)
def test_refused(word):
    with pytest.raises(ValueError):
        check_words([word])


def test_not_too_many():
    with pytest.raises(ValueError, match="at most"):
        check_words(["steps=1"] * 100)


def test_priors_that_are_offered_are_files_of_weights():
    assert {"photo64", "imagenet256", "ffhq256"} <= set(open_choices("prior"))
    assert not {"custom", "hub", "denoiser"} & set(open_choices("prior"))
