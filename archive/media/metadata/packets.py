"""The packets of metadata that a file holds, as they lie there, and how much of them is looked at."""

from __future__ import annotations

from dataclasses import dataclass, field

EXIF_BYTES = 16 << 20
XMP_BYTES = 4 << 20
IPTC_BYTES = 1 << 20
WHOLE_BYTES = 256 << 20


@dataclass(slots=True)
class Packets:
    """EXIF as a TIFF, XMP as XML, IPTC as datasets."""

    exif: bytes = b""
    xmp: list[bytes] = field(default_factory=list)
    iptc: bytes = b""
    # Where the container itself holds a film: offset and length.
    films: list[tuple[int, int]] = field(default_factory=list)

    def add_exif(self, blob: bytes) -> None:
        """Keep the first EXIF: later ones belong to pictures inside the picture."""
        blob = blob.removeprefix(b"Exif\0\0")
        if not self.exif and len(blob) <= EXIF_BYTES:
            self.exif = blob

    def add_xmp(self, packet: bytes) -> None:
        """Keep an XMP packet, unless it is too large to be one."""
        if 0 < len(packet) <= XMP_BYTES:
            self.xmp.append(packet)
