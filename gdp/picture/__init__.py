"""Photos in and out: the only room that knows files of pictures, uint8 and [0, 1]."""

from gdp.picture.alpha import extend_alpha
from gdp.picture.codec.formats import KINDS, check_output, check_result, suffix_for
from gdp.picture.codec.read import read
from gdp.picture.codec.write import write
from gdp.picture.find import Found, find_all, find_photos, namesake
from gdp.picture.masks import mask_of, read_mask, read_optional_mask
from gdp.picture.names import path_inside, plain_name
from gdp.picture.panels import compare, picture_of, save, write_floats
from gdp.picture.photo import Photo
from gdp.picture.size import size_of
from gdp.picture.units import is_grey, rounded, to_image, to_model

__all__ = [
    "KINDS",
    "Found",
    "Photo",
    "check_output",
    "check_result",
    "compare",
    "extend_alpha",
    "find_all",
    "find_photos",
    "framed",
    "is_grey",
    "mask_of",
    "namesake",
    "path_inside",
    "picture_of",
    "placed",
    "plain_name",
    "read",
    "read_mask",
    "read_optional_mask",
    "rounded",
    "save",
    "size_of",
    "suffix_for",
    "to_image",
    "to_model",
    "write",
    "write_floats",
]

# Names under which code outside knows them.
framed = extend_alpha
placed = path_inside
