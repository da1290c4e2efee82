# ruff: noqa: RUF009 (`declare` makes fields, as dataclasses.field does)
"""Settings for those who measure and publish: what is saved beside a result."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

from gdp.compose.setting import declare

of_files = partial(declare, section="Pictures in and out", files_only=True, cosmetic=True)


@dataclass(kw_only=True)
class ResearchSettings:
    """More of the table of settings; see gdp.compose.settings."""

    save: list[Literal["y", "reference", "restored", "compare", "samples"]] | None = of_files(
        None,
        "[y,reference,restored,compare,samples]: what is written beside NAME.png; the first three "
        "into folders y/, reference/ and restored/ that hold nothing else; left out, "
        "[compare,samples]",
        "it is a list of y, reference, restored, compare, samples",
    )
    compare: bool = of_files(True, "false: without NAME.compare.png, as save= without compare")
