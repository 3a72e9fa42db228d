"""Films inside photos, as Google and Samsung put them there."""

from __future__ import annotations

from collections.abc import Iterator

from archive.media.facts import Motion
from archive.media.metadata.positions import number
from archive.media.metadata.reading import Reader
from archive.media.metadata.words import google_items
from archive.media.metadata.xmp import Value, text

_LEAST = 1024
_SAMSUNG_FILM = 0x0A30
_TRAILER_BYTES = 64 * 1024


def motion(reader: Reader, xmp: dict[str, Value], films: list[tuple[int, int]]) -> Motion | None:
    """Find the film, and see that one begins there."""
    for offset, length in (*films, *_of_google(reader, xmp), *_of_samsung(reader)):
        fits = offset > 0 and length >= _LEAST and offset + length <= reader.size
        if fits and reader.at(offset + 4, 4) == b"ftyp":
            return Motion(offset, length)
    return None


def _of_google(reader: Reader, xmp: dict[str, Value]) -> Iterator[tuple[int, int]]:
    items, behind = google_items(xmp), 0
    # What lies behind the picture does so in this order, the last at the file's end.
    for item in reversed(items[1:]):
        length, padding = _whole(item, "Item:Length"), _whole(item, "Item:Padding")
        if (text(item.get("Item:Mime")) or "").startswith("video/"):
            yield reader.size - behind - length, length
        behind += length + padding
    for name in ("GCamera:MicroVideoOffset", "GCamera:MotionPhotoOffset"):
        length = _whole(xmp, name)
        yield reader.size - length, length


def _whole(values: dict[str, Value], name: str) -> int:
    return max(0, int(number(text(values.get(name))) or 0))


def _of_samsung(reader: Reader) -> Iterator[tuple[int, int]]:
    """Read the directory at the file's end: SEFH, version, count, and for each block its kind, distance and size."""
    tail = reader.at(reader.size - 8, 8)
    size = int.from_bytes(tail[:4], "little")
    if tail[4:] != b"SEFT" or size > _TRAILER_BYTES:
        return
    start = reader.size - 8 - size
    directory = reader.at(start, size)
    if directory[:4] != b"SEFH":
        return
    for entry in range(12, len(directory) - 11, 12):
        kind = int.from_bytes(directory[entry + 2 : entry + 4], "little")
        distance = int.from_bytes(directory[entry + 4 : entry + 8], "little")
        length = int.from_bytes(directory[entry + 8 : entry + 12], "little")
        if kind == _SAMSUNG_FILM and distance <= start:
            block = start - distance
            head = 8 + int.from_bytes(reader.at(block + 4, 4), "little")
            yield block + head, length - head
