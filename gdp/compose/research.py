# ruff: noqa: RUF009 (`declare` makes fields, as dataclasses.field does)
"""More settings: what goes before the prior; what those who measure and publish save and record."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from gdp.compose.setting import declare
from gdp.compose.spread import SpreadSettings

of_files = partial(declare, section="Pictures in and out", files_only=True, cosmetic=True)
of_run = partial(declare, section="The run", files_only=True, cosmetic=True)
of_prior = partial(declare, section="Pictures of the prior (task=sample)", files_only=True)
of_start = partial(declare, section="Before the prior", younger=True)


@dataclass(kw_only=True)
class StartSettings:
    """More of the table of settings; see gdp.compose.settings."""

    before: list[str] | None = of_start(
        None,
        "tasks that are done first, each to the result of the one before, which is saved too; "
        "task=colorize,sr4 is short for task=sr4 before=[colorize]",
        "it is a list of tasks, such as [colorize]",
    )
    stage_one: str | None = of_start(
        None,
        "weights of another restorer, whose picture the restoration starts from: FFDNet, DRUNet, "
        "and with the extra stage_one what spandrel knows (Real-ESRGAN, SwinIR, NAFNet, LaMa ...)",
        "it is a file of weights: .pth, .pt, .ckpt or .safetensors",
        path=True,
    )
    fidelity: float = of_start(
        1.0,
        "with stage_one=: 0, its picture as it is, to 1, restored from there, and true to y",
        "it goes from 0, the picture of stage_one=, to 1, the restoration",
        least=0,
        most=1,
    )
    holes: Literal["auto", "patches", "smooth"] = of_start(
        "auto",
        "how a hole begins: with patches of the photo, smooth, or auto: with patches where it is "
        "larger than the prior fills by itself; sampler=auto and those that start late",
        "it is auto, patches or smooth",
    )
    adapt: int = of_start(
        0,
        "gradient steps by which the prior learns from the photo's own patches before it restores "
        "it, and forgets them again; 0: none; 30 take as long as 100 calls of the network",
        "it is a whole number of steps, such as 30, or 0 for none",
        least=0,
        most=10000,
    )
    video: bool = of_start(
        False,
        "true: the pictures of input= are frames of a film, in the order of their names: one "
        "operator and noise for all, each result steadied along the movement (extra video)",
        files_only=True,
    )


@dataclass(kw_only=True)
class ResearchSettings(SpreadSettings):
    """More of the table of settings; see gdp.compose.settings."""

    save: list[Literal["y", "reference", "restored", "compare", "samples"]] | None = of_files(
        None,
        "[y,reference,restored,compare,samples]: what is written beside NAME.png; the first three "
        "into folders y/, reference/ and restored/ that hold nothing else; left out, "
        "[compare,samples]",
        "it is a list of y, reference, restored, compare, samples",
    )
    compare: bool = of_files(True, "false: without NAME.compare.png, as save= without compare")
    dataset: str | None = of_files(
        None,
        "in place of input=, a paper's set of photos that lies in data=; docs/reproduce.md lists "
        "them",
        "it is the name of a set of photos, such as kodak24",
    )
    data: str = of_files(
        "data",
        "the folder in which the sets of dataset= lie, each in a folder of its name",
        "it is the folder of the sets of photos",
        path=True,
    )
    count: int = of_prior(16, "how many", least=1, most=10_000_000, cosmetic=True)
    label: int | list[int] | None = of_prior(
        None,
        "of a prior with classes: the one that is drawn, or a list that take turns; left out, each "
        "picture another at random",
        "it is a class of the prior, such as 207, or a list of them",
        cosmetic=True,
    )
    eta: float = of_prior(
        0.0,
        "DDIM's share of fresh noise: 0 none, 1 as much as DDPM",
        "it goes from 0, no fresh noise, to 1, as much as DDPM's",
        least=0,
        most=1,
        cosmetic=True,
    )
    logger: Literal["csv", "tensorboard", "wandb", "mlflow"] | None = of_run(
        None,
        "where the scores of each job go besides: csv (a line a job), tensorboard, wandb or mlflow",
        "it is csv, tensorboard, wandb or mlflow",
    )
    runs: str = of_run(
        "runs",
        "the folder of logger=csv and tensorboard",
        "it is the folder of the jobs' records",
        path=True,
    )
    log: Literal["text", "json"] = of_run(
        "text", "json: messages on stderr are one JSON object a line, for programs"
    )
