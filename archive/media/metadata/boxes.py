"""Files of boxes: HEIF, AVIF, CR3 and JPEG XL (ISO/IEC 14496-12, 23008-12 and 18181-2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archive.media.metadata.packets import EXIF_BYTES, IPTC_BYTES, XMP_BYTES, Packets
from archive.media.metadata.reading import Reader

_BOXES = 4096
_META_BYTES = 16 << 20
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_XMP_TYPE = b"application/rdf+xml"


@dataclass(frozen=True, slots=True)
class Box:
    """One box of a file: its name, and where what it holds lies."""

    name: bytes
    start: int
    size: int
    whole: int


def top(reader: Reader, offset: int = 0, end: int | None = None) -> Iterator[Box]:
    """Give the boxes that lie one behind the other."""
    end = reader.size if end is None else end
    for _ in range(_BOXES):
        head = reader.at(offset, 16)
        size, header = int.from_bytes(head[:4], "big"), 8
        if size == 1:  # the size is written behind the name
            size, header = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - offset
        if len(head) < 8 or size < header or offset + size > end:  # noqa: PLR2004  # size and name
            return
        yield Box(head[4:8], offset + header, size - header, size)
        offset += size


def packets(reader: Reader) -> Packets:
    """Collect what the boxes hold."""
    found = Packets()
    for box in top(reader):
        if box.name == b"meta" and box.size <= _META_BYTES:
            _Items(reader, reader.at(box.start + 4, box.size - 4)).collect(found)
        elif box.name == b"Exif":
            found.add_exif(_exif(reader.at(box.start, min(box.size, EXIF_BYTES + 4))))
        elif box.name == b"xml ":
            found.add_xmp(reader.at(box.start, min(box.size, XMP_BYTES + 1)))
        elif box.name == b"uuid" and reader.at(box.start, 16) == _XMP_UUID:
            found.add_xmp(reader.at(box.start + 16, min(box.size - 16, XMP_BYTES + 1)))
        elif box.name == b"mpvd":
            found.films.append((box.start, box.size))
    return found


def canon(reader: Reader) -> bytes:
    """Give the part of a CR3 in which its metadata lies, itself a CR3."""
    wanted = [box for box in top(reader) if box.name in (b"ftyp", b"moov")]
    if sum(box.whole for box in wanted) > EXIF_BYTES:
        return b""
    return b"".join(reader.at(box.start + box.size - box.whole, box.whole) for box in wanted)


def _exif(payload: bytes) -> bytes:
    """Give the TIFF of an EXIF item, which begins with how far it is away."""
    skip = int.from_bytes(payload[:4], "big")
    return payload[4 + skip :] if skip < len(payload) else b""


class _Items:
    """The items that a ``meta`` box describes."""

    def __init__(self, reader: Reader, meta: bytes) -> None:
        self._reader = reader
        self._parts = dict(_inside(meta))
        self._kinds = dict(self._described())

    def collect(self, found: Packets) -> None:
        for number, pieces in self._placed():
            kind = self._kinds.get(number, b"")
            if kind.startswith(b"Exif"):
                found.add_exif(_exif(self._content(pieces, EXIF_BYTES)))
            elif kind.startswith(b"mime") and _XMP_TYPE in kind:
                found.add_xmp(self._content(pieces, XMP_BYTES))
            elif kind.startswith(b"mime") and b"iptc" in kind.lower():
                found.iptc = self._content(pieces, IPTC_BYTES)

    def _described(self) -> Iterator[tuple[int, bytes]]:
        """Give each item's number and what kind it is of, with its media type behind."""
        body = self._parts.get(b"iinf", b"")
        start = 6 if body[:1] == b"\0" else 8
        for name, entry in _inside(body[start:]):
            version = entry[0] if entry else 0
            if name != b"infe" or version < 2:  # noqa: PLR2004  # older ones name no kinds
                continue
            wide = 2 if version == 2 else 4  # noqa: PLR2004  # version 3 has room for more items
            yield int.from_bytes(entry[4 : 4 + wide], "big"), entry[6 + wide :]

    def _placed(self) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
        """Give each item's number and its pieces: in which data, where, how long."""
        body = _Fields(self._parts.get(b"iloc", b""))
        version = body.number(1)
        body.number(3)
        sizes = body.number(2)
        of_offset, of_length, of_base = sizes >> 12 & 15, sizes >> 8 & 15, sizes >> 4 & 15
        of_index = sizes & 15 if version else 0
        wide = 4 if version == 2 else 2  # noqa: PLR2004  # version 2 has room for more items
        for _ in range(min(body.number(wide), _BOXES * 16)):
            if body.ended:
                return
            number = body.number(wide)
            method = body.number(2) & 15 if version else 0
            body.number(2)
            base, pieces = body.number(of_base), []
            for _ in range(min(body.number(2), _BOXES)):
                body.number(of_index)
                pieces.append((method, base + body.number(of_offset), body.number(of_length)))
            yield number, pieces

    def _content(self, pieces: list[tuple[int, int, int]], most: int) -> bytes:
        if sum(length for _, _, length in pieces) > most:
            return b""
        inside = self._parts.get(b"idat", b"")
        return b"".join(
            inside[offset : offset + length] if method == 1 else self._reader.at(offset, length)
            for method, offset, length in pieces
        )


class _Fields:
    """Numbers one behind the other; nothing but zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    @property
    def ended(self) -> bool:
        return self._offset >= len(self._data)

    def number(self, size: int) -> int:
        found = self._data[self._offset : self._offset + size]
        self._offset += size
        return int.from_bytes(found, "big")


def _inside(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the boxes inside a box."""
    offset = 0
    while offset + 8 <= len(data):
        size = int.from_bytes(data[offset : offset + 4], "big")
        if size < 8 or offset + size > len(data):  # noqa: PLR2004  # size and name
            return
        yield data[offset + 4 : offset + 8], data[offset + 8 : offset + size]
        offset += size
