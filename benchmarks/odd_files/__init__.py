"""Picture files that are broken or odd, made from fixed seeds."""

from benchmarks.odd_files.broken import bombs
from benchmarks.odd_files.cases import corpus
from benchmarks.odd_files.files import EITHER, REFUSED, RESTORED, Case, encoded, values
from benchmarks.odd_files.readable import several, sound
from benchmarks.odd_files.tags import exif, icc_cmyk, icc_grey, icc_srgb

__all__ = [
    "EITHER",
    "REFUSED",
    "RESTORED",
    "Case",
    "bombs",
    "corpus",
    "encoded",
    "exif",
    "icc_cmyk",
    "icc_grey",
    "icc_srgb",
    "several",
    "sound",
    "values",
]
