# ruff: noqa: RUF009 (`declare` makes fields, as dataclasses.field does)
"""Settings of what goes before the prior: other networks, and where a restoration starts."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from gdp.compose.setting import declare

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
