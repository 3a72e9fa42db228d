"""Keys by which files find what belongs to them: a live photo's film, a shot's other file."""

from __future__ import annotations

import hashlib
import re

from archive.media.facts import Taken
from archive.media.metadata.exif import Exif
from archive.media.metadata.texts import clean

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_APPLE = b"Apple iOS\0"
_CONTENT_IDENTIFIER = 0x11
_NUMBERS = (
    "Exif.Canon.FileNumber",
    "Exif.CanonFi.FileNumber",
    "Exif.Canon.ImageNumber",
    "Exif.Nikon3.ShutterCount",
    "Exif.Panasonic.SequenceNumber",
    "Exif.Sony2010e.ShutterCount",
    "Exif.Sony1.ShotNumberSincePowerUp",
    "Exif.Fujifilm.ImageCount",
    "Exif.Pentax.ShutterCount",
    "Exif.Image.ImageNumber",
    "Exif.Photo.ImageNumber",
)


def live_id(exif: Exif) -> str | None:
    """Give Apple's content identifier: a live photo's film bears the same."""
    return content_identifier(_of_apple(exif.blob("Exif.Photo.MakerNote"), _CONTENT_IDENTIFIER).decode("latin-1"))


def content_identifier(written: str) -> str | None:
    """Give a content identifier as one writes it, if it is one."""
    match = _UUID.match(written)
    return match[0].upper() if match else None


def _of_apple(note: bytes, wanted: int) -> bytes:
    """Find a text in Apple's maker note, which exiv2 does not read: a TIFF directory, offsets from the note's start."""
    if not note.startswith(_APPLE):
        return b""
    order = "big" if note[12:14] == b"MM" else "little"
    count = int.from_bytes(note[14:16], order)  # type: ignore[arg-type]
    for offset in range(16, min(16 + 12 * count, len(note)), 12):
        entry = note[offset : offset + 12]
        tag, length, value = (int.from_bytes(entry[a:b], order) for a, b in ((0, 2), (4, 8), (8, 12)))  # type: ignore[arg-type]
        if tag == wanted and 4 < length <= 256:  # noqa: PLR2004  # not in place, and no longer than an identifier
            return note[value : value + length].rstrip(b"\0")
    return b""


def image_number(exif: Exif) -> str | None:
    """Give the number that the camera counts or names the shot by."""
    found = exif.text(*_NUMBERS)
    return found if found and found.strip("0 ") else None


def shot_key(exif: Exif, taken: Taken | None, serial: str | None) -> str | None:
    """Give what a camera's RAW and its JPEG of one shot have in common and other shots have not, if that is certain.

    A second and a serial number are not: a burst has many shots a second.
    """
    make, model = exif.text("Exif.Image.Make"), exif.text("Exif.Image.Model")
    written = exif.text("Exif.Photo.DateTimeOriginal", "Exif.Image.DateTimeOriginal")
    if taken is None or taken.source != "exif" or model is None or written is None:
        return None
    subsecond, number = (taken.subsecond or "").rstrip("0"), image_number(exif)
    unique = clean(exif.text("Exif.Photo.ImageUniqueID")) if number is None and not subsecond else None
    if not subsecond and number is None and (unique is None or not unique.strip("0")):
        return None
    parts = [make or "", model, serial or "", taken.local.isoformat(), subsecond, number or "", unique or ""]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
