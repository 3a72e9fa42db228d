"""Frames of a GIF, counted without decoding one."""

from __future__ import annotations

from archive.media.file import SourceFile

_EXTENSION, _FRAME = 0x21, 0x2C
_HAS_COLOURS = 0x80


def frames(file: SourceFile, most: int) -> int:
    """Count frames, no further than this."""
    content = file.view()
    place = 13 + _table(content[10])
    count = 0
    while place + 1 < len(content) and count < most:
        block = content[place]
        if block == _EXTENSION:
            place += 2
        elif block == _FRAME and place + 10 < len(content):
            count += 1
            place += 11 + _table(content[place + 9])
        else:
            break
        while place < len(content) and content[place]:
            place += 1 + content[place]
        place += 1
    return max(1, count)


def _table(flags: int) -> int:
    return 3 << (flags & 7) + 1 if flags & _HAS_COLOURS else 0
