"""What a picture carries beside its pixels: what a copy can carry on, and what nothing but the original can."""

from __future__ import annotations

import re
import struct
from collections.abc import Collection
from dataclasses import dataclass

from PIL import Image

from archive.media.file import SourceFile
from archive.media.metadata.describe import packets_of
from archive.media.metadata.packets import Packets
from archive.media.metadata.reading import Reader
from archive.media.pictures.pillow import opened
from archive.media.sniff import JPEG, RAWS, TIFF, Format
from archive.media.verdict import Unsupported

_ORIENTATION, _SHORT = 0x0112, 3
_SEGMENT_BYTES = 65_533
_EXIF, _XMP, _PHOTOSHOP = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0", b"Photoshop 3.0\0"
_IPTC = 0x0404
# Of a TIFF's first directory, what is about the picture: title, camera, orientation, resolution, software, date, names.
_ABOUT = frozenset({0x010E, 0x010F, 0x0110, 0x0112, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x8298})
_DIRECTORIES = (0x8769, 0x8825)
_XMP_TAG, _IPTC_TAG = 700, 33723
# How maps of brightness, of distance and pictures of other moments are announced.
_GAIN = re.compile(rb"hdrgm:|HDRGainMap|apdi:|urn:iso:std:iso:ts:21496")
_DEPTH = re.compile(rb"GDepth:|GImage:|depthBlur|Device:")
_MOTION = re.compile(rb"MotionPhoto|MicroVideo|GContainer:Directory|Container:Directory")
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_SOS, _EOI, _FILLING = 0xDA, 0xD9, 0xFF


@dataclass(frozen=True, slots=True)
class Kept:
    """The metadata that goes from a picture into its copy."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    profile: bytes | None = None

    def names(self) -> tuple[str, ...]:
        """Say what there is."""
        return tuple(name for name in ("exif", "xmp", "iptc", "profile") if getattr(self, name))

    def without(self, names: Collection[str]) -> Kept:
        """Leave some of it out."""
        return Kept(
            b"" if "exif" in names else self.exif, b"" if "xmp" in names else self.xmp,
            b"" if "iptc" in names else self.iptc, None if "profile" in names else self.profile,
        )  # fmt: skip

    def segments(self) -> bytes:
        """Write the metadata, but for the profile, as the first segments of a JPEG."""
        found = []
        if self.exif:
            found.append((0xE1, _EXIF + self.exif))
        if self.xmp:
            found.append((0xE1, _XMP + self.xmp))
        if self.iptc:
            size = len(self.iptc)
            resource = b"8BIM" + struct.pack(">HHI", _IPTC, 0, size) + self.iptc + bytes(size % 2)
            found.append((0xED, _PHOTOSHOP + resource))
        for _, body in found:
            if len(body) > _SEGMENT_BYTES:
                raise Unsupported("its metadata is larger than a JPEG can carry; choose another codec")
        return b"".join(struct.pack(">BBH", 0xFF, marker, 2 + len(body)) + body for marker, body in found)


def metadata_of(file: SourceFile, format_: Format) -> Kept:
    """Collect what another file can carry; RAW has nothing that could leave it as it is."""
    if format_ in RAWS:
        return Kept()
    packets = of_tiff(file) if format_ == TIFF else packets_of(Reader(file))
    return Kept(upright(packets.exif), packets.xmp[0] if packets.xmp else b"", packets.iptc)


def kept_of(file: SourceFile, format_: Format, profile: bytes | None) -> Kept:
    """Collect what a copy is to carry; refuse what only the original can hold."""
    packets = of_tiff(file) if format_ == TIFF else packets_of(Reader(file))
    if packets.films or len(packets.xmp) > 1:
        raise Unsupported("it holds more than its picture (a film, or a map of depth), which a copy would lose")
    xmp = packets.xmp[0] if packets.xmp else b""
    for pattern, what in ((_GAIN, "a gain map"), (_DEPTH, "a map of depth"), (_MOTION, "a film")):
        if pattern.search(xmp):
            raise Unsupported(f"it holds {what}, which a copy would lose")
    if format_ == JPEG:
        _plain_jpeg(bytes(file.view()))
    return Kept(upright(packets.exif), xmp, packets.iptc, profile)


def of_tiff(file: SourceFile) -> Packets:
    """Collect what a TIFF says of itself, but not how its pixels lie in it."""
    with opened(file, "TIFF") as image:
        said, exif = image.getexif(), Image.Exif()
        exif.update({tag: said[tag] for tag in said if tag in _ABOUT})
        for directory in _DIRECTORIES:
            exif.get_ifd(directory).update(said.get_ifd(directory))
        found = Packets(exif=exif.tobytes().removeprefix(_EXIF) if len(exif) else b"")
        for tag, take in ((_XMP_TAG, found.add_xmp), (_IPTC_TAG, lambda iptc: setattr(found, "iptc", iptc))):
            if isinstance(value := said.get(tag), bytes):
                take(value)
    return found


def upright(exif: bytes) -> bytes:
    """Write over the orientation, for the copy's pixels are turned; not another byte is changed."""
    entry = orientation_at(exif)
    if entry is None:
        return exif
    return exif[: entry + 8] + struct.pack(("<" if exif[:1] == b"I" else ">") + "H", 1) + exif[entry + 10 :]


def orientation_at(exif: bytes) -> int | None:
    """Find the entry of the orientation in the first directory; broken EXIF has none that anybody reads."""
    if exif[:2] not in (b"II", b"MM"):
        return None
    order = "<" if exif[:2] == b"II" else ">"
    try:
        start = struct.unpack_from(order + "I", exif, 4)[0]
        count = struct.unpack_from(order + "H", exif, start)[0]
        for place in range(start + 2, start + 2 + 12 * count, 12):
            if struct.unpack_from(order + "HHI", exif, place) == (_ORIENTATION, _SHORT, 1):
                return place
    except struct.error:
        return None
    return None


def _plain_jpeg(content: bytes) -> None:
    if b"MPF\0" in content[: content.find(b"\xff\xda") + 1]:
        raise Unsupported("it holds further pictures (a gain map, or a view), which a copy would lose")
    if content[picture_end(content) :].strip(b"\0"):
        raise Unsupported("it holds something behind its picture (a film, or a maker's data), which a copy would lose")


def picture_end(content: bytes) -> int:
    """Find where a JPEG's own picture ends; what lies behind is something else."""
    place = 2
    while (found := _MARKER.search(content, place)) is not None:
        place, marker = found.start(), content[found.start() + 1]
        if marker == _EOI:
            return place + 2
        place += 2 + int.from_bytes(content[place + 2 : place + 4])
    return len(content)
