"""What a file is, by its first bytes; never by its name."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum

from archive.media import tiffs
from archive.media.file import SourceFile

_HEAD_BYTES = 4096


class MediaKind(StrEnum):
    """What can be done with a file."""

    PHOTO = "photo"
    VIDEO = "video"
    SIDECAR = "sidecar"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of content."""

    name: str
    media_type: str
    kind: MediaKind


def _photo(name: str, media_type: str | None = None) -> Format:
    return Format(name, media_type or f"image/{name}", MediaKind.PHOTO)


def _video(name: str, media_type: str | None = None) -> Format:
    return Format(name, media_type or f"video/{name}", MediaKind.VIDEO)


JPEG, PNG, APNG, WEBP, GIF = _photo("jpeg"), _photo("png"), _photo("apng"), _photo("webp"), _photo("gif")
TIFF, BMP, PSD = _photo("tiff"), _photo("bmp"), _photo("psd", "image/vnd.adobe.photoshop")
HEIC, HEIF, AVIF, JXL = _photo("heic"), _photo("heif"), _photo("avif"), _photo("jxl")
JP2, J2K = _photo("jp2"), _photo("j2k", "image/j2c")
DNG, CR2, CR3 = (
    _photo("dng", "image/x-adobe-dng"),
    _photo("cr2", "image/x-canon-cr2"),
    _photo("cr3", "image/x-canon-cr3"),
)
NEF, ARW, RAF = _photo("nef", "image/x-nikon-nef"), _photo("arw", "image/x-sony-arw"), _photo("raf", "image/x-fuji-raf")
ORF, RW2 = _photo("orf", "image/x-olympus-orf"), _photo("rw2", "image/x-panasonic-rw2")
PEF, SRW = _photo("pef", "image/x-pentax-pef"), _photo("srw", "image/x-samsung-srw")
MP4, MOV, M4V = _video("mp4"), _video("mov", "video/quicktime"), _video("m4v", "video/x-m4v")
THREE_GP, THREE_G2 = _video("3gp", "video/3gpp"), _video("3g2", "video/3gpp2")
MKV, WEBM, AVI = _video("mkv", "video/x-matroska"), _video("webm"), _video("avi", "video/x-msvideo")
MTS, MPEG, ASF = _video("mts", "video/mp2t"), _video("mpeg"), _video("wmv", "video/x-ms-asf")
FLV, OGV = _video("flv", "video/x-flv"), _video("ogv", "video/ogg")
XMP = Format("xmp", "application/rdf+xml", MediaKind.SIDECAR)
UNKNOWN = Format("unknown", "application/octet-stream", MediaKind.OTHER)

RAWS = frozenset({DNG, CR2, CR3, NEF, ARW, RAF, ORF, RW2, PEF, SRW})
_BEGINNINGS = (
    (b"\xff\xd8\xff", JPEG),
    (b"GIF87a", GIF),
    (b"GIF89a", GIF),
    (b"8BPS\0\1", PSD),
    (b"8BPS\0\2", PSD),
    (b"\xff\x0a", JXL),
    (b"\0\0\0\x0cJXL \r\n\x87\n", JXL),
    (b"\0\0\0\x0cjP  \r\n\x87\n", JP2),
    (b"\xff\x4f\xff\x51", J2K),
    (b"FUJIFILMCCD-RAW", RAF),
    (b"IIRO", ORF),
    (b"IIRS", ORF),
    (b"MMOR", ORF),
    (b"IIU\0", RW2),
    (b"\0\0\1\xba", MPEG),
    (b"\0\0\1\xb3", MPEG),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
    (b"FLV\1", FLV),
    (b"OggS", OGV),
)
_HEVC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_BRANDS = {
    **dict.fromkeys(_HEVC, HEIC),
    **dict.fromkeys((b"avif", b"avis"), AVIF),
    b"crx ": CR3,
    b"qt  ": MOV,
    **dict.fromkeys((b"M4V ", b"M4VH", b"M4VP"), M4V),
}
_ATOMS = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}
_RIFF = {b"WEBP": WEBP, b"AVI ": AVI}
_PNG = b"\x89PNG\r\n\x1a\n"
# Makers whose RAW files are TIFF, and the tags by which their RAW differs from a TIFF that their software wrote.
_MAKERS = ((b"NIKON", NEF), (b"SONY", ARW), (b"PENTAX", PEF), (b"RICOH", PEF), (b"SAMSUNG", SRW), (b"CANON", CR2))
_RAW_COMPRESSIONS = {6, 7, 32767, 32769, 32770, 34713, 65535}
_CFA, _LINEAR_RAW = 32803, 34892
_PACKET = 188


