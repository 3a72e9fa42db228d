"""A picture's header, whatever its format."""

from __future__ import annotations

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures import heif, jpeg, jxl, pillow, raw
from archive.media.pictures.picture import Header
from archive.media.sniff import HEIC, HEIF, JPEG, JXL, RAWS, Format


def header(file: SourceFile, format_: Format, limits: Limits) -> Header:
    """Read the header, and refuse what is too much."""
    if format_ == JPEG:
        return jpeg.header(file, limits)
    if format_ in (HEIC, HEIF):
        return heif.header(file, limits)
    if format_ == JXL:
        return jxl.header(file, limits)
    if format_ in RAWS:
        return raw.header(file, limits)
    return pillow.header(file, format_.name, limits)
