"""JPEG, by Pillow: decoded no larger than is needed."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from PIL import Image

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures.picture import Decoded, Header, allow
from archive.media.pictures.pillow import opened, orientation_of, profile_of
from archive.media.verdict import Corrupt, LimitExceeded

_SOFS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_SCAN = b"\xff\xda"
_MOST_SEGMENTS = 4096
# A baseline JPEG is decoded a few rows at a time, and drawn smaller.
_BYTES_A_PIXEL = 4


@dataclass(frozen=True, slots=True)
class Frame:
    """What a JPEG's frame says."""

    width: int
    height: int
    depth: int
    progressive: bool
    # Samples of all components together, for each pixel.
    samples: float


def header(file: SourceFile, limits: Limits) -> Header:
    """Read the header, and refuse what is too much."""
    frame = _frame(file)
    with opened(file, "JPEG") as image:
        found = Header(frame.width, frame.height, orientation_of(image, limits), 1, frame.depth)
    _allow(file, frame, found, limits)
    return found


def decode(file: SourceFile, limits: Limits, fit: int | None) -> Decoded:
    """Decode a JPEG, at an eighth, quarter or half of its size if that is enough."""
    frame = _frame(file)
    image = opened(file, "JPEG")
    found = Header(frame.width, frame.height, orientation_of(image, limits), 1, frame.depth)
    _allow(file, frame, found, limits)
    if fit:
        shrink(image, fit)
    profile = profile_of(image, limits)
    image.load()
    return Decoded(image, found, profile)


def shrink(image: Image.Image, fit: int) -> None:
    """Ask for the smallest decoding whose longer side is no less than this."""
    scale = min(1.0, fit / max(image.size))
    image.draft(None, (max(1, int(image.width * scale)), max(1, int(image.height * scale))))


def _allow(file: SourceFile, frame: Frame, found: Header, limits: Limits) -> None:
    if not frame.progressive:
        allow(found, limits, 1)
        return
    allow(found, limits, 2 * frame.samples + 1, limits.progressive_pixels)
    # Each scan goes over the whole picture again.
    scans, place, content = 0, 0, bytes(file.view())
    while (place := content.find(_SCAN, place)) >= 0:
        place, scans = place + 2, scans + 1
    if scans > limits.progressive_scans:
        message = f"{scans} scans; at most {limits.progressive_scans} are decoded"
        raise LimitExceeded(message)


def _frame(file: SourceFile) -> Frame:
    place = 2
    for _ in range(_MOST_SEGMENTS):
        head = file.peek(place, 10)
        if len(head) < 10 or head[0] != 0xFF:  # noqa: PLR2004
            break
        marker = head[1]
        if marker == 0xFF:  # noqa: PLR2004 - filling
            place += 1
        elif marker in _STANDALONE:
            place += 2
        elif marker in _SOFS:
            return _read_frame(file, place, head, progressive=marker in _PROGRESSIVE)
        else:
            place += 2 + max(2, int.from_bytes(head[2:4]))
    raise Corrupt("a JPEG without a frame")


def _read_frame(file: SourceFile, place: int, head: bytes, *, progressive: bool) -> Frame:
    depth, height, width, components = struct.unpack(">BHHB", head[4:10])
    factors = [(byte >> 4, byte & 15) for byte in file.peek(place + 10, 3 * components)[1::3]]
    most = max((across for across, _ in factors), default=1) * max((down for _, down in factors), default=1)
    samples = sum(across * down for across, down in factors) / max(1, most)
    return Frame(width, height, depth, progressive, samples)
