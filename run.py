"""The command line: compose the configuration, build its parts, restore every photo, save. `python run.py --help` tells more."""

import logging
import os
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException, MissingConfigException
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

if TYPE_CHECKING:
    import torch

    from gdp.compose import Setup
    from gdp.image import Photo

PATHS = ("input", "output", "mask", "init", "prior.path", "prior.repo", "operator.kernel", "operator.tables", "operator.transmission")
DONE, SOME_FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
CLEAN = 0.004  # std of noise that is not worth removing
ROOT = Path(__file__).resolve().parent
log = logging.getLogger("gdp")


def main() -> int:
    """Run the command line; its exit code."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr, force=True)
    log.setLevel(logging.INFO)
    os.environ["HYDRA_FULL_ERROR"] = "1"  # errors arrive here whole, to be told in a line
    sweep = "-m" in sys.argv or "--multirun" in sys.argv
    sys.argv[1:] = [quoted(word, sweep) for word in sys.argv[1:]]
    sys.path.append(os.getcwd())  # a user's operator lies beside where they run
    codes: list[int] = []

    @hydra.main(version_base="1.3", config_path=str(ROOT / "conf"), config_name="config")
    def job(cfg: DictConfig) -> None:
        codes.append(guarded(cfg))

    try:
        job()
    except (HydraException, OmegaConfBaseException) as error:
        log.error("error: %s", refusal(error))
        return SOME_FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return max(codes, default=DONE)


def quoted(word: str, sweep: bool) -> str:
    """A `path=value` word whose value Hydra takes literally; lists, and choices of a sweep, stay what they are."""
    key, equals, value = word.partition("=")
    if not equals or key not in PATHS or value in ("", "null") or value[0] in "'\"":
        return word
    if not Path(value).exists() and ((sweep and "," in value) or (value[0] == "[" and value[-1] == "]") or value[0] == "{"):
        return word
    escaped = re.sub(r"(\\*)'", r"\1\1\\'", value)
    trailing = len(escaped) - len(escaped.rstrip("\\"))
    return f"{key}='{escaped}{chr(92) * trailing}'".replace("${", "\\${")


def refusal(error: Exception) -> str:
    """Hydra's refusal of the command line in a line or two, with the nearest names that exist."""
    if isinstance(error, MissingConfigException) and error.options is not None:
        group, _, name = (error.missing_cfg_file or "").rpartition("/")
        return f"no {group} named {name!r}{nearest(name, error.options)}"
    text = " ".join(str(error).split())
    key = re.search(r"Could not override '([^']+)'|Key '([^']+)' is not in struct", text)
    if key:
        name = key[1] or key[2]
        hint = "" if "." in name else nearest(name, settings())
        return f"no setting named {name!r}{hint}; --cfg job lists them, and a new one is added by +{name}=..."
    return text.split(" See https://")[0].split(" full_key:")[0]


def settings() -> list[str]:
    """The names that conf/config.yaml and its groups define."""
    conf = ROOT / "conf"
    return [*re.findall(r"^(\w+):", (conf / "config.yaml").read_text(), re.M), *(folder.name for folder in conf.iterdir())]


def nearest(name: str, options: Sequence[str]) -> str:
    """A hint at names that exist."""
    known = sorted(set(options) - {"defaults", "hydra"})
    close = get_close_matches(name, known, n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(close)}?" if close else f"; there are {', '.join(known)}"


def guarded(cfg: DictConfig) -> int:
    """One job; what goes wrong is told in a line."""
    try:
        if HydraConfig.get().runtime.choices.get("task") == "doctor":
            from gdp.doctor import examine

            return examine(cfg)
        return restore_all(cfg)
    except Exception as error:
        tell(error, cfg.verbose)
        return REFUSED


def tell(error: Exception, verbose: bool, where: str = "") -> None:
    """Report an error in a line; with verbose=true, its traceback too."""
    known = isinstance(error, ValueError | TypeError | OSError | HydraException | OmegaConfBaseException)
    text = " ".join(str(error).split()) if known else f"{type(error).__name__}: {error} (verbose=true tells more)"
    if isinstance(error, OSError) and error.strerror and error.filename:
        text = f"{error.filename}: {error.strerror}"
    log.error("error: %s%s", where, text, exc_info=error if verbose else None)


