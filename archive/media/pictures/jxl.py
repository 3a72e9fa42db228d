"""JPEG XL, by libjxl. It turns the picture itself; the header is read here, for libjxl's is not within reach."""

from __future__ import annotations

import imagecodecs

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures import arrays
from archive.media.pictures.picture import Decoded, Header, allow
from archive.media.verdict import Corrupt

_BYTES_A_PIXEL = 12
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIZE_BITS = (9, 13, 18, 30)
_HEADER_BYTES = 64
_MOST_BOXES = 256


def header(file: SourceFile, limits: Limits) -> Header:
    """Read the header, and refuse what is too much."""
    bits = _Bits(_codestream(file))
    width, height = _size(bits)
    orientation, depth = 1, 8
    if not bits.take(1):  # not all as usual
        if bits.take(1):
            orientation = 1 + bits.take(3)
            if bits.take(1):
                _size(bits)  # as it should be shown
            if bits.take(1):  # a preview
                return _allowed(Header(width, height, orientation), limits)
            if bits.take(1):  # an animation
                return _allowed(Header(width, height, orientation, 2), limits)
        depth = _depth(bits)
    return _allowed(Header(width, height, orientation, 1, depth), limits)


def decode(file: SourceFile, limits: Limits) -> Decoded:
    """Decode the first frame."""
    found = header(file, limits)
    image = arrays.picture(imagecodecs.jpegxl_decode(bytes(file.view()), index=0, numthreads=1))
    return Decoded(image, Header(*image.size, 1, found.frames, found.depth))


def _allowed(found: Header, limits: Limits) -> Header:
    allow(found, limits, _BYTES_A_PIXEL)
    return found


def _depth(bits: _Bits) -> int:
    if bits.take(1):  # fractions
        return (32, 16, 24)[min(2, bits.take(2))]
    return (8, 10, 12, 0)[selector] if (selector := bits.take(2)) < 3 else 1 + bits.take(6)  # noqa: PLR2004


def _codestream(file: SourceFile) -> bytes:
    if file.peek(0, 2) == b"\xff\x0a":
        return file.peek(2, _HEADER_BYTES)
    place = 12
    for _ in range(_MOST_BOXES):
        box = file.peek(place, 16)
        if len(box) < 8:  # noqa: PLR2004
            break
        size, kind, begin = int.from_bytes(box[:4]), box[4:8], 8
        if size == 1:
            size, begin = int.from_bytes(box[8:16]), 16
        if kind in (b"jxlc", b"jxlp"):
            begin += 4 * (kind == b"jxlp")
            return file.peek(place + begin + 2, _HEADER_BYTES)
        if size < begin:
            break
        place += size
    raise Corrupt("a JPEG XL without a picture")


def _size(bits: _Bits) -> tuple[int, int]:
    small = bits.take(1)
    height = _length(bits, small=small)
    ratio = bits.take(3)
    if ratio:
        across, down = _RATIOS[ratio - 1]
        return height * across // down, height
    return _length(bits, small=small), height


def _length(bits: _Bits, *, small: int) -> int:
    return 8 * (1 + bits.take(5)) if small else 1 + bits.take(_SIZE_BITS[bits.take(2)])


class _Bits:
    """Bits, the lowest of each byte first."""

    def __init__(self, content: bytes) -> None:
        self._left = int.from_bytes(content, "little")

    def take(self, count: int) -> int:
        value = self._left & ((1 << count) - 1)
        self._left >>= count
        return value
