"""A picture's header, whatever its format."""

from __future__ import annotations

import contextlib

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures import heif, jpeg, jxl, pillow, raw
from archive.media.pictures.picture import Header, Memory, refusal
from archive.media.sniff import HEIC, HEIF, JPEG, JXL, RAWS, Format
from archive.media.verdict import LimitExceeded, Unsupported


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


def known_header(file: SourceFile, format_: Format, limits: Limits, memory: Memory | None) -> Header:
    """Read the header; whatever fails is said as a verdict, and want of memory is never taken for damage."""
    try:
        return header(file, format_, limits)
    except (LimitExceeded, Unsupported, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - decoders throw whatever they like
        failed = error
    if memory:
        memory.widen()
        with contextlib.suppress(Exception):
            header(file, format_, limits)
        if memory.exceeded():
            raise LimitExceeded("its header needs more memory than it may have")
    raise refusal(failed, format_.name)