def restore_all(cfg: DictConfig) -> int:
    """Restore every photo of a job."""
    from gdp.image import find_all, placed, plain_name

    given = ROOT / "gdp" / "samples" / "cat.png" if cfg.input is None else cfg.input
    folder = output_folder(cfg)
    photos, names = (list(part) for part in zip(*find_all(given, cfg.recursive, skip=folder), strict=True))
    targets = [placed(folder, name) for name in names]
    check_writable(folder)

    from gdp.compose import build
    from gdp.image import read
    from gdp.scene import read_scene

    setup = build(cfg)
    first = None
    if cfg.scene and not cfg.degrade:
        first, photos, targets = read_scene(photos), photos[:1], targets[:1]
    elif len(photos) == 1:
        first = read(photos[0])
    if not cfg.overwrite:
        for file, target in zip(photos, targets, strict=True):
            refuse_overwriting(target, suffixes(setup, file))
    prior = setup.load_prior()
    setup.sampler.schedule.times(prior.T)  # refuses what does not fit before any photo is begun
    failed = 0
    for file, target in zip(photos, targets, strict=True):
        try:
            restore_one(first or read(file), file, target, setup, prior)
        except Exception as error:
            tell(error, cfg.verbose, f"{plain_name(file.name)}: " if len(photos) > 1 else "")
            failed += 1
    if len(photos) > 1:
        log.info("%d of %d pictures restored, in %s", len(photos) - failed, len(photos), folder)
    return REFUSED if failed == len(photos) else SOME_FAILED if failed else DONE


def restore_one(photo: "Photo", file: Path, target: Path, setup: "Setup", prior: Any) -> None:
    """Restore one photo; write TARGET.png (or another format), .compare.png and .json, and with samples > 1 what `save_samples` does."""
    from gdp import image, metrics, pipeline, report
    from gdp.progress import Progress

    config = setup.config
    suffix = image.suffix_for(file, config["format"], config["scene"])
    name = image.plain_name(file.name)
    seeds = [config["seed"] + k for k in range(config["samples"])]
    device = prior.device
    operator = (setup.operator if config["degrade"] else setup.operator.for_file(file)).to(device)
    pixels = photo.pixels.to(device)
    reference = None
    if config["degrade"]:
        reference = pixels = pipeline.crop(pixels, operator.divisor)
        photo = photo._replace(alpha=None if photo.alpha is None else pipeline.crop(photo.alpha, operator.divisor))
        y = pipeline.degrade(pixels, operator, config["sigma_y"], seeds[:1], config["poisson"], config["impulse"])
    else:
        y = pipeline.observe(pixels, operator, config["sigma_y"], photo.rounding)
    if photo.alpha is not None and not config["degrade"]:
        photo = photo._replace(alpha=image.framed(photo.alpha, operator.frame))
    image.check_result(suffix, config["depth"], *operator.x_shape(y)[-2:])
    estimated = config["sigma_y"] == pipeline.AUTO
    if estimated:
        tell_noise(operator, name)
    init = None
    if config["init"] is not None:
        first = image.read(image.namesake(config["init"], file)).pixels.to(device)
        init = pipeline.check_init(pipeline.crop(first, operator.divisor) if config["degrade"] else first, operator, y)
    passes = setup.sampler.passes(prior.T, operator, y)[: None if init is None else 1]
    preview = target.with_name(f"{target.name}.preview.png")
    with Progress(passes, name, prior, operator, y, preview, config["preview"]) as progress:
        restore = partial(pipeline.restore, prior, operator, setup.sampler, on_step=progress.step)
        outcome = pipeline.recoloured(pipeline.draw(restore, y, seeds, init), y, config["colourfix"])
    if not config["degrade"]:
        outcome = pipeline.snap(outcome, y, photo.rounding)
    if config["strength"] < 1:
        outcome = pipeline.blend(outcome, plain(y, outcome), config["strength"])
    if remark := outcome.operator.remark(y):
        log.warning("%s: %s", name, remark)
    result, y_pixels = outcome.pixels[:1], image.to_image(y)

    target.parent.mkdir(parents=True, exist_ok=True)
    spread = save_samples(outcome.pixels, target, reference) if len(seeds) > 1 else None
    facts = {
        "input": os.fsencode(file).decode(errors="replace"),
        "output": f"{target}{suffix}",
        "size": [result.shape[-1], result.shape[-2]],
        "seed": config["seed"],
        "sigma_y": operator.sigma_y / 2,
        "sigma_y_estimated": estimated,
        "nfe": outcome.nfe,
        "seconds": outcome.seconds,
        "seconds_per_nfe": outcome.seconds / max(outcome.nfe, 1),
        "peak_memory_mb": report.peak_memory_mb(device),
        "consistency": pipeline.consistency(result, outcome.operator, y),
        "consistency_saved": pipeline.consistency(image.rounded(result), outcome.operator, y),
        "scores": None if reference is None else metrics.scores(result, reference),
        "samples": spread,
        "operator": outcome.operator.describe(y),
        "prior": prior.source,
        "hardware": report.hardware(device),
        "versions": report.versions(),
        "config": config,
    }
    written = target.with_name(f"{target.name}{suffix}")
    image.write(result, written, photo, config["image_quality"], config["depth"], config["keep_exif"])
    for label, picture in outcome.operator.pictures(y).items():
        image.write(picture, target.with_name(f"{target.name}.{label}.png"))
    if config["scene"]:
        light: Any = outcome.operator
        image.write_floats(light.radiance(image.to_model(result)), target.with_name(f"{target.name}.tiff"))
    panels = [("input", y_pixels), ("restored", result)] + ([("reference", reference)] if reference is not None else [])
    image.compare(panels, target.with_name(f"{target.name}.compare.png"))
    report.write_json(facts, target.with_name(f"{target.name}.json"))
    for suffix in suffixes(setup, file, once=True):
        print(target.with_name(f"{target.name}{suffix}"))


