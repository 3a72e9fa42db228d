"""Give back what a container was made of: some segments, or all. Whoever asked compares it, byte by byte."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import imagecodecs

from archive.media.exact import container
from archive.media.exact.container import TAIL_BYTES, Codec, Container, Segment
from archive.media.file import SourceFile


def read(file: SourceFile) -> Container:
    """Read what a container says of itself."""
    if file.peek(0, len(container.MAGIC)) != container.MAGIC:
        raise container.Broken("it does not begin as a container does")
    tail = file.peek(max(0, file.size - TAIL_BYTES), TAIL_BYTES)
    length = container.index_bytes(tail)
    place = file.size - TAIL_BYTES - length
    if place < 0:
        raise container.Broken("its index is cut off")
    return container.parse(file.peek(place, length), tail, file.size)


def unpack(file: SourceFile, segments: Iterable[Segment], write: Callable[[bytes | bytearray], object]) -> None:
    """Write what these segments give back, one after the other."""
    for one in segments:
        write(decoded(one, file.peek(one.offset, one.stored)))


def decoded(segment: Segment, stored: bytes) -> bytes | bytearray:
    """Decode one segment."""
    if segment.codec is Codec.STORED:
        return stored
    if segment.codec is Codec.ZSTD:
        return imagecodecs.zstd_decode(stored, out=segment.plain)
    return imagecodecs.jpegxl_decode_jpeg(stored, numthreads=1)
