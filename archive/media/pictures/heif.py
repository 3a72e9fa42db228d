"""HEIC and HEIF, by libheif. It turns and mirrors the picture itself; the EXIF orientation beside it is a copy."""

from __future__ import annotations

import pillow_heif
from PIL import Image

from archive.media.file import SourceFile
from archive.media.limits import Limits
from archive.media.pictures.picture import Decoded, Header, allow
from archive.media.verdict import LimitExceeded

pillow_heif.options.DECODE_THREADS = 1
pillow_heif.options.THUMBNAILS = False
# The decoder's own planes, what libheif makes of them, and Pillow's picture.
_BYTES_A_PIXEL = 9


def header(file: SourceFile, limits: Limits) -> Header:
    """Read the header, and refuse what is too much."""
    return _primary(file, limits)[1]


def decode(file: SourceFile, limits: Limits) -> Decoded:
    """Decode the primary picture."""
    primary, found = _primary(file, limits)
    profile = primary.info.get("icc_profile")
    if not isinstance(profile, bytes) or len(profile) > limits.icc_bytes:
        profile = None
    image = Image.frombytes(primary.mode, primary.size, primary.data, "raw", primary.mode, primary.stride)
    return Decoded(image, Header(*image.size, 1, 1, found.depth), profile)


def _primary(file: SourceFile, limits: Limits) -> tuple[pillow_heif.HeifImage, Header]:
    try:
        container = pillow_heif.open_heif(bytes(file.view()), convert_hdr_to_8bit=True)
    except Exception as error:
        if "limit" in str(error).lower():  # libheif has its own, for boxes and their contents
            raise LimitExceeded(str(error)) from error
        raise
    primary = container[container.primary_index]
    width, height = primary.size
    found = Header(width, height, depth=_depth(primary.info.get("bit_depth")))
    allow(found, limits, _BYTES_A_PIXEL)
    return primary, found


def _depth(said: object) -> int:
    return said if isinstance(said, int) else 8