def plain(y: "torch.Tensor", outcome: Any) -> "torch.Tensor":
    """What strength=0 gives: y, or its first guess where y is no picture of the result's size."""
    from samplers.late import first_guess

    return y if y.shape[1:] == outcome.pixels.shape[1:] else first_guess(outcome.operator, y)


def suffixes(setup: "Setup", file: Path, once: bool = False) -> list[str]:
    """Of the files that a photo's restoration is; `once`: without those of several samples."""
    from gdp.image import suffix_for

    names = [
        suffix_for(file, setup.config["format"], setup.config["scene"]),
        ".compare.png",
        ".json",
        *(f".{name}.png" for name in setup.operator.pictured),
    ]
    if setup.config["scene"]:
        names.append(".tiff")
    if not once and setup.config["samples"] > 1:
        names += [f".{name}.png" for name in sample_names(setup.config["samples"])]
    return names


def tell_noise(operator: Any, name: str) -> None:
    """Say what noise was estimated; warn where there is next to none, and nothing else to undo."""
    from operators.identity import Identity

    log.info("%s: sigma_y=%.4f, estimated", name, operator.sigma_y / 2)
    if isinstance(operator, Identity) and operator.sigma_y / 2 < CLEAN:
        log.warning("%s has next to no noise, so little will change; sigma_y=0.02 and more smooths it all the same", name)


def sample_names(count: int) -> list[str]:
    """What the pictures beside the first sample are called."""
    return [*(f"sample{k}" for k in range(2, count + 1)), "mean", "std"]


def save_samples(pixels: "torch.Tensor", target: Path, reference: "torch.Tensor | None") -> dict[str, Any]:
    """TARGET.sample2.png ..., TARGET.mean.png (the estimate of least squared error) and TARGET.std.png, where they differ; facts."""
    from gdp import image, metrics

    mean, std = pixels.mean(0, keepdim=True), pixels.std(0, keepdim=True).mean(1, keepdim=True)
    white = max(float(std.max()), 1e-6)
    for name, picture in zip(sample_names(len(pixels)), (*pixels[1:].split(1), mean, std / white), strict=True):
        file = target.with_name(f"{target.name}.{name}.png")
        image.write(picture, file)
        print(file)
    scores = None if reference is None else metrics.scores(mean, reference)
    return {"count": len(pixels), "std": float(std.mean()), "std_at_white": white, "scores_of_mean": scores}


def output_folder(cfg: DictConfig) -> Path:
    """`output`, or in a sweep a folder of it named after the job's overrides."""
    folder = Path(cfg.output).expanduser()
    hydra_config = HydraConfig.get()
    if hydra_config.mode == RunMode.MULTIRUN:
        name = re.sub(r"[^\w.,=+-]", "_", hydra_config.job.override_dirname)[:200]
        folder = folder / (name or str(hydra_config.job.num))
    return folder


def refuse_overwriting(target: Path, suffixes: list[str]) -> None:
    """ValueError where a result would replace a file, or a link."""
    for suffix in suffixes:
        if os.path.lexists(f"{target}{suffix}"):
            raise ValueError(f"{target}{suffix} exists; choose another output=, or allow overwrite=true")


def check_writable(folder: Path) -> None:
    """OSError unless files can be made in `folder`, or the folder itself where it does not exist; leaves nothing behind."""
    import tempfile

    parent = folder
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    try:
        with tempfile.TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise OSError(f"cannot write to {folder} ({error.strerror or error}); choose another output=") from None


if __name__ == "__main__":
    sys.exit(main())