def sniff(file: SourceFile) -> Format:
    """Say what a file is; ``UNKNOWN`` if it is nothing of ours."""
    head = file.peek(0, _HEAD_BYTES)
    for beginning, found in _BEGINNINGS:
        if head.startswith(beginning):
            return found
    return _by_container(file, head) or _by_pattern(head) or UNKNOWN


def _by_container(file: SourceFile, head: bytes) -> Format | None:
    if head.startswith(_PNG):
        return APNG if _animated(file) else PNG
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return _of_tiff(file, head)
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return WEBM if b"webm" in head[:128] else MKV
    if head[4:8] == b"ftyp":
        return _of_brands(head)
    return MOV if head[4:8] in _ATOMS else None


def _of_brands(head: bytes) -> Format:
    end = min(len(head), max(16, struct.unpack(">I", head[:4])[0]))
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, end - 3, 4))]
    if found := _BRANDS.get(brands[0]):
        return found
    if brands[0] in (b"mif1", b"msf1", b"mif2", b"miaf"):
        # A structure, not a codec: what follows says which.
        return next((found for brand in brands[1:] if (found := _BRANDS.get(brand)) in (HEIC, AVIF)), HEIF)
    if brands[0].startswith(b"3g2"):
        return THREE_G2
    return THREE_GP if brands[0].startswith((b"3gp", b"3gg", b"3ge")) else MP4


def _of_tiff(file: SourceFile, head: bytes) -> Format:
    if head[8:10] == b"CR" and head[:2] == b"II":
        return CR2
    tags = tiffs.first_directory(file)
    if tiffs.DNG_VERSION in tags:
        return DNG
    maker = tags.get(tiffs.MAKE, b"")
    raw = (
        tiffs.SUB_DIRECTORIES in tags
        or tags.get(tiffs.PHOTOMETRIC) in (_CFA, _LINEAR_RAW)
        or (tags.get(tiffs.COMPRESSION) in _RAW_COMPRESSIONS and tags.get(tiffs.NEW_SUBFILE) == 1)
        or tags.get(tiffs.COMPRESSION) in _RAW_COMPRESSIONS - {6, 7}
    )
    if raw and isinstance(maker, bytes):
        for name, found in _MAKERS:
            if maker.upper().startswith(name):
                return found
    return TIFF


def _animated(file: SourceFile) -> bool:
    """Say whether a PNG announces an animation before its picture."""
    place = len(_PNG)
    for _ in range(64):
        header = file.peek(place, 8)
        if len(header) < 8 or header[4:] in (b"IDAT", b"IEND"):  # noqa: PLR2004
            return False
        if header[4:] == b"acTL":
            return True
        place += 12 + int(struct.unpack(">I", header[:4])[0])
    return False


def _by_pattern(head: bytes) -> Format | None:
    if head.startswith(b"BM") and len(head) > 18 and head[14:18] in _BITMAP_HEADERS:  # noqa: PLR2004
        return BMP
    for offset, step in ((0, _PACKET), (4, _PACKET + 4)):
        syncs = head[offset : offset + 5 * step : step]
        if len(syncs) == 5 and set(syncs) == {0x47}:  # noqa: PLR2004
            return MTS
    return XMP if _is_xmp(head) else None


_BITMAP_HEADERS = {struct.pack("<I", size) for size in (12, 16, 40, 52, 56, 64, 108, 124)}


def _is_xmp(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head[: len(head) & ~1].decode("utf-16", "replace").encode()
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text.startswith(b"<"):
        return False
    return text.startswith(b"<?xpacket") or b"<x:xmpmeta" in text or b"adobe:ns:meta/" in text
