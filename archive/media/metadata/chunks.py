"""PNG and WebP: chunks with a name and a length."""

from __future__ import annotations

import zlib

from archive.media.metadata import jpeg
from archive.media.metadata.packets import EXIF_BYTES, XMP_BYTES, Packets
from archive.media.metadata.reading import Reader

_CHUNKS = 100_000
_TEXTS = (b"tEXt", b"zTXt", b"iTXt")


def png(reader: Reader) -> Packets:
    """Collect what a PNG's chunks hold."""
    found, offset = Packets(), 8
    for _ in range(_CHUNKS):
        head = reader.at(offset, 8)
        size, name = int.from_bytes(head[:4], "big"), head[4:]
        if len(name) < 4 or name == b"IEND":  # noqa: PLR2004  # a chunk's name
            break
        if name == b"eXIf":
            found.add_exif(reader.at(offset + 8, min(size, EXIF_BYTES + 1)))
        elif name in _TEXTS and size <= EXIF_BYTES:
            _add_text(found, name, reader.at(offset + 8, size))
        offset += 12 + size
    return found


def webp(reader: Reader) -> Packets:
    """Collect what a WebP's chunks hold."""
    found, offset = Packets(), 12
    for _ in range(_CHUNKS):
        head = reader.at(offset, 8)
        name, size = head[:4], int.from_bytes(head[4:], "little")
        if len(head) < 8:  # noqa: PLR2004  # name and length
            break
        if name == b"EXIF":
            found.add_exif(reader.at(offset + 8, min(size, EXIF_BYTES + 1)))
        elif name == b"XMP ":
            found.add_xmp(reader.at(offset + 8, min(size, XMP_BYTES + 1)))
        offset += 8 + size + size % 2
    return found


def _add_text(found: Packets, name: bytes, body: bytes) -> None:
    keyword, _, text = body.partition(b"\0")
    if keyword == b"XML:com.adobe.xmp" and name == b"iTXt":
        flags, rest = text[:2], text[2:]
        content = rest.split(b"\0", 2)[-1]
        found.add_xmp(_inflated(content) if flags[:1] == b"\1" else content)
    elif keyword.startswith(b"Raw profile type "):  # as ImageMagick writes them
        _add_profile(found, keyword[17:].lower(), _inflated(text[1:]) if name == b"zTXt" else text)


def _add_profile(found: Packets, kind: bytes, text: bytes) -> None:
    """Keep a profile written as hexadecimal digits behind its name and length."""
    lines = text.strip().split(b"\n", 2)
    try:
        body = bytes.fromhex(lines[-1].decode("ascii", "replace"))
    except ValueError:
        return
    if kind in (b"exif", b"app1") and body.startswith(b"Exif\0"):
        found.add_exif(body)
    elif kind == b"xmp":
        found.add_xmp(body)
    elif kind == b"iptc":
        found.iptc = jpeg.resource(body)


def _inflated(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, 2 * XMP_BYTES)
    except zlib.error:
        return b""
