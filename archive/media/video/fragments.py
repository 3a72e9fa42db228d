"""The MP4 that is written: in fragments, for nobody can go back in the output, and with a length in its header.

FFmpeg writes a header without a length before the fragments. Browsers would have to read all of them to draw the seek
bar, so the length, known from the original, is put in while the header passes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction

_HEADERS = {b"mvhd", b"tkhd", b"mdhd"}
_PARENTS = {b"moov", b"trak", b"mdia", b"mvex"}
_MOST_HEADER = 16 << 20
# A fragment a keyframe, but none shorter than this: a player that looks for all fragments finds few.
_FRAGMENT_MICROSECONDS = 10_000_000
MUXER = {
    # The header waits for the first packets (delay_moov), for it tells how much of them comes before the beginning:
    # H.264's reordering and AAC's priming. The index at the end is of no use to browsers and would be wrong here.
    "movflags": "frag_keyframe+delay_moov+default_base_moof+skip_trailer",
    "min_frag_duration": str(_FRAGMENT_MICROSECONDS),
}


class Output:
    """Takes what FFmpeg writes, puts the length into the header, and hands all on. It cannot seek."""

    def __init__(self, write: Callable[[bytes], object], duration_ms: int | None) -> None:
        self._write = write
        self._duration_ms = duration_ms
        self._header: bytearray | None = bytearray()
        self.size = 0
        # FFmpeg's last words are not written once this is true.
        self.closed = False

    def write(self, content: bytes) -> int:
        """Take the next bytes."""
        if self._header is None:
            self._give(content)
        else:
            self._header += content
            end = _end_of(b"moov", self._header)
            if end is not None or len(self._header) > _MOST_HEADER:
                self.flush()
        return len(content)

    def flush(self) -> None:
        """Give what was kept until the header is whole."""
        if self._header:
            kept, self._header = bytes(self._header), None
            self._give(with_length(kept, self._duration_ms) if self._duration_ms else kept)

    def _give(self, content: bytes) -> None:
        self.size += len(content)
        self._write(content)


def with_length(content: bytes, duration_ms: int) -> bytes:
    """Put a length into the header at the beginning of a fragmented MP4: in all places where players look for it."""
    end = _end_of(b"moov", content)
    if end is None:
        return content
    header, seconds, movie_scale = bytearray(content[:end]), Fraction(duration_ms, 1000), 1000
    for name, body, _ in _boxes(header, 0, end):
        long = header[body] == 1
        if name == b"mvhd":
            movie_scale = struct.unpack_from(">I", header, body + (20 if long else 12))[0]
            _set(header, body + (24 if long else 16), seconds * movie_scale, long=long)
        elif name == b"tkhd":
            _set(header, body + (28 if long else 20), seconds * movie_scale, long=long)
        elif name == b"mdhd":
            scale = struct.unpack_from(">I", header, body + (20 if long else 12))[0]
            _set(header, body + (24 if long else 16), seconds * scale, long=long)
    return bytes(_with_mehd(header, round(seconds * movie_scale))) + content[end:]


def _set(header: bytearray, at: int, duration: Fraction, *, long: bool) -> None:
    number = round(duration)
    if long:
        struct.pack_into(">Q", header, at, number)
    else:
        struct.pack_into(">I", header, at, min(number, 0xFFFF_FFFE))


def _with_mehd(header: bytearray, duration: int) -> bytearray:
    """Add the box that gives a fragmented film's length, first in ``mvex``, and make its parents longer."""
    mehd = struct.pack(">I4sIQ", 20, b"mehd", 1 << 24, duration)
    for name, body, end in _boxes(header, 0, len(header)):
        if name == b"mvex":
            struct.pack_into(">I", header, body - 8, end - body + 8 + len(mehd))
            moov = header.index(b"moov") - 4
            struct.pack_into(">I", header, moov, len(header) - moov + len(mehd))
            return header[:body] + mehd + header[body:]
    return header


def _boxes(content: bytes | bytearray, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Give the name of each box, and where its content begins and ends, parents before children."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", content, start)
        stop = start + size
        if size < 8 or stop > end:  # noqa: PLR2004 - a box has at least its own head
            return
        if name in _PARENTS | _HEADERS:
            yield name, start + 8, stop
        if name in _PARENTS:
            yield from _boxes(content, start + 8, stop)
        start = stop


def _end_of(wanted: bytes, content: bytes | bytearray) -> int | None:
    start = 0
    while start + 8 <= len(content):
        size, name = struct.unpack_from(">I4s", content, start)
        start += max(size, 8)
        if name == wanted:
            return start if start <= len(content) else None
    return None
