"""The container, byte by byte as docs/space.md says: segments, then their index."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

# The blob in which a child gives what it made.
CONTENT = "content"
MAGIC, _END = b"TPEXACT1", b"TPINDEX1"
# What is decoded in one piece is held in memory: by the child, and by whoever compares it before a byte leaves.
LARGEST_SEGMENT = 64 << 20
_ENTRY = struct.Struct(">BII32s")
_TAIL = struct.Struct(">IQ8s")
TAIL_BYTES = _TAIL.size


class Broken(ValueError):
    """This is no container, or one that contradicts itself."""


class Codec(IntEnum):
    """How a segment is kept."""

    STORED = 1
    ZSTD = 2
    JXL = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a container that is decoded at once."""

    codec: Codec
    # Where it lies in the container, and where what it gives back lies in the file.
    offset: int
    stored: int
    start: int
    plain: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Container:
    """What a container holds."""

    segments: tuple[Segment, ...]
    # Bytes it gives back.
    size: int

    def touched(self, start: int, length: int) -> list[Segment]:
        """Give the segments that a range of the file lies in."""
        return [one for one in self.segments if one.start < start + length and start < one.start + one.plain]

    @property
    def codecs(self) -> str:
        """Name what it is made with."""
        return "+".join(dict.fromkeys(one.codec.name.lower() for one in self.segments))


def index_of(segments: Iterable[tuple[Codec, int, int, bytes]]) -> bytes:
    """Write the index of segments, each with codec, bytes stored, bytes given back and their SHA-256; and the end."""
    entries, size = [], 0
    for codec, stored, plain, sha256 in segments:
        entries.append(_ENTRY.pack(codec, stored, plain, sha256))
        size += plain
    return b"".join(entries) + _TAIL.pack(len(entries), size, _END)


def index_bytes(tail: bytes) -> int:
    """Say how many bytes the index has in front of this tail."""
    return _tail(tail)[0] * _ENTRY.size


def parse(index: bytes, tail: bytes, container_bytes: int) -> Container:
    """Read an index, and refuse one that does not describe a container of this size."""
    count, size = _tail(tail)
    if len(index) != count * _ENTRY.size:
        raise Broken("its index is cut off")
    segments = _segments(list(_ENTRY.iter_unpack(index)))
    end = segments[-1].offset + segments[-1].stored if segments else len(MAGIC)
    if end + len(index) + TAIL_BYTES != container_bytes or size != sum(one.plain for one in segments):
        raise Broken("its index does not add up")
    return Container(tuple(segments), size)


def _segments(entries: Sequence[tuple[int, int, int, bytes]]) -> list[Segment]:
    found, offset, start = list[Segment](), len(MAGIC), 0
    for number, stored, plain, sha256 in entries:
        if not 0 < plain <= LARGEST_SEGMENT or number not in set(Codec):
            raise Broken("its index names what there is not")
        found.append(Segment(Codec(number), offset, stored, start, plain, sha256))
        offset += stored
        start += plain
    return found


def _tail(tail: bytes) -> tuple[int, int]:
    if len(tail) != TAIL_BYTES:
        raise Broken("it is too short to be a container")
    count, size, end = _TAIL.unpack(tail)
    if end != _END:
        raise Broken("it does not end as a container does")
    return count, size
