"""The contact sheet of a sweep: a block for each photo, in it a grid for each group.

Rows and columns of a grid lie along the two longest axes; groups are the values of the others.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from textwrap import wrap
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

LARGEST, SMALLEST = 256, 48  # pixels of a cell's side
PIXELS = 40_000_000  # of the sheet
INK, PAPER, EMPTY = "black", "white", (190, 190, 190)
GAP = 6  # pixels between cells
LINE = 18  # pixels of a line of text
FONT = 13  # pixels of its letters
Axes = Mapping[str, Sequence[str]]


class Cell(NamedTuple):
    """A picture and a line under it; or None, and why there is none."""

    picture: Image.Image | None
    text: str


Block = Mapping[tuple[str, ...], Cell]


class Layout(NamedTuple):
    """Where things lie on the sheet.

    Attributes:
        across: the axis of the columns, as name and values.
        down: the axis of the rows.
        rest: names of the other axes.
        groups: their values together, one tuple a grid.
        side: pixels of a cell's side.
        margin: pixels of the rows' labels.
    """

    across: tuple[str, Sequence[str]]
    down: tuple[str, Sequence[str]]
    rest: list[str]
    groups: list[tuple[str, ...]]
    side: int
    margin: int

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height of a cell, with its line and the gap after it."""
        return self.side + GAP, self.side + LINE + GAP

    @property
    def grid(self) -> tuple[int, int]:
        """Width and height of a group's grid, with its labels."""
        columns, rows = len(self.across[1]), len(self.down[1])
        labels = (2 if self.rest else 1) * LINE
        return self.margin + columns * self.cell[0], labels + rows * self.cell[1]

    @property
    def block(self) -> tuple[int, int]:
        """Width and height of a photo's block."""
        return self.grid[0] + GAP, LINE + GAP + len(self.groups) * (self.grid[1] + GAP)


def draw(axes: Axes, blocks: Mapping[str, Block]) -> Image.Image:
    """Draw the sheet of a sweep.

    Cells shrink to keep it within PIXELS; photos that have no room at the smallest size are left
    out, and counted at the end.

    Args:
        axes: values of each axis, by name.
        blocks: photo -> values along the axes, in their order -> cell. Places without a cell are
            grey, and say so.
    """
    layout = lay_out(axes, len(blocks))
    width, height = layout.block
    shown = list(blocks)[: max(1, PIXELS // (width * height))]
    left_out = len(blocks) - len(shown)

    sheet = Image.new("RGB", (width, height * len(shown) + (LINE if left_out else 0)), PAPER)
    for k, name in enumerate(shown):
        sheet.paste(draw_block(layout, list(axes), name, blocks[name]), (0, k * height))
    if left_out:
        write(sheet, (GAP, height * len(shown)), f"and {left_out} photos more")
    return sheet


def lay_out(axes: Axes, photos: int) -> Layout:
    """Find the largest cells with which so many photos fit.

    Without a second axis there is one row; without a first, one cell.
    """
    longest = sorted(axes.items(), key=lambda axis: -len(axis[1]))
    across, down = [*longest[:2], *[("", [""])] * 2][:2]
    rest = [name for name in axes if name not in (across[0], down[0])]
    groups = list(product(*(axes[name] for name in rest)))

    widest = max((int(font().getlength(label(down[0], v))) + GAP for v in down[1]), default=0)
    margin = min(GAP + widest, 2 * LARGEST)

    side = LARGEST
    while True:
        layout = Layout(across, down, rest, groups, side, margin)
        width, height = layout.block
        if side <= SMALLEST or width * height * photos <= PIXELS:
            return layout
        side = max(SMALLEST, int(side * 0.9))


def draw_block(layout: Layout, names: Sequence[str], title: str, block: Block) -> Image.Image:
    """Draw one photo: its name, and a grid for each group; `names` are those of the axes."""
    picture = Image.new("RGB", layout.block, PAPER)
    write(picture, (GAP, 1), title, FONT + 3)

    for g, group in enumerate(layout.groups):
        y = LINE + GAP + g * (layout.grid[1] + GAP)
        if layout.rest:
            labels = [label(name, v) for name, v in zip(layout.rest, group, strict=True)]
            write(picture, (GAP, y), "  ".join(labels))
            y += LINE

        # Labels of columns and rows, then the cells.
        for c, value in enumerate(layout.across[1]):
            text = cut(label(layout.across[0], value), layout.side)
            write(picture, (layout.margin + c * layout.cell[0], y), text)
        y += LINE
        for r, value in enumerate(layout.down[1]):
            text = cut(label(layout.down[0], value), layout.margin - GAP)
            write(picture, (GAP, y + r * layout.cell[1] + layout.side // 2), text)
        picture.paste(draw_grid(layout, names, group, block), (layout.margin, y))

    return picture


def draw_grid(
    layout: Layout, names: Sequence[str], group: tuple[str, ...], block: Block
) -> Image.Image:
    """Draw the cells of a group, row by row; `names` are those of the axes."""
    import torch
    from torchvision.utils import make_grid

    cells = []
    for down, across in product(layout.down[1], layout.across[1]):
        values = dict(zip(layout.rest, group, strict=True))
        values |= {layout.down[0]: down, layout.across[0]: across}
        cell = draw_cell(layout, block.get(tuple(values[name] for name in names)))
        cells.append(torch.from_numpy(np.array(cell)))

    grid = make_grid(torch.stack(cells).permute(0, 3, 1, 2), nrow=len(layout.across[1]), padding=0)
    return Image.fromarray(grid.permute(1, 2, 0).numpy())


def draw_cell(layout: Layout, cell: Cell | None) -> Image.Image:
    """Draw a picture and its line, or a grey square that says why there is none."""
    side = layout.side
    place = Image.new("RGB", layout.cell, PAPER)

    if cell is None or cell.picture is None:
        place.paste(EMPTY, (0, 0, side, side))
        lines = wrap("no such job" if cell is None else cell.text, max(6, side // 8))
        write(place, (4, 4), "\n".join(lines[: max(1, side // LINE - 1)]))
        return place

    scale = side / max(cell.picture.size)
    width, height = (max(1, round(n * scale)) for n in cell.picture.size)
    kind = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    small = cell.picture.resize((width, height), kind)
    place.paste(small, ((side - width) // 2, (side - height) // 2))
    write(place, (0, side + 1), cut(cell.text, side))
    return place


def write(picture: Image.Image, at: tuple[int, int], text: str, size: int = FONT) -> None:
    """Write a text into a picture, its left top corner at (x, y)."""
    ImageDraw.Draw(picture).text(at, text, fill=INK, font=font(size))


@cache
def font(size: int = FONT) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    """The letters of all texts."""
    return ImageFont.load_default(size)


def label(name: str, value: str) -> str:
    """name=value; nothing for an axis that is none."""
    return f"{name}={value}" if name else ""


def cut(text: str, width: int) -> str:
    """As much of the text as fits into so many pixels."""
    while text and font().getlength(text) > width:
        text = text[:-2] + "…" if len(text) > 2 else ""
    return text
