"""What a user gets: pictures, maps of what was found, and the report."""

import io
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar, cast

import torch
from PIL import Image
from torch import Tensor

from gdp.picture import KINDS, Photo, picture_of, write
from gdp.picture.panels import bands, write_array
from gdp.storage.places import expand

NOTEBOOK_SIDE = 1024  # pixels of the longer side that a notebook shows

P = TypeVar("P")  # of pictures: what the photo was
M = TypeVar("M")  # of maps: arrays, or tensors where the photo was one


def as_tensor(pixels: Tensor) -> Tensor:
    """The tensor itself."""
    return pixels


@dataclass(frozen=True, repr=False)
class Result(Generic[P, M]):
    """A restoration of one photo, or of a batch of photos of one size.

    Pictures are of the kind of the photo that was given (of a path: PIL images), maps are arrays or
    tensors; without `to_picture` and `to_map` both are tensors [B, C, H, W].
    """

    pixels: Tensor  # of each photo its samples, [B, S, C, H, W] in [0, 1], not clipped
    y: Tensor  # what the sampler worked on, [B, ...]: a picture in [0, 1], or what was measured
    photos: list[Photo]
    reference: Tensor | None  # the truth where it is known, [B, 3, H, W] in [0, 1]
    maps: dict[str, Tensor]  # of the degradation, [B, 1 or 3, h, w]
    radiance: Tensor | None  # of a scene: linear light without an upper end, [B, 3, H, W]
    reports: list[dict[str, Any]]  # what NAME.json holds, one for each photo
    plain: Tensor | None = None  # of what was measured: least squares alone, [B, C, H, W]
    to_picture: Callable[[Tensor], P] = field(default=cast(Any, as_tensor))
    to_map: Callable[[Tensor], M] = field(default=cast(Any, as_tensor))

    @property
    def image(self) -> P:
        """The restoration: the first sample."""
        return self.to_picture(self.pixels[:, 0])

    @property
    def samples(self) -> list[P]:
        """Every sample."""
        return [self.to_picture(self.pixels[:, k]) for k in range(self.pixels.shape[1])]

    @property
    def mean(self) -> P:
        """The samples' mean, the estimate of least squared error."""
        return self.to_picture(self.pixels.mean(1))

    @property
    def std(self) -> M | None:
        """Where samples differ: their std in [0, 1] units, [H, W]; None of one sample."""
        if self.pixels.shape[1] == 1:
            return None
        return self.to_map(self.pixels.std(1).mean(1, keepdim=True))

    @property
    def found(self) -> dict[str, M]:
        """Maps of what was found of the degradation, such as the kernel of a blind blur."""
        return {name: self.to_map(pixels) for name, pixels in self.maps.items()}

    @property
    def light(self) -> M | None:
        """Of a scene (task=hdr) its light: linear, without an upper end; else None."""
        return None if self.radiance is None else self.to_map(self.radiance)

    @property
    def report(self) -> dict[str, Any]:
        """What NAME.json holds; of a batch the first photo's."""
        return self.reports[0]

    def __repr__(self) -> str:
        width, height = self.report["size"]
        several = f"{len(self.reports)} photos, " if len(self.reports) > 1 else ""
        consistency, seconds = self.report["consistency"], self.report["seconds"]
        far = ", far from y" if any(report.get("doubt") for report in self.reports) else ""
        agrees = f"consistency {consistency:.2g}{far}"
        return f"Result({several}{width}x{height}, {agrees}, {seconds:.1f} s)"

    def save(
        self, path: "str | Path | BinaryIO", quality: int = 95, format: str | None = None
    ) -> "Path | BinaryIO":
        """Write the image, whole or not at all, in the format that the name ends in.

        It has the photo's transparency, colour profile and depth. A file of that name is replaced.

        Args:
            path: where to write: a path, or a file that is open for bytes. With .npy all channels
                are written, as numbers.
            quality: of jpg, webp and avif, 1 to 100.
            format: png, jpg ... of a file that is open; png if left out.

        Returns:
            Where it was written.

        Raises:
            ValueError: the format is unknown, or the result is of several photos.
            OSError: the file cannot be written.
        """
        if len(self.pixels) > 1:
            raise ValueError(
                f"the result is a batch of {len(self.pixels)} photos; "
                "restore them one by one to save them"
            )

        # What is open is given a whole file.
        if not isinstance(path, str | Path):
            with tempfile.TemporaryDirectory() as folder:
                name = f"result.{format or 'png'}"
                path.write(self.save_file(Path(folder) / name, quality).read_bytes())
            return path
        return self.save_file(expand(path), quality)

    def save_file(self, file: Path, quality: int) -> Path:
        """Write the image to a path; see `save`."""
        if file.suffix.lower() == ".npy":
            write_array(self.pixels[0, 0].numpy(force=True), file)
            return file
        if file.suffix.lower() not in KINDS:
            raise ValueError(f"{file.name}: pictures are written as {', '.join(KINDS)}, or .npy")
        write(bands(self.pixels[0, :1]), file, like=self.photos[0], quality=quality)
        return file

    def _repr_png_(self) -> bytes:
        """How a notebook shows it: all photos of a batch in a row."""
        row = [picture_of(bands(pixels[:1])) for pixels in self.pixels]
        sheet = Image.new("RGB", (sum(p.width for p in row), max(p.height for p in row)))
        for k, picture in enumerate(row):
            sheet.paste(picture, (sum(p.width for p in row[:k]), 0))

        sheet.thumbnail((NOTEBOOK_SIDE, NOTEBOOK_SIDE))
        stream = io.BytesIO()
        sheet.save(stream, format="PNG")
        return stream.getvalue()


def join(results: Sequence[Result[Any, Any]], **changes: Any) -> Result[Any, Any]:
    """Results of photos of one size as one result; `changes` are fields to replace."""
    first = results[0]
    if len(results) > 1:
        first = replace(
            first,
            pixels=torch.cat([result.pixels for result in results]),
            y=torch.cat([result.y for result in results]),
            photos=[photo for result in results for photo in result.photos],
            reference=None
            if first.reference is None
            else torch.cat([r.reference for r in results if r.reference is not None]),
            plain=None
            if first.plain is None
            else torch.cat([r.plain for r in results if r.plain is not None]),
            maps={name: torch.cat([r.maps[name] for r in results]) for name in first.maps},
            reports=[report for result in results for report in result.reports],
        )
    return replace(first, **changes)
