"""JPEG: its segments before the picture begins."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archive.media.metadata.packets import IPTC_BYTES, XMP_BYTES, Packets
from archive.media.metadata.reading import Reader

# Without its beginning, over which some services write.
_XMP = b"://ns.adobe.com/xap/1.0/\0"
_XMP_WITHIN = 40
_MORE_XMP = b"http://ns.adobe.com/xmp/extension/\0"
_MORE_XMP_HEAD = len(_MORE_XMP) + 32 + 8
_PHOTOSHOP = b"Photoshop 3.0\0"
_IPTC = 0x0404
_SEGMENTS = 4096
_APP1, _APP13, _START_OF_SCAN, _END = 0xE1, 0xED, 0xDA, 0xD9
_MORE_GUID = re.compile(rb"""HasExtendedXMP(?:\s*=\s*["']|>)([0-9A-Fa-f]{32})""")


def packets(reader: Reader) -> Packets:
    """Collect what the segments hold."""
    found, photoshop, more = Packets(), b"", dict[bytes, dict[int, bytes]]()
    for marker, body in _segments(reader):
        if marker == _APP1 and body.startswith(b"Exif\0"):
            found.add_exif(body)
        elif marker == _APP1 and (start := body.find(_XMP, 0, _XMP_WITHIN)) >= 0:
            found.add_xmp(body[start + len(_XMP) :])
        elif marker == _APP1 and body.startswith(_MORE_XMP) and len(body) > _MORE_XMP_HEAD:
            guid, rest = body[len(_MORE_XMP) :][:32], body[len(_MORE_XMP) + 32 :]
            more.setdefault(guid.upper(), {})[int.from_bytes(rest[4:8], "big")] = rest[8:]
        elif marker == _APP13 and body.startswith(_PHOTOSHOP) and len(photoshop) < IPTC_BYTES:
            photoshop += body.removeprefix(_PHOTOSHOP)
    found.iptc = resource(photoshop)
    _add_extended(found, more)
    return found


def _segments(reader: Reader) -> Iterator[tuple[int, bytes]]:
    offset = 2
    for _ in range(_SEGMENTS):
        head = reader.at(offset, 4)
        if len(head) < 4 or head[0] != 0xFF:  # noqa: PLR2004  # marker and length
            return
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker == 0xFF:  # noqa: PLR2004  # a byte that fills
            offset += 1
            continue
        if marker in (_START_OF_SCAN, _END) or length < 2:  # noqa: PLR2004  # the length counts itself
            return
        if marker in (_APP1, _APP13):
            yield marker, reader.at(offset + 4, length - 2)
        offset += 2 + length


def resource(photoshop: bytes) -> bytes:
    """Find the IPTC datasets among Photoshop's resources."""
    offset = 0
    while photoshop[offset : offset + 4] == b"8BIM":
        kind = int.from_bytes(photoshop[offset + 4 : offset + 6], "big")
        name = (photoshop[offset + 6 : offset + 7] or b"\0")[0]
        offset += 6 + (name + 2) // 2 * 2
        size = int.from_bytes(photoshop[offset : offset + 4], "big")
        if kind == _IPTC:
            return photoshop[offset + 4 : offset + 4 + size]
        offset += 4 + (size + 1) // 2 * 2
    return b""


def _add_extended(found: Packets, more: dict[bytes, dict[int, bytes]]) -> None:
    """Put together the extension that the main packet names; others are left-overs."""
    named = _MORE_GUID.search(found.xmp[0]) if found.xmp else None
    parts = more.get(named[1].upper()) if named else None
    if not parts:
        return
    whole = bytearray()
    for offset, part in sorted(parts.items()):
        if offset != len(whole) or offset + len(part) > XMP_BYTES:
            return
        whole += part
    found.add_xmp(bytes(whole))
