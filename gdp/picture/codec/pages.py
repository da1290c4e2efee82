"""Files of several pictures: pages, animations. One is taken that is asked for, never silently."""

from pathlib import Path

from PIL import Image

from gdp.picture.photo import RefusedError

ALONE = (
    "JPEG",
    "MPO",
    "HEIF",
)  # what lies beside their first picture is no page, but belongs to it
LOWER, MASK = 1, 4  # TIFF's kinds of pages that are none: a smaller copy, and a mask


def page_of(picture: Image.Image, file: Path, page: int | None) -> int:
    """Choose one of a file's pictures.

    Args:
        picture: the file, opened.
        file: the file.
        page: its number, from 1; None where there is one only.

    Returns:
        Its place in the file, from 0.

    Raises:
        RefusedError: there is no such page, or there are several and none is asked for.
    """
    count = 1 if picture.format in ALONE else getattr(picture, "n_frames", 1)
    places = list(range(count))
    if picture.format == "TIFF" and count > 1:
        places = full_pages(file) or places
    return places[check_page(len(places), page) - 1]


def check_page(count: int, page: int | None) -> int:
    """The number of the page to take, from 1, of so many; see `page_of`."""
    if page is None and count > 1:
        raise RefusedError(
            f"holds {count} pages or pictures, of which one is taken: "
            f"give page=1 for the first, to page={count}"
        )
    if page is not None and page > count:
        has = "one picture" if count == 1 else f"{count} pages or pictures"
        raise RefusedError(f"holds {has}; there is no page={page}")
    return page or 1


def full_pages(file: Path) -> list[int]:
    """The places of a TIFF's pages, without smaller copies and masks of others."""
    from tifffile import TiffFile

    kinds: list[int] = []
    seen: set[int] = set()
    with TiffFile(file) as tiff:
        for page in tiff.pages:
            if page.offset in seen:  # a ring of pages
                break
            seen.add(page.offset)
            kinds.append(int(getattr(page, "subfiletype", 0) or 0))
    return [place for place, kind in enumerate(kinds) if not kind & (LOWER | MASK)]
