"""The first directory of a TIFF, read with few bounded reads: enough to tell a camera's RAW from a picture."""

from __future__ import annotations

import struct

from archive.media.file import SourceFile

NEW_SUBFILE, WIDTH, HEIGHT, COMPRESSION, PHOTOMETRIC, MAKE = 254, 256, 257, 259, 262, 271
SUB_DIRECTORIES, DNG_VERSION = 330, 50706
_MOST_ENTRIES, _MOST_TEXT = 512, 64
_BYTE, _ASCII, _SHORT, _LONG = 1, 2, 3, 4


def first_directory(file: SourceFile) -> dict[int, int | bytes]:
    """Read the first directory's numbers and short texts; what is broken or too much is left out."""
    head = file.peek(0, 16)
    order = "<" if head[:2] == b"II" else ">"
    big = head[2:4] in (b"+\0", b"\0+")
    try:
        return _entries(file, order, head, big=big)
    except struct.error:
        return {}


def _entries(file: SourceFile, order: str, head: bytes, *, big: bool) -> dict[int, int | bytes]:
    entry = struct.Struct(order + ("HHQ8s" if big else "HHI4s"))
    counter = struct.Struct(order + ("Q" if big else "H"))
    place: int = struct.unpack(order + "Q", head[8:16])[0] if big else struct.unpack(order + "I", head[4:8])[0]
    count = min(_MOST_ENTRIES, counter.unpack(file.peek(place, counter.size))[0])
    content = file.peek(place + counter.size, count * entry.size)
    found: dict[int, int | bytes] = {}
    for tag, kind, number, value in entry.iter_unpack(content[: len(content) // entry.size * entry.size]):
        if kind == _ASCII:
            found[tag] = _text(file, order, number, value)
        elif kind in (_SHORT, _LONG):
            size = 2 if kind == _SHORT else 4
            found[tag] = struct.unpack(order + ("H" if size == 2 else "I"), value[:size])[0]  # noqa: PLR2004
        else:
            found[tag] = value
    return found


def _text(file: SourceFile, order: str, number: int, value: bytes) -> bytes:
    if number > len(value):
        place = struct.unpack(order + ("Q" if len(value) > 4 else "I"), value)[0]  # noqa: PLR2004
        value = file.peek(place, min(number, _MOST_TEXT))
    return value[:number].partition(b"\0")[0]
