"""Headers read by hand: where Pillow takes memory before one knows how much, or knows fewer kinds than others."""

from __future__ import annotations

import struct
from collections.abc import Callable

from archive.media.file import SourceFile
from archive.media.pictures.picture import Header
from archive.media.verdict import Corrupt

_PALETTE = 3
_WEBP_BYTES = 30


def of_png(file: SourceFile) -> Header:
    """Read the first chunk of a PNG."""
    width, height, depth, colours = struct.unpack(">IIBB", _bytes(file, 16, 10))
    return Header(width, height, depth=8 if colours == _PALETTE else depth)


def of_psd(file: SourceFile) -> Header:
    """Read the header that Photoshop writes."""
    height, width, depth = struct.unpack(">IIH", _bytes(file, 14, 10))
    return Header(width, height, depth=depth)


def of_webp(file: SourceFile) -> Header:
    """Read the size of a WebP's canvas, or of its only picture."""
    head = _bytes(file, 0, _WEBP_BYTES)
    if head[12:16] == b"VP8X":
        return Header(1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little"))
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return Header(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    width, height = struct.unpack("<HH", head[26:30])
    return Header(width & 0x3FFF, height & 0x3FFF)


READERS: dict[str, Callable[[SourceFile], Header]] = {"png": of_png, "apng": of_png, "psd": of_psd, "webp": of_webp}


def _bytes(file: SourceFile, start: int, length: int) -> bytes:
    content = file.peek(start, length)
    if len(content) < length:
        raise Corrupt("it ends within its header")
    return content
