"""Make a container of a file. Whoever keeps it has it decoded by another process first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import imagecodecs

from archive.media.exact import jpeg
from archive.media.exact.container import LARGEST_SEGMENT, MAGIC, Codec, index_of
from archive.media.file import SourceFile

_LEVEL = 3
_SEGMENT = 4 << 20
_SAMPLES, _SAMPLE = 8, 256 << 10
# What a sample must shrink by before all of it is tried, and what the container must save before it is kept.
_WORTH_TRYING, _WORTH_KEEPING = 0.03, 0.01


class NoGain(Exception):
    """The file is best kept as it is; says why."""


@dataclass(frozen=True, slots=True)
class Packed:
    """A container that was written."""

    size: int
    codecs: str


@dataclass(frozen=True, slots=True)
class _Piece:
    codec: Codec
    content: bytes | bytearray
    plain: int
    sha256: bytes


def pack(file: SourceFile, write: Callable[[bytes | bytearray], object]) -> Packed:
    """Write a container of a file piece by piece; NoGain says, also at its very end, that it is not worth having."""
    write(MAGIC)
    size, entries = len(MAGIC), []
    for piece in _pieces(file):
        write(piece.content)
        size += len(piece.content)
        entries.append((piece.codec, len(piece.content), piece.plain, piece.sha256))
    index = index_of(entries)
    write(index)
    size += len(index)
    if size > file.size * (1 - _WORTH_KEEPING):
        raise NoGain(f"it would have {size} bytes instead of {file.size}")
    return Packed(size, "+".join(dict.fromkeys(entry[0].name.lower() for entry in entries)))


def _pieces(file: SourceFile) -> Iterator[_Piece]:
    if file.peek(0, 3) != jpeg.START:
        require_gain(file)
        yield from _compressed(file, 0)
        return
    if (fault := _transcode_fault(file)) is not None:
        raise NoGain(fault)
    data, position = file.view(), 0
    # Behind the first there may be more: previews of an MPO, the gain map of an Ultra HDR.
    while position < file.size and bytes(data[position : position + 3]) == jpeg.START:
        piece = _transcoded(data[position:], first=position == 0)
        if piece is None:
            break
        yield piece
        position += piece.plain
    yield from _compressed(file, position)


def _transcode_fault(file: SourceFile) -> str | None:
    """Say why a JPEG is left alone before anything of it is decoded."""
    if file.size > 4 * LARGEST_SEGMENT:
        return f"a JPEG of {file.size >> 20} MiB is too large to be decoded in one piece"
    found = jpeg.find(file.view())
    if found.end is not None and found.end > LARGEST_SEGMENT:
        return f"a JPEG of {found.end >> 20} MiB is too large to be decoded in one piece"
    return found.refusal


def _transcoded(data: memoryview, *, first: bool) -> _Piece | None:
    """Transcode the JPEG that these bytes begin with. A later one that cannot be is left to those who follow."""
    found = jpeg.find(data)
    if found.end is None or found.refusal or found.end > LARGEST_SEGMENT:
        return None
    plain = bytes(data[: found.end])
    try:
        content = imagecodecs.jpegxl_encode_jpeg(plain, numthreads=1)
    except imagecodecs.JpegxlError as error:
        if first:
            raise NoGain(f"libjxl cannot transcode this JPEG reversibly ({error})") from error
        return None
    if len(content) >= len(plain):
        return _zstd(plain)
    return _Piece(Codec.JXL, content, len(plain), hashlib.sha256(plain).digest())


def _compressed(file: SourceFile, start: int) -> Iterator[_Piece]:
    for position in range(start, file.size, _SEGMENT):
        yield _zstd(file.peek(position, _SEGMENT))


def _zstd(plain: bytes) -> _Piece:
    content, sha256 = imagecodecs.zstd_encode(plain, level=_LEVEL), hashlib.sha256(plain).digest()
    if len(content) < len(plain):
        return _Piece(Codec.ZSTD, content, len(plain), sha256)
    return _Piece(Codec.STORED, plain, len(plain), sha256)


def require_gain(file: SourceFile) -> None:
    """Compress some samples from all over a file, and refuse one that hardly shrinks."""
    if file.size <= _SAMPLES * _SAMPLE:
        samples = [file.peek(0, file.size)]
    else:
        step = (file.size - _SAMPLE) // (_SAMPLES - 1)
        samples = [file.peek(number * step, _SAMPLE) for number in range(_SAMPLES)]
    plain = sum(map(len, samples))
    saved = plain - sum(len(imagecodecs.zstd_encode(one, level=_LEVEL)) for one in samples)
    if saved < plain * _WORTH_TRYING:
        raise NoGain("there is nothing to gain: it is compressed already")
