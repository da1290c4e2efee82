"""The contact sheet of a sweep: a block for each photo, in it a grid for each group, rows and columns along the two longest axes."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from textwrap import wrap
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

LARGEST, SMALLEST = 256, 48  # pixels of a cell's side
PIXELS = 40_000_000  # of the sheet
INK, PAPER, EMPTY = "black", "white", (190, 190, 190)
GAP = 6
LINE = 18  # pixels of a line of text
FONT = 13


class Cell(NamedTuple):
    """A picture, or None where there is none, and a line under it, or why there is none."""

    picture: Image.Image | None
    text: str


Axes = Mapping[str, Sequence[str]]
Block = Mapping[tuple[str, ...], Cell]


class Layout(NamedTuple):
    """Where things lie: the axes of columns, rows and groups, the side of a cell, and the width of the rows' labels."""

    across: tuple[str, Sequence[str]]
    down: tuple[str, Sequence[str]]
    groups: list[tuple[str, ...]]
    rest: list[str]
    side: int
    margin: int

    @property
    def grid(self) -> tuple[int, int]:
        """Width and height of a group's grid, with its labels."""
        columns, rows = len(self.across[1]), len(self.down[1])
        return self.margin + columns * (self.side + GAP), (2 if self.rest else 1) * LINE + rows * (
            self.side + LINE + GAP
        )

    @property
    def block(self) -> tuple[int, int]:
        """Width and height of a photo's block."""
        return self.grid[0] + GAP, LINE + GAP + len(self.groups) * (self.grid[1] + GAP)


def draw(axes: Axes, blocks: Mapping[str, Block]) -> Image.Image:
    """The sheet of `blocks` (photo -> values along the axes, in their order -> cell). Places without a cell are grey, and say so.

    Cells shrink to keep the sheet within PIXELS; photos that have no room at the smallest size are left out, and counted at the end.
    """
    font = ImageFont.load_default(FONT)
    layout = laid_out(axes, len(blocks), font)
    width, height = layout.block
    shown = list(blocks)[: max(1, PIXELS // (width * height))]
    left_out = len(blocks) - len(shown)
    sheet = Image.new("RGB", (width, height * len(shown) + (LINE if left_out else 0)), PAPER)
    pen = ImageDraw.Draw(sheet)
    for k, name in enumerate(shown):
        draw_block(sheet, pen, font, layout, list(axes), name, blocks[name], k * height)
    if left_out:
        pen.text((GAP, height * len(shown)), f"and {left_out} photos more", fill=INK, font=font)
    return sheet


def laid_out(axes: Axes, photos: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> Layout:
    """The largest cells with which all photos fit. Without a second axis there is one row; without a first, one cell."""
    named = sorted(axes.items(), key=lambda axis: -len(axis[1]))
    across, down = [*named[:2], *[("", [""])] * 2][:2]
    rest = [name for name in axes if name not in (across[0], down[0])]
    groups = list(product(*(axes[name] for name in rest)))
    margin = GAP + max(
        (int(font.getlength(label(down[0], value))) + GAP for value in down[1]), default=0
    )
    side = LARGEST
    while True:
        layout = Layout(across, down, groups, rest, side, min(margin, 2 * LARGEST))
        width, height = layout.block
        if side <= SMALLEST or width * height * photos <= PIXELS:
            return layout
        side = max(SMALLEST, int(side * 0.9))


def draw_block(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    layout: Layout,
    names: Sequence[str],
    title: str,
    block: Block,
    top: int,
) -> None:
    """One photo: its name, and a grid for each group."""
    pen.text((GAP, top + 1), title, fill=INK, font=ImageFont.load_default(FONT + 3))
    for g, group in enumerate(layout.groups):
        y = top + LINE + GAP + g * (layout.grid[1] + GAP)
        if layout.rest:
            pen.text(
                (GAP, y),
                "  ".join(label(n, v) for n, v in zip(layout.rest, group, strict=True)),
                fill=INK,
                font=font,
            )
            y += LINE
        for c, value in enumerate(layout.across[1]):
            x = layout.margin + c * (layout.side + GAP)
            pen.text(
                (x, y), cut(label(layout.across[0], value), layout.side, font), fill=INK, font=font
            )
        for r, value in enumerate(layout.down[1]):
            row = y + LINE + r * (layout.side + LINE + GAP)
            pen.text(
                (GAP, row + layout.side // 2),
                cut(label(layout.down[0], value), layout.margin - GAP, font),
                fill=INK,
                font=font,
            )
            for c, place in enumerate(places(layout, names, group, value)):
                draw_cell(
                    sheet,
                    pen,
                    font,
                    block.get(place),
                    (layout.margin + c * (layout.side + GAP), row),
                    layout.side,
                )


def places(
    layout: Layout, names: Sequence[str], group: tuple[str, ...], down: str
) -> Iterator[tuple[str, ...]]:
    """The values along `names` of a row's cells, from left to right."""
    fixed = {**dict(zip(layout.rest, group, strict=True)), layout.down[0]: down}
    for across in layout.across[1]:
        yield tuple({**fixed, layout.across[0]: across}[name] for name in names)


def draw_cell(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
    cell: Cell | None,
    at: tuple[int, int],
    side: int,
) -> None:
    """A picture and its line, or a grey square that says why there is none."""
    x, y = at
    if cell is None or cell.picture is None:
        pen.rectangle((x, y, x + side - 1, y + side - 1), fill=EMPTY)
        lines = wrap("no such job" if cell is None else cell.text, max(6, side // 8))[
            : max(1, side // LINE - 1)
        ]
        pen.multiline_text((x + 4, y + 4), "\n".join(lines), fill=INK, font=font)
        return
    scale = side / max(cell.picture.size)
    size = max(1, round(cell.picture.width * scale)), max(1, round(cell.picture.height * scale))
    kind = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    sheet.paste(
        cell.picture.resize(size, kind), (x + (side - size[0]) // 2, y + (side - size[1]) // 2)
    )
    pen.text((x, y + side + 1), cut(cell.text, side, font), fill=INK, font=font)


def label(name: str, value: str) -> str:
    """name=value; nothing for an axis that is none."""
    return f"{name}={value}" if name else ""


def cut(text: str, width: int, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    """As much of the text as fits."""
    while text and font.getlength(text) > width:
        text = text[:-2] + "…" if len(text) > 2 else ""
    return text
