# ruff: noqa: RUF009 (`declare` makes fields, as dataclasses.field does)
"""Every global setting, in one typed table; those of a group are in its files, conf/GROUP/*.yaml.

From the table come the defaults that Hydra composes, `--help`, the keywords of the Python API, what
is refused and in which words, and which settings leave a result's numbers as they are.
"""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from hydra.core.config_store import ConfigStore

from gdp.compose.research import ResearchSettings, StartSettings
from gdp.compose.setting import declare, listing, settings_of

of_files = partial(declare, section="Pictures in and out", files_only=True)
of_photo = partial(declare, section="The photo, and what happened to it")
of_result = partial(declare, section="The restoration")
of_run = partial(declare, section="The run", cosmetic=True)
of_run_files = partial(of_run, files_only=True)


@dataclass(kw_only=True)
class Settings:
    """The settings with their types and defaults, in the order in which reports have them."""

    input: str | list[str] | None = of_files(
        None,
        "a picture, a folder of them, a glob such as 'photos/*.jpg', or a list [a.jpg,b.jpg]; left "
        "out, the bundled sample",
        "it is a picture, a folder, a glob such as 'photos/*.jpg', or a list [a.jpg,b.jpg]",
        cosmetic=True,
        path=True,
    )
    recursive: bool = of_files(
        False,
        "true: folders below a folder too; results lie in folders of the same names",
        cosmetic=True,
    )
    output: str = of_files(
        "outputs/${now:%Y-%m-%d}_${now:%H-%M-%S}",
        "the folder of the results",
        "it is the folder of the results",
        cosmetic=True,
        path=True,
        shown="outputs/<date>_<time>",
    )
    format: Literal["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "avif", "same"] | None = (
        of_files(
            None,
            "of the results; same: the input's where it can be written; left out, png",
            "it is png, jpg, jpeg, webp, tif, tiff, bmp, avif, or same for the input's",
        )
    )
    image_quality: int = of_files(
        95,
        "of jpg, webp (100: lossless) and avif",
        "it is a whole number from 1, small files, to 100, good ones",
        least=1,
        most=100,
    )
    depth: Literal[8, 16, 32] | None = of_files(
        None,
        "bits a channel: 8, 16 (png, tif, tiff) or 32, floats (tif, tiff); left out, the deepest "
        "of the input's that the format has",
        "it is 8 or 16 bits a channel, or 32 for floats",
    )
    keep_exif: bool = of_files(False, "true: camera, date, place and author go over to the result")
    page: int | None = of_photo(
        None, "which picture of a file that holds several, from 1", least=1, younger=True
    )
    mask: Any | None = of_photo(
        None,
        "white = repair, grey = in part; a picture, or with a folder of photos a folder",
        path=True,
    )
    mask_invert: bool = of_photo(False, "true: black = repair", younger=True)
    init: Any | None = of_photo(
        None,
        "a picture of the result's size to start from, such as another tool's result; with a "
        "folder of photos, a folder",
        path=True,
    )
    reference: Any | None = of_photo(
        None,
        "the truth of a photo that is degraded already, of the result's size: the result and the "
        "photo are scored against it; with a folder of photos, a folder",
        path=True,
        younger=True,
    )
    degrade: bool = of_photo(False, "true: make y from a clean photo, restore it, score it")
    sigma_y: float | Literal["auto"] = of_photo(
        0.0,
        "std of y's noise, in [0, 1] units; auto: estimated from y (with degrade=true no noise is "
        "added then but poisson and impulse)",
        "the noise is a std in [0, 1] units, such as 0.05 for 5 % of full scale, or auto",
        least=0,
        most=1,
    )
    jpeg: Literal["auto", "off"] = of_photo(
        "auto",
        "auto: a JPEG file's tables tell by how much each frequency of the photo may be wrong; "
        "off: its pixels are taken as they are",
        "it is auto, which asks the photo's file, or off",
    )
    noise: str | list[str] = of_photo(
        "auto",
        "auto: any colour where sigma_y=auto, else white; white; camera or grain, estimated; jpeg, "
        "of the file's tables; profile, a raw file's; files: of something even, or a saved model",
        "it is auto, white, camera, jpeg, grain, profile, a file, or a list of files",
        path=True,
    )
    poisson: float | None = of_photo(
        None,
        "with degrade=true: photon noise, this many photons at white",
        "it is the number of photons at white, such as 100",
        above=0,
    )
    impulse: float = of_photo(
        0.0,
        "with degrade=true: share of pixels turned black or white",
        "it is a share of the pixels, in [0, 1)",
        least=0,
        below=1,
    )
    strength: float = of_result(
        1.0,
        "the share of the restoration in the result; the rest is the photo as it was",
        "it goes from 0, the photo as it is, to 1, the restoration",
        least=0,
        most=1,
    )
    scene: bool = of_photo(False, "true: the pictures of input= are exposures of one scene")
    quality: Literal["fast", "balanced", "best"] | None = of_result(
        None,
        "fast, balanced or best: the default takes as many network calls as help, fast about "
        "two thirds, best the mean of four restorations; a sampler with a number of steps takes "
        "10, 20 or 100 (fast: and reuse=2 where places keep their meaning)",
        "it is fast, balanced or best",
    )
    detail: float | None = of_result(
        None,
        "0: least error, the mean of what may have been; 1: most detail, a draw of it; left out, 0",
        "it goes from 0, least error, to 1, most detail",
        least=0,
        most=1,
    )
    steps: int | None = of_result(
        None,
        "short for sampler.schedule.steps; goes before quality",
        "it must be a whole number, 1 or more",
        least=1,
    )
    reuse: int | None = of_result(
        None,
        "2 or more: the network's deep levels are evaluated at every second, third ... call only, "
        "but for tiles; left out, 2 if quality=fast",
        "it is a whole number of calls, 1 or more; 1 reuses nothing",
        least=1,
    )
    colourfix: Literal["none", "wavelet", "adain"] = of_result(
        "none",
        "wavelet or adain: hold the result's colours to the input's, where those are the truth",
    )
    samples: int = of_result(
        1,
        "more: as many different restorations, their mean and a map of where they differ",
        least=1,
        most=10000,
    )
    seed: int = of_result(
        0, "of all random numbers: the same seed, the same result", least=-(2**63), most=2**63 - 1
    )
    device: str | int | list[str] = of_run("auto", "auto, cpu, cuda ...; [cuda:0,cuda:1]: each")
    batch: int | Literal["auto"] = of_run(
        "auto",
        "pictures that go through the network together, photos and samples of one shape; auto: as "
        "many as memory bears",
        "it is how many pictures go through the network together, 1 or more, or auto",
        least=1,
    )
    checkpoint: float | None = of_run_files(
        2,
        "minutes between two notes of how far a restoration is, from which a killed run goes on; "
        "null: none",
        "it is a number of minutes above 0, such as 2, or null for none",
        above=0,
    )
    preview: float | None = of_run_files(
        None,
        "seconds: NAME.preview.png shows how far it is, as often as this, until the result is "
        "there",
        "it is a number of seconds above 0, such as 30",
        above=0,
    )
    report: bool = of_run_files(
        True,
        "summary.csv and index.html tell of all photos in `output`; after -m, of all jobs, and "
        "sheet.png shows them",
    )
    force: bool = of_run(False, "true: begin what takes hours, too much memory, or ends worse")
    overwrite: bool = of_run_files(False, "true: replace pictures of the same name in `output`")
    verbose: bool = of_run_files(False, "true: tracebacks, and a line a step")


SETTINGS = settings_of(Settings) | settings_of(ResearchSettings) | settings_of(StartSettings)
COSMETIC = tuple(name for name, setting in SETTINGS.items() if setting.cosmetic)
FILES_ONLY = tuple(name for name, setting in SETTINGS.items() if setting.files_only)
YOUNGER = tuple(name for name, setting in SETTINGS.items() if setting.younger)
PATHS = tuple(name for name, setting in SETTINGS.items() if setting.path)
# conf/config.yaml names it first. Defaults go without types: Hydra would convert values (strength=1
# to 1.0), and refuse a whole sweep for one job; `validate` does neither.
ConfigStore.instance().store(
    name="gdp_settings",
    node={**asdict(Settings()), **asdict(ResearchSettings()), **asdict(StartSettings())}
    | {"hydra": {"help": {"footer": listing(SETTINGS.values())}}},
    provider="gdp",
)
